"""The checks that run before an apply, as data."""

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
        offline=True, covers=(PRECHECK, LINKERD),
    ),
    Check(
        "P02", PRE, ERROR, "each context leads to the cluster that the state records",
        "kubectl config get-contexts", compare=access.pinned,
    ),
    Check(
        "P03", PRE, WARNING,
        "Kubernetes is new enough for Istio, and kubelets match the API server",
        f"{KUBECTL} get nodes", look=nodes.served, covers=(PRECHECK, LINKERD),
    ),
    Check(
        "P04", PRE, ERROR, "RBAC permits every planned write", "mesh rbac --for apply",
        look=access.permitted, needs="plan", covers=(PRECHECK, LINKERD),
    ),
    Check(
        "P05", PRE, WARNING, "the clocks of the cluster and of this machine agree",
        "chronyc tracking", look=access.in_time,
        covers=(LINKERD,),
    ),
    Check(
        "P06", PRE, WARNING,
        "no other run holds the lease, and the cluster's copy of the state is current", "mesh state show",
        look=access.free,
    ),
    Check(
        "P07", PRE, ERROR, "every node can run ztunnel and the CNI agent",
        f"{KUBECTL} describe nodes",
        look=nodes.fit,
    ),
    Check(
        "P08", PRE, ERROR, "quotas, limits and pod security admit the mesh's pods",
        f"{KUBECTL} get resourcequota,limitrange -A", look=nodes.allowed,
    ),
    Check(
        "P09", PRE, ERROR, "the cluster's CNI plugin works with the Istio CNI agent",
        f"{KUBECTL} -n kube-system get ds,cm", look=nodes.plugged,
    ),
    Check(
        "P10", PRE, ERROR, "no other Istio control plane is installed",
        f"{KUBECTL} get deploy -A -l app=istiod",
        look=neighbours.alone, covers=(LINKERD,),
    ),
    Check(
        "P11", PRE, ERROR, "every webhook that fails closed can answer",
        f"{KUBECTL} get validatingwebhookconfigurations,mutatingwebhookconfigurations",
        look=neighbours.webhooks, covers=(LINKERD,),
    ),
    Check(
        "P12", PRE, ERROR,
        "the Gateway API is served as v1, from one bundle, and no Helm release owns it",
        f"{KUBECTL} get crd gateways.gateway.networking.k8s.io -o yaml", look=neighbours.gateway_api,
        covers=(PRECHECK,),
    ),
    Check(
        "P13", PRE, ERROR, "the Istio CRDs belong to the mesh's base release",
        "set adopt: true for the cluster, then run mesh plan", look=neighbours.istio_crds,
        covers=(LINKERD,),
    ),
    Check(
        "P14", PRE, ERROR, "no Helm release is pending or failed", "mesh recover ADDRESS",
        look=neighbours.released,
    ),
    Check(
        "P15", PRE, ERROR, "the upgrade is one minor version, and no agent is newer than istiod", APPLY,
        look=versions.stepwise, waived_by="--allow-downgrade",
    ),
    Check(
        "P17", BOTH, ERROR, "istiod can sign with the Secret cacerts", APPLY, look=trust.usable,
        covers=(LINKERD,),
    ),
    Check(
        "P18", BOTH, ERROR, "all clusters have the same roots of trust", APPLY, compare=trust.one_root,
        covers=(LINKERD, MULTICLUSTER),
    ),
    Check(
        "P19", BOTH, WARNING, "every cluster has its own intermediate certificate",
        f"{KUBECTL} -n {{namespace}} get secret cacerts", compare=trust.own_intermediate,
    ),
    Check(
        "P20", BOTH, ERROR, "no root or intermediate certificate expires soon", APPLY, look=trust.lasting,
        covers=(LINKERD,),
    ),
    Check(
        "P21", BOTH, ERROR, "all clusters have the same trust domain",
        APPLY,
        compare=upstream.one_trust_domain, only="upstream",
    ),
    Check(
        "P22", BOTH, ERROR,
        "cluster names and networks are unique, and the mesh ID is the same", "mesh plan",
        compare=identity.one_mesh, covers=(MULTICLUSTER,),
    ),
    Check(
        "P23", BOTH, ERROR, "network labels match the cluster's network", APPLY,
        look=identity.network_label, covers=(MULTICLUSTER,),
    ),
    Check(
        "P24", BOTH, ERROR, "istiod runs in multi-network mode", APPLY,
        look=upstream.multi_network, only="upstream", installed=True,
    ),
    Check(
        "P25", PRE, ERROR, "the east-west gateway can get a load balancer",
        f"{KUBECTL} get svc -A --field-selector spec.type=LoadBalancer", look=reach.balanced,
        needs="dry runs",
    ),
    Check(
        "P26", PRE, ERROR, "no remote secret points at a loopback address",
        "set apiServer of the cluster in the mesh file, then run mesh apply",
        look=upstream.reachable, only="upstream",
    ),
    Check(
        "P27", PRE, ERROR, "clusters on one network have separate pod ranges",
        "set a different network for each cluster", compare=reach.apart,
    ),
    Check(
        "P28", BOTH, ERROR, "network policies let the mesh's ports through",
        f"{KUBECTL} get networkpolicy -A", look=reach.let_through, covers=(LINKERD,),
    ),
    Check(
        "P29", BOTH, WARNING, "every namespace uses one data plane mode",
        f"{KUBECTL} get ns -L istio.io/dataplane-mode,istio-injection,istio.io/rev", look=apps.enrolment,
    ),
    Check(
        "P30", PRE, WARNING, "a ztunnel restart interrupts no single-replica workload",
        f"{KUBECTL} get deploy,pdb -A", look=apps.restart, needs="plan",
    ),
    Check(
        "P31", BOTH, WARNING,
        "shared Services have the same scope, ports and waypoints in all clusters",
        "kubectl get services -A -l solo.io/service-scope", compare=apps.alike,
        covers=(MULTICLUSTER, LINKERD),
    ),
    Check(
        "P32", BOTH, INFO, "the number of workloads is within ztunnel's default limits",
        "upgrade to a version whose release notes raise ztunnel's gRPC limit, or split the mesh",
        compare=apps.scale,
    ),
    Check(
        "P33", BOTH, WARNING, "no deprecated setting is in use", "mesh validate", look=versions.current,
    ),
    Check(
        "P34", PRE, WARNING, "istioctl on PATH has the mesh's version and distribution",
        "istioctl version --remote=false", compare=versions.same_istioctl, needs="istioctl",
    ),
)
