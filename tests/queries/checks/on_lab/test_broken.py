"""Each check that the lab can decide: a real cluster is broken in that way, and fixed again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from mesh.queries.check import ON_REQUEST
from mesh.queries.checks.model import CheckStatus
from tests.lab.standin.guide import EDGE, SYSTEM
from tests.lab.standin.hand import eventually
from tests.queries.checks.on_lab.changes import (
    EASTWEST_POD,
    LICENCE_GONE,
    PEER,
    Change,
    asleep,
    awake,
    both,
    cacerts,
    environment,
    failed_upgrade,
    gone,
    held,
    kubectl,
    last_revision_gone,
    made,
    merged,
    nothing,
    peer,
    settled,
    shown,
    unlinked,
    without_key,
    ztunnel,
)
from tests.queries.checks.on_lab.conftest import Rig, says, states

FINE = {CheckStatus.PASSED, CheckStatus.NOT_APPLICABLE}
SCOPE = "solo.io/service-scope"


@dataclass(frozen=True)
class Break:
    """A change that breaks something, the one that fixes it, and what each check says in between.

    Once fixed, each check passes in some cluster; then `swept` removes what is left of the change.
    """

    title: str
    broken: Change
    fixed: Change
    says: Mapping[str, str]
    swept: Change = nothing


def labelled(name: str, labels: dict[str, str], kind: str = "Namespace", **more: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels}, **more}


def service(namespace: str, labels: dict[str, str]) -> dict[str, object]:
    meta = {"name": "shop", "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 80}]}}


def entry(name: str, labels: dict[str, str], address: str = "192.0.2.77") -> dict[str, object]:
    meta = {"name": name, "namespace": SYSTEM, "labels": labels}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": meta,
        "spec": {"address": address},
    }


SLEEPER = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "istiod-old",
        "namespace": "default",
        "labels": {"app": "istiod", "istio.io/rev": "old"},
    },
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "old"}},
        "template": {
            "metadata": {"labels": {"app": "old"}},
            "spec": {"containers": [{"name": "a", "image": "registry.invalid/a"}]},
        },
    },
}
HOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "left-behind"},
    "webhooks": [
        {
            "name": "left.behind.invalid",
            "clientConfig": {"service": {"name": "nobody", "namespace": "default", "path": "/"}},
            "rules": [
                {
                    "apiGroups": ["apiextensions.k8s.io"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["customresourcedefinitions"],
                }
            ],
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
    ],
}
LEASE = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "mesh-demo", "namespace": "kube-system"},
    "spec": {"holderIdentity": "somebody"},
}
CILIUM = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "cilium-config", "namespace": "kube-system"},
    "data": {"cni-exclusive": "true"},
}
CLOSED = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "only-web", "namespace": SYSTEM},
    "spec": {
        "podSelector": {"matchLabels": {"app": "istiod"}},
        "ingress": [{"ports": [{"port": 8080}]}],
        "policyTypes": ["Ingress"],
    },
}
ENROLLED = labelled("shop", {"istio.io/dataplane-mode": "ambient"})
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"containers": [{"name": "a", "image": "registry.invalid/a"}]},
}
STRAY = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {
        "name": "stray",
        "labels": {"meshform.io/mesh": "demo"},
        "annotations": {"meshform.io/address": "namespace/cluster1/stray"},
    },
}
TRUST, PREFERRED = "gateway.istio.io/trust-domain", "peering.solo.io/preferred-data-plane-service-type"
BUNDLE = "gateway.networking.k8s.io/bundle-version"
GATEWAYS = ("crd", "gateways.gateway.networking.k8s.io")
TWIN = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {
        "name": "twin",
        "namespace": "default",
        "labels": {"topology.istio.io/network": "cluster2", "topology.istio.io/cluster": "cluster2"},
    },
    "spec": {
        "gatewayClassName": "istio-remote",
        "listeners": [{"name": "xds-tls", "port": 15012, "protocol": "TLS", "tls": {"mode": "Passthrough"}}],
    },
}
ELSEWHERE = {"spec": {"addresses": [{"type": "IPAddress", "value": "203.0.113.9"}]}}
NOT_PROGRAMMED = '[{"op":"replace","path":"/status/conditions","value":[]}]'
NODE = "cluster1-node-1"


def annotated(key: str, value: str | None) -> dict[str, object]:
    return {"metadata": {"annotations": {key: value}}}


def relinked(rig: Rig) -> None:
    """Put the address of cluster2's gateway back into the peer of cluster1."""
    address = [{"type": "IPAddress", "value": rig.hand.address("cluster2")}]
    peer({"spec": {"addresses": address}})(rig)
    rig.hand.healthy("cluster1")


def at_a_pod(name: str) -> Change:
    """Let a WorkloadEntry of cluster1 stand for a pod that there is, in cluster2."""

    def done(rig: Rig) -> None:
        where = "jsonpath={.items[0].status.podIP}"
        address = rig.hand.kubectl("cluster2", "get", "pods", "-n", SYSTEM, "-l", "app=istiod", "-o", where)
        merged("workloadentry", name, {"spec": {"address": address}})(rig)

    return done


def xds_port(number: int) -> Change:
    """Another port in the second listener of the peer, the one of istiod."""
    change = [{"op": "replace", "path": "/spec/listeners/1/port", "value": number}]
    return kubectl(
        *(
            "patch",
            "gateway",
            PEER,
            "-n",
            EDGE,
            "--type=json",
            "-p",
            json.dumps(change),
            "--field-manager=mesh/link",
        )
    )


def a_node(change: str) -> Change:
    def done(rig: Rig) -> None:
        name = rig.hand.kubectl("cluster1", "get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
        rig.hand.kubectl(
            "cluster1", "patch", "node", name, "--subresource=status", "--type=merge", "-p", change
        )

    return done


OTHER_ROOT = cacerts(lambda rig: rig.root.intermediate("cluster2"))
NO_KEY = cacerts(without_key)
THE_OTHERS = cacerts(lambda rig: shown(rig, "cluster1"))
EXPIRED = cacerts(lambda rig: rig.root.expired())
HELD_ISTIOD, HELD_ZTUNNEL = held("app=istiod"), held("app=ztunnel")
HELD_GATEWAY = held(EASTWEST_POD, EDGE)
UNLINKED = unlinked()

BREAKS = (
    Break(
        "a kubelet of another age",
        a_node('{"status":{"nodeInfo":{"kubeletVersion":"v1.30.0"}}}'),
        a_node('{"status":{"nodeInfo":{"kubeletVersion":"v1.37.2"}}}'),
        {"P03": "runs kubelet 1.30, the API server is 1.37"},
    ),
    Break(
        "a lease", made(LEASE), gone(LEASE), {"P06": "Lease kube-system/mesh-demo is held by run somebody"}
    ),
    Break(
        "a node that is too small",
        a_node('{"status":{"allocatable":{"memory":"100Mi"}}}'),
        a_node('{"status":{"allocatable":{"memory":"256Gi"}}}'),
        {"P07": "has too little memory for ztunnel and the CNI agent"},
    ),
    Break(
        "pod security",
        kubectl("label", "ns", SYSTEM, "pod-security.kubernetes.io/enforce=baseline"),
        kubectl("label", "ns", SYSTEM, "pod-security.kubernetes.io/enforce-"),
        {"P08": f"namespace {SYSTEM} enforces pod security baseline"},
    ),
    Break("a CNI that is alone", made(CILIUM), gone(CILIUM), {"P09": "Cilium removes other CNI plugins"}),
    Break(
        "another istiod",
        made(SLEEPER),
        gone(SLEEPER),
        {"P10": "another istiod exists: Deployment default/istiod-old, revision old"},
    ),
    Break(
        "a webhook without a service",
        made(HOOK),
        gone(HOOK),
        {"P11": "webhook left.behind.invalid fails closed, but Service default/nobody has no ready endpoint"},
    ),
    Break(
        "two bundles of the Gateway API",
        kubectl("annotate", "--overwrite", *GATEWAYS, f"{BUNDLE}=v0.1.0"),
        lambda rig: kubectl(
            *("annotate", "--overwrite", *GATEWAYS),
            BUNDLE
            + "="
            + rig.hand.kubectl(
                *("cluster2", "get", *GATEWAYS, "-o"),
                "jsonpath={.metadata.annotations.gateway\\.networking\\.k8s\\.io/bundle-version}",
            ),
        )(rig),
        {"P12": "the Gateway API CRDs come from several bundles: v0.1.0"},
    ),
    Break(
        "CRDs of another release",
        kubectl(
            "annotate", "--overwrite", "crd/sidecars.networking.istio.io", "meta.helm.sh/release-name=old"
        ),
        kubectl(
            *("annotate", "--overwrite", "crd/sidecars.networking.istio.io"),
            "meta.helm.sh/release-name=istio-base",
        ),
        {"P13": "1 Istio CRDs belong to Helm release old, expected istio-base"},
    ),
    Break(
        "an upgrade that failed",
        failed_upgrade,
        last_revision_gone,
        {"P14": "Helm release ztunnel has been failed since"},
    ),
    Break(
        "a ztunnel that is newer than istiod",
        ztunnel("image", "istio-proxy=registry.invalid/ztunnel:1.31.0-solo"),
        ztunnel("image", "istio-proxy=us-docker.pkg.dev/soloio-img/istio/ztunnel:1.30.2-solo-distroless"),
        {
            "P15": "ztunnel is newer (1.31.0) than istiod (1.30.2)",
            "S07": "ztunnel runs image tag 1.31.0-solo, but its chart is 1.30.2-solo",
        },
    ),
    Break(
        "a community image",
        ztunnel("image", "istio-proxy=registry.invalid/ztunnel:1.30.2"),
        ztunnel("image", "istio-proxy=us-docker.pkg.dev/soloio-img/istio/ztunnel:1.30.2-solo-distroless"),
        {"S07": "ztunnel runs image tag 1.30.2: community images do not support peering"},
    ),
    Break("cacerts without its key", *NO_KEY, {"P17": "ca-key.pem"}),
    Break(
        "the same intermediate twice",
        *THE_OTHERS,
        {"P19": "cluster1 and cluster2 sign with the same"},
    ),
    Break(
        "another root",
        *OTHER_ROOT,
        {
            "P18": "the clusters have different roots of trust",
            "M07": "cluster1 does not trust certificates signed by cluster2",
            "Q04": "istio-ca-root-cert in namespace default differs from the root of trust in cacerts",
        },
    ),
    Break(
        "an intermediate that ended", *EXPIRED, {"P20": "the intermediate certificate expires on 2021-01-01"}
    ),
    Break(
        "one name for both",
        environment("CLUSTER_ID=cluster1", cluster="cluster2"),
        both(environment("CLUSTER_ID=cluster2", cluster="cluster2"), settled),
        {
            "P22": "cluster1 and cluster2 have the same cluster name, cluster1",
            "S03": "istiod has CLUSTER_ID=cluster1, expected cluster2",
        },
    ),
    Break(
        "no name",
        environment("CLUSTER_ID=Kubernetes", cluster="cluster2"),
        both(environment("CLUSTER_ID=cluster2", cluster="cluster2"), settled),
        {"S01": "cluster cluster2 has the cluster name Kubernetes"},
    ),
    Break(
        "no network label",
        kubectl("label", "ns", SYSTEM, "topology.istio.io/network-"),
        both(kubectl("label", "ns", SYSTEM, "topology.istio.io/network=cluster1"), settled),
        {"P23": f"namespace {SYSTEM} has no topology.istio.io/network, expected cluster1"},
    ),
    Break(
        "a policy that closes istiod",
        made(CLOSED),
        gone(CLOSED),
        {"P28": f"NetworkPolicy only-web in {SYSTEM} blocks port 15012"},
    ),
    Break(
        "sidecars and ambient",
        made(labelled("shop", {"istio.io/dataplane-mode": "ambient", "istio-injection": "enabled"})),
        gone(ENROLLED),
        {"P29": "namespace shop is enrolled in ambient mode, and has sidecar injection"},
    ),
    Break(
        "a service that only one cluster shares",
        both(
            made(service("default", {SCOPE: "global"})),
            made(service("default", {}), cluster="cluster2"),
        ),
        kubectl("label", "service", "shop", f"{SCOPE}=global", cluster="cluster2"),
        {"P31": "Service default/shop is shared, but not in cluster2"},
        swept=both(gone(service("default", {})), gone(service("default", {}), cluster="cluster2")),
    ),
    Break(
        "a scope by its old name",
        made(service("default", {SCOPE: "local"})),
        gone(service("default", {})),
        {"P33": f"service default/shop has {SCOPE}=local, which is deprecated: use {SCOPE}=cluster"},
    ),
    Break(
        "ztunnel in another network",
        ztunnel("env", "NETWORK=other"),
        ztunnel("env", "NETWORK=cluster1"),
        {"S02": "ztunnel has NETWORK=other, expected cluster1"},
    ),
    Break(
        "a peer of another trust domain",
        peer(annotated(TRUST, "cluster2")),
        both(peer(annotated(TRUST, "cluster2.local")), settled),
        {
            "S05": f"peer {EDGE}/{PEER} has {TRUST}=cluster2, but istiod of cluster2 ",
            "S12": f"peer {EDGE}/{PEER}: ",
        },
    ),
    Break("no licence", *LICENCE_GONE, {"S06": "is missing"}),
    Break(
        "two peers for one network",
        made(TWIN),
        both(gone(TWIN), settled),
        {
            "S09": "cluster1: peer default/twin is not in the namespace of cluster2's gateway",
            "S16": f"default/twin and {EDGE}/{PEER} are peers for the same network, cluster2",
        },
    ),
    Break(
        "a peer that leads elsewhere",
        peer(ELSEWHERE),
        relinked,
        {
            "S10": f"peer {EDGE}/{PEER} for cluster2 is stale: it leads to 203.0.113.9, the gateway is",
            "S12": f"peer {EDGE}/{PEER}: stale: it leads to 203.0.113.9",
        },
    ),
    Break(
        "a second writer",
        kubectl("annotate", "gateway", PEER, "-n", EDGE, "note=theirs"),
        kubectl("annotate", "gateway", PEER, "-n", EDGE, "note-"),
        {"S11": f"{EDGE}/{PEER} has several field managers: "},
    ),
    Break(
        "a workload entry of istiod with our mark",
        made(entry("autogen.mine", {"meshform.io/mesh": "demo"})),
        kubectl("label", "workloadentry", "autogen.mine", "-n", SYSTEM, "meshform.io/mesh-"),
        {"S13": f"{SYSTEM}/autogen.mine is generated by istiod, but has the label"},
        swept=gone(entry("autogen.mine", {})),
    ),
    Break(
        "a workload that outlived its pod",
        made(entry("autogenflat.gone", {})),
        at_a_pod("autogenflat.gone"),
        {"M06": f"{SYSTEM}/autogenflat.gone points at 192.0.2.77, which no pod has"},
        swept=gone(entry("autogenflat.gone", {})),
    ),
    Break(
        "a shared service without peers",
        both(UNLINKED[0], made(service("default", {SCOPE: "global"}))),
        UNLINKED[1],
        {"S14": "1 Services are shared, but the cluster has no peers"},
        swept=gone(service("default", {})),
    ),
    Break("no peer", *UNLINKED, {"S12": f"peer {EDGE}/{PEER}: missing"}),
    Break(
        "node ports without a port",
        peer(annotated(PREFERRED, "nodeport")),
        xds_port(31012),
        {"S15": "uses node ports, but lacks a node port in listener xds-tls"},
        swept=both(xds_port(15012), peer(annotated(PREFERRED, "loadbalancer")), settled),
    ),
    Break(
        "trust domains that are compared",
        environment("PILOT_SKIP_VALIDATE_TRUST_DOMAIN-"),
        both(environment("PILOT_SKIP_VALIDATE_TRUST_DOMAIN=true"), settled),
        {"S17": "istiod lacks PILOT_SKIP_VALIDATE_TRUST_DOMAIN=true"},
    ),
    Break(
        "no peering",
        environment("ENABLE_PEERING_DISCOVERY=false"),
        both(environment("ENABLE_PEERING_DISCOVERY=true"), settled),
        {"M01": "istiod has ENABLE_PEERING_DISCOVERY=false"},
    ),
    Break(
        "an istiod that is not ready",
        HELD_ISTIOD[0],
        both(HELD_ISTIOD[1], settled),
        {"Q01": "0 of 1 replicas are available", "M03": "ImagePullBackOff"},
    ),
    Break(
        "ztunnels that are not ready",
        *HELD_ZTUNNEL,
        {"Q02": "0 of 2 pods are ready", "M03": "ImagePullBackOff"},
    ),
    Break(
        "a gateway of another cluster",
        merged(
            *("gateway", "istio-eastwest", {"metadata": {"labels": {"topology.istio.io/cluster": "other"}}}),
            "--field-manager=mesh/gateway",
            namespace=EDGE,
        ),
        both(
            merged(
                *("gateway", "istio-eastwest"),
                {"metadata": {"labels": {"topology.istio.io/cluster": "cluster1"}}},
                "--field-manager=mesh/gateway",
                namespace=EDGE,
            ),
            settled,
        ),
        {"M08": f"gateway {EDGE}/istio-eastwest has topology.istio.io/cluster=other"},
    ),
    Break(
        "no DNS capture",
        merged("configmap", "istio-cni-config", {"data": {"AMBIENT_DNS_CAPTURE": "false"}}),
        merged("configmap", "istio-cni-config", {"data": {"AMBIENT_DNS_CAPTURE": "true"}}),
        {"M09": "the CNI agent does not capture DNS"},
    ),
    Break(
        "objects that istiod would restore, while it sleeps",
        both(
            asleep,
            kubectl("delete", "configmap", "istio-ca-root-cert", "-n", "default"),
            kubectl(
                *("patch", "gateway", "istio-eastwest", "-n", EDGE, "--subresource=status"),
                *("--type=json", "-p", NOT_PROGRAMMED),
            ),
            lambda rig: kubectl(
                *(
                    "patch",
                    "validatingwebhookconfiguration",
                    f"istio-validator-{SYSTEM}",
                    "--type=json",
                    "-p",
                ),
                '[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]',
            )(rig),
        ),
        awake,
        {
            "Q04": "namespace default has no ConfigMap istio-ca-root-cert",
            "Q08": "the caBundle of webhook rev.validation.istio.io does not contain istiod's root of trust",
            "Q11": f"gateway {EDGE}/istio-eastwest: ",
        },
    ),
    Break(
        "a pod beside the mesh",
        both(made(ENROLLED), kubectl("create", "serviceaccount", "none", "-n", "shop"), made(POD)),
        kubectl("annotate", "pod", "web", "-n", "shop", "ambient.istio.io/redirection=enabled"),
        {"Q19": "pod shop/web is enrolled, but its traffic is not redirected"},
        swept=gone(ENROLLED),
    ),
    Break("a stray", made(STRAY), gone(STRAY), {"Q20": "namespace/cluster1/stray"}),
)


def test_all_is_well_before_anything_is_broken(rig: Rig) -> None:
    """Nothing fails, and nothing is passed over but for these reasons."""
    report = rig.report()
    assert [f"{each.check.id} {each.findings}" for each in report.results if each.findings] == []
    skipped = {each.check.id: each.why for each in report.results if each.state is CheckStatus.SKIPPED}
    assert skipped == {
        **dict.fromkeys(("M02", "Q03", "Q05", "Q06", "Q07", "Q18"), "no data plane"),
        **dict.fromkeys(("P04", "P30"), "no plan was asked for"),
        "Q21": ON_REQUEST,
    }


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(each, id=each.title.replace(" ", "-"), marks=pytest.mark.breaks(*each.says))
        for each in BREAKS
    ],
)
def test_what_is_broken_is_found_and_what_is_fixed_passes(rig: Rig, one: Break) -> None:
    one.broken(rig)
    try:
        eventually(
            lambda: {name: says(found) for name, found in rig.results(*one.says).items()},
            lambda seen: all(text in seen[name] for name, text in one.says.items()),
        )
    finally:
        one.fixed(rig)
    eventually(
        lambda: {name: (states(found), says(found)) for name, found in rig.results(*one.says).items()},
        lambda seen: all(found <= FINE and CheckStatus.PASSED in found for found, _ in seen.values()),
    )
    one.swept(rig)
