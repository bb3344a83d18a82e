"""The checks that run between two clusters of an apply and after it, as data."""

# fmt: off
from __future__ import annotations

from mesh.queries.checks.catalog.words import (
    APPLY,
    ERROR,
    INFO,
    KUBECTL,
    LINKERD,
    MID,
    MULTICLUSTER,
    POST,
    WARNING,
)
from mesh.queries.checks.model import Check
from mesh.queries.checks.rules import access, apps, dataplane, health, links, neighbours, trust, upstream

POST_FLIGHT = (
    Check(
        "Q01", MID, ERROR, "istiod is available and does not restart",
        f"{KUBECTL} -n {{namespace}} describe deploy/istiod", look=health.control_plane, installed=True,
        covers=(LINKERD,),
    ),
    Check(
        "Q02", MID, ERROR, "ztunnel and the CNI agent are ready on every node, each with one image",
        f"{KUBECTL} get ds -A", look=health.on_every_node, installed=True, covers=(LINKERD,),
    ),
    Check(
        "Q03", MID, ERROR, "ztunnel's root of trust is the one in cacerts", APPLY,
        look=dataplane.signer, installed=True,
    ),
    Check(
        "Q04", POST, ERROR, "the root of trust that istiod publishes is the one in cacerts",
        f"{KUBECTL} -n {{namespace}} rollout restart deploy/istiod", look=trust.published,
        installed=True,
    ),
    Check(
        "Q05", MID, ERROR, "ztunnel's certificates are valid",
        f"{KUBECTL} -n {{namespace}} rollout restart ds/ztunnel", look=dataplane.leaves, installed=True,
        covers=(LINKERD,),
    ),
    Check(
        "Q06", POST, ERROR, "istiod signs with the certificate in cacerts",
        f"{KUBECTL} -n {{namespace}} rollout restart deploy/istiod", look=dataplane.ca_clock,
        installed=True,
    ),
    Check(
        "Q07", POST, WARNING, "istiod denies no certificate request",
        f"{KUBECTL} -n {{namespace}} logs deploy/istiod", look=dataplane.ca_errors, installed=True,
    ),
    Check(
        "Q08", POST, ERROR, "the istiod validation webhook answers",
        f"{KUBECTL} -n {{namespace}} rollout restart deploy/istiod", look=neighbours.believed,
        installed=True, needs="dry runs", covers=(LINKERD,),
    ),
    Check(
        "Q09", MID, ERROR, "remote secrets are complete, accepted, and for clusters of this mesh", APPLY,
        look=upstream.valid, only="upstream", installed=True,
    ),
    Check(
        "Q10", MID, ERROR, "istiod has synced with every remote cluster", APPLY, look=upstream.synced,
        only="upstream", installed=True,
    ),
    Check(
        "Q11", MID, ERROR, "the east-west gateway is programmed and has an address", "mesh status",
        look=links.gateways, installed=True, covers=(MULTICLUSTER, LINKERD),
    ),
    Check(
        "Q12", MID, ERROR, "ztunnel knows the workloads of linked clusters", "mesh status",
        look=dataplane.knows_peers, installed=True,
    ),
    Check(
        "Q18", POST, WARNING, "no proxy rejects istiod's configuration",
        f"{KUBECTL} -n {{namespace}} logs deploy/istiod", look=dataplane.rejects, installed=True,
    ),
    Check(
        "Q19", POST, ERROR, "the traffic of every enrolled pod is redirected to ztunnel",
        f"{KUBECTL} get pods -A -o yaml", look=apps.captured, installed=True, covers=(LINKERD,),
    ),
    Check(
        "Q20", POST, WARNING, "every object labelled as this mesh's is in the state", "mesh state show",
        look=access.no_strays, covers=(LINKERD,),
    ),
    Check(
        "Q21", POST, WARNING, "istioctl analyze reports nothing", "istioctl analyze -A",
        look=dataplane.analysed, installed=True, needs="analysis", on_request=True,
    ),
    Check(
        "Q22", POST, WARNING, "every resource is in sync and ready", "mesh plan", compare=access.settled,
    ),
    Check(
        "Q23", POST, INFO, "the tokens in remote secrets expire",
        f"{KUBECTL} -n {{namespace}} get secrets -l istio/multiCluster=true", look=upstream.expiring,
        only="upstream", installed=True,
    ),
)
