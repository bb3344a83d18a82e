"""The checks that are asked before a run, as data."""

# fmt: off
from __future__ import annotations

from mesh.queries.checks.catalog.words import (
    APPLY,
    BOTH,
    ERROR,
    INFO,
    KUBECTL,
    LINKERD,
    MULTICLUSTER,
    PRE,
    PRECHECK,
    WARNING,
)
from mesh.queries.checks.model import Check
from mesh.queries.checks.rules import (
    access,
    apps,
    identity,
    neighbours,
    nodes,
    reach,
    trust,
    upstream,
    versions,
)

PRE_FLIGHT = (
    Check(
        "P01", PRE, ERROR, "the API server answers", f"{KUBECTL} get --raw /readyz", look=access.answers,
        covers=(PRECHECK, LINKERD),
    ),
    Check(
        "P02", PRE, ERROR, "every context leads to the cluster it always led to",
        "kubectl config get-contexts", compare=access.pinned,
    ),
    Check(
        "P03", PRE, WARNING, "Kubernetes is neither too old for Istio nor for its own nodes",
        f"{KUBECTL} get nodes", look=nodes.served, covers=(PRECHECK, LINKERD),
    ),
    Check(
        "P04", PRE, ERROR, "every planned write is permitted", "mesh rbac --for apply",
        look=access.permitted, planned=True, covers=(PRECHECK, LINKERD),
    ),
    Check(
        "P05", PRE, WARNING, "the clocks agree", "chronyc tracking", look=access.in_time,
        covers=(LINKERD,),
    ),
    Check(
        "P06", PRE, WARNING, "nobody else is at work, and the record is the newest", "mesh state show",
        look=access.free,
    ),
    Check(
        "P07", PRE, ERROR, "every node takes ztunnel and the CNI agent, and is large enough",
        f"{KUBECTL} describe nodes",
        look=nodes.fit,
    ),
    Check(
        "P08", PRE, ERROR, "quotas, limits and pod security let the mesh's pods in",
        f"{KUBECTL} get resourcequota,limitrange -A", look=nodes.allowed,
    ),
    Check(
        "P09", PRE, ERROR, "the cluster's CNI plugin lets another one in",
        f"{KUBECTL} -n kube-system get ds,cm", look=nodes.plugged,
    ),
    Check(
        "P10", PRE, ERROR, "no other Istio is there", f"{KUBECTL} get deploy -A -l app=istiod",
        look=neighbours.alone, covers=(LINKERD,),
    ),
    Check(
        "P11", PRE, ERROR, "every webhook that must be asked can answer",
        f"{KUBECTL} get validatingwebhookconfigurations,mutatingwebhookconfigurations",
        look=neighbours.webhooks, covers=(LINKERD,),
    ),
    Check(
        "P12", PRE, ERROR, "the Gateway API is served, of one bundle, and nobody's Helm release",
        f"{KUBECTL} get crd gateways.gateway.networking.k8s.io -o yaml", look=neighbours.gateway_api,
        covers=(PRECHECK,),
    ),
    Check(
        "P13", PRE, ERROR, "the Istio CRDs belong to our release",
        "set adopt: true for the cluster, and run mesh plan", look=neighbours.istio_crds,
        covers=(LINKERD,),
    ),
    Check(
        "P14", PRE, ERROR, "no Helm release is pending or failed", "mesh recover ADDRESS",
        look=neighbours.released,
    ),
    Check(
        "P15", PRE, ERROR, "one minor version at a time, and nothing newer than istiod", APPLY,
        look=versions.stepwise,
    ),
    Check(
        "P17", BOTH, ERROR, "cacerts is something istiod can sign with", APPLY, look=trust.usable,
        covers=(LINKERD,),
    ),
    Check(
        "P18", BOTH, ERROR, "all clusters have the same roots of trust", APPLY, compare=trust.one_root,
        covers=(LINKERD, MULTICLUSTER),
    ),
    Check(
        "P19", BOTH, WARNING, "every cluster signs with an intermediate of its own",
        f"{KUBECTL} -n {{namespace}} get secret cacerts", compare=trust.own_intermediate,
    ),
    Check(
        "P20", BOTH, ERROR, "no root or intermediate expires soon", APPLY, look=trust.lasting,
        covers=(LINKERD,),
    ),
    Check(
        "P21", BOTH, ERROR, "all clusters have one trust domain", "set one trustDomain for all clusters",
        compare=upstream.one_trust_domain, only="upstream",
    ),
    Check(
        "P22", BOTH, ERROR, "one mesh: no name and no network twice", "mesh plan",
        compare=identity.one_mesh, covers=(MULTICLUSTER,),
    ),
    Check(
        "P23", BOTH, ERROR, "network labels say the cluster's network, and no other does", APPLY,
        look=identity.network_label, covers=(MULTICLUSTER,),
    ),
    Check(
        "P24", BOTH, ERROR, "istiod is told to work over several networks", APPLY,
        look=upstream.multi_network, only="upstream", installed=True,
    ),
    Check(
        "P25", PRE, ERROR, "the east-west gateway can get a load balancer",
        f"{KUBECTL} get svc -A --field-selector spec.type=LoadBalancer", look=reach.balanced,
    ),
    Check(
        "P26", PRE, ERROR, "remote secrets name API servers that are not the pod itself", APPLY,
        look=upstream.reachable, only="upstream",
    ),
    Check(
        "P27", PRE, ERROR, "clusters of one network have addresses of their own",
        "give each cluster its own network", compare=reach.apart,
    ),
    Check(
        "P28", BOTH, ERROR, "network policies let the mesh's ports through",
        f"{KUBECTL} get networkpolicy -A", look=reach.let_through, covers=(LINKERD,),
    ),
    Check(
        "P29", BOTH, WARNING, "namespaces are enrolled in one way only",
        f"{KUBECTL} get ns -L istio.io/dataplane-mode,istio-injection,istio.io/rev", look=apps.enrolment,
    ),
    Check(
        "P30", PRE, WARNING, "a ztunnel restart is felt by nobody who stands alone",
        f"{KUBECTL} get deploy,pdb -A", look=apps.restart, planned=True,
    ),
    Check(
        "P31", BOTH, WARNING, "what is shared is shared alike in every cluster",
        "kubectl label svc … solo.io/service-scope=global", compare=apps.alike,
        covers=(MULTICLUSTER, LINKERD),
    ),
    Check(
        "P32", BOTH, INFO, "the mesh is small enough for the defaults",
        "upgrade to a version whose notes lift ztunnel's gRPC limit", compare=apps.scale,
    ),
    Check(
        "P33", BOTH, WARNING, "nothing in use is deprecated", "mesh validate", look=versions.current,
    ),
    Check(
        "P34", PRE, WARNING, "an istioctl on PATH is of the mesh's version and distribution",
        "istioctl version --remote=false", compare=versions.same_istioctl,
    ),
)
