"""The checks that are asked between two clusters of a run and after it, as data."""

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
        "Q01", MID, ERROR, "istiod is available and stays up",
        f"{KUBECTL} -n {{namespace}} describe deploy/istiod", look=health.control_plane, installed=True,
        covers=(LINKERD,),
    ),
    Check(
        "Q02", MID, ERROR, "ztunnel and the CNI agent are ready on every node, of one image",
        f"{KUBECTL} get ds -A", look=health.on_every_node, installed=True, covers=(LINKERD,),
    ),
    Check(
        "Q03", MID, ERROR, "what ztunnel holds is of the root of trust in cacerts", APPLY,
        look=dataplane.signer, installed=True,
    ),
    Check(
        "Q04", POST, ERROR, "every namespace has the root of trust",
        f"{KUBECTL} -n {{namespace}} rollout restart deploy/istiod", look=trust.published,
        installed=True,
    ),
    Check(
        "Q05", MID, ERROR, "the certificates that ztunnel holds are valid",
        f"{KUBECTL} rollout restart ds/ztunnel", look=dataplane.leaves, installed=True,
        covers=(LINKERD,),
    ),
    Check(
        "Q06", POST, ERROR, "istiod's own clock of its CA agrees with cacerts",
        f"{KUBECTL} -n {{namespace}} rollout restart deploy/istiod", look=dataplane.ca_clock,
        installed=True,
    ),
    Check(
        "Q07", POST, WARNING, "istiod signs what it is asked to sign",
        f"{KUBECTL} -n {{namespace}} logs deploy/istiod", look=dataplane.ca_errors, installed=True,
    ),
    Check(
        "Q08", POST, ERROR, "istiod's webhook is believed and says yes",
        f"{KUBECTL} -n {{namespace}} rollout restart deploy/istiod", look=neighbours.believed,
        installed=True, covers=(LINKERD,),
    ),
    Check(
        "Q09", MID, ERROR, "remote secrets are whole, accepted, and for clusters of this mesh", APPLY,
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
        "Q12", MID, ERROR, "ztunnel knows the workloads of its peers", "mesh status",
        look=dataplane.knows_peers, installed=True,
    ),
    Check(
        "Q18", POST, WARNING, "no proxy refuses what istiod sends it",
        f"{KUBECTL} -n {{namespace}} logs deploy/istiod", look=dataplane.rejects, installed=True,
    ),
    Check(
        "Q19", POST, ERROR, "the traffic of every enrolled pod is redirected",
        f"{KUBECTL} get pods -A -o yaml", look=apps.captured, installed=True, covers=(LINKERD,),
    ),
    Check(
        "Q20", POST, WARNING, "nothing carries our mark that is not in the record", "mesh state rebuild",
        look=access.no_strays, covers=(LINKERD,),
    ),
    Check(
        "Q21", POST, WARNING, "istioctl analyze finds nothing", "istioctl analyze -A",
        look=dataplane.analysed, installed=True,
    ),
    Check(
        "Q22", POST, WARNING, "everything is as the file says", "mesh plan", compare=access.settled,
        planned=True,
    ),
    Check(
        "Q23", POST, INFO, "tokens in remote secrets end some day", APPLY, look=upstream.expiring,
        only="upstream", installed=True,
    ),
)
