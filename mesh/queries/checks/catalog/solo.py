"""The checks of what peering needs, and of what `istioctl multicluster check` looks at besides, as data."""

# fmt: off
from __future__ import annotations

from mesh.queries.checks.catalog.words import (
    APPLY,
    BOTH,
    ERROR,
    KUBECTL,
    LINKERD,
    MID,
    MULTICLUSTER,
    POST,
    PRE,
    WARNING,
)
from mesh.queries.checks.model import Check
from mesh.queries.checks.rules import (
    apps,
    dataplane,
    distributed,
    generated,
    health,
    identity,
    links,
    peering,
    trust,
    versions,
)

SOLO = (
    Check(
        "S01", PRE, ERROR, "every cluster has a name that peers can use",
        "set clusterName of the cluster", compare=identity.named, covers=(MULTICLUSTER,),
    ),
    Check(
        "S02", BOTH, ERROR, "istiod and ztunnel are told the cluster's network", APPLY,
        look=identity.network, installed=True, covers=(MULTICLUSTER,),
    ),
    Check(
        "S03", BOTH, ERROR, "istiod and ztunnel are told the cluster's name", APPLY,
        look=identity.cluster_name, installed=True,
    ),
    Check(
        "S05", POST, ERROR, "peers name the trust domain that the other istiod gives out", APPLY,
        compare=peering.trust_domains, only="solo",
    ),
    Check(
        "S06", BOTH, ERROR, "the licence is there, under a key that istiod reads", APPLY,
        look=peering.licensed, only="solo", installed=True, covers=(MULTICLUSTER,),
    ),
    Check(
        "S07", BOTH, ERROR, "images are those of the distribution, and of the chart's version", APPLY,
        look=versions.tagged,
    ),
    Check(
        "S09", POST, ERROR, "east-west gateways and peers are in one namespace everywhere", APPLY,
        compare=links.one_namespace, only="solo",
    ),
    Check(
        "S10", POST, ERROR, "peers lead to where the other gateway is now", APPLY,
        compare=links.addressed, only="solo",
    ),
    Check(
        "S11", POST, WARNING, "each gateway and peer has one writer",
        f"{KUBECTL} get gateway -A -o yaml --show-managed-fields", look=links.one_writer,
    ),
    Check(
        "S12", MID, ERROR, "every peer is connected and in sync", "mesh status", look=links.peers,
        only="solo", installed=True, covers=(MULTICLUSTER,),
    ),
    Check(
        "S13", POST, WARNING, "no WorkloadEntry that istiod made is claimed by a mesh",
        f"{KUBECTL} get workloadentry -A --show-labels", look=generated.untouched,
    ),
    Check(
        "S14", BOTH, WARNING, "services are shared only where peers are",
        f"{KUBECTL} get svc -A -l solo.io/service-scope", look=apps.led_somewhere, only="solo",
    ),
    Check(
        "S15", BOTH, ERROR, "peers by node port say all that they must", APPLY, look=links.by_node_port,
        only="solo",
    ),
    Check(
        "S16", BOTH, ERROR, "peers are made by hand or by istiod, one for each network",
        f"{KUBECTL} get gateway -A -L topology.istio.io/network", look=links.one_way_of_linking,
        only="solo", installed=True,
    ),
    Check(
        "S17", BOTH, ERROR, "where trust domains differ, istiod and ztunnel do not compare them", APPLY,
        compare=peering.skips_validation, only="solo",
    ),
    Check(
        "S18", POST, ERROR, "what the management plane distributes is there and not stale",
        f"{KUBECTL} get gateway -A -l topology.istio.io/network", look=distributed.distributed,
        only="solo", installed=True,
    ),
)

MULTI = (
    Check(
        "M01", MID, ERROR, "istiod takes part in peering", APPLY, look=peering.compatible, only="solo",
        installed=True, covers=(MULTICLUSTER,),
    ),
    Check(
        "M02", POST, ERROR, "istiod finds its licence valid", APPLY, look=dataplane.licence, only="solo",
        installed=True, covers=(MULTICLUSTER,),
    ),
    Check(
        "M03", MID, ERROR, "pods of istiod, ztunnel and the gateway run and are ready",
        f"{KUBECTL} get pods -A -l 'app in (istiod,ztunnel)'", look=health.pods_ready, installed=True,
        covers=(MULTICLUSTER, LINKERD),
    ),
    Check(
        "M06", POST, WARNING, "no workload of another cluster outlived its pod",
        f"{KUBECTL} -n {{namespace}} rollout restart deploy/istiod", compare=generated.no_stale_workloads,
        only="solo", covers=(MULTICLUSTER, LINKERD),
    ),
    Check(
        "M07", POST, ERROR, "every cluster believes what the others sign", APPLY,
        compare=trust.compatible, covers=(MULTICLUSTER, LINKERD),
    ),
    Check(
        "M08", POST, ERROR, "gateways and their pods are in the cluster's network", APPLY,
        look=peering.gateway_networks, installed=True, covers=(MULTICLUSTER,),
    ),
    Check(
        "M09", POST, ERROR, "the CNI agent captures DNS", APPLY, look=peering.dns_capture,
        only="solo", installed=True, covers=(MULTICLUSTER,),
    ),
)
