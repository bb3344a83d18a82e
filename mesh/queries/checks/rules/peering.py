"""Checks of the settings that peering needs: trust domains, the licence, environment variables."""

from __future__ import annotations

from mesh.istio.addresses import chart_key, gateway_key, licence_key, link_key
from mesh.istio.names import NETWORK
from mesh.istio.solo import CLUSTER, LICENCE_KEYS, REMOTE_CLASS, TRUST_DOMAIN, licence_secret
from mesh.queries.checks.facts import (
    ClusterFacts,
    MeshFacts,
    annotated,
    daemon,
    eastwest_gateways,
    environment,
    istiod,
    labels,
    of_class,
    place,
    setting,
    shown,
    true,
    trust_domain,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Skip
from mesh.queries.checks.paste import pasted
from mesh.queries.checks.rules.identity import CONTROL_PLANE

ISTIOD_SKIPS, ZTUNNEL_SKIPS = "PILOT_SKIP_VALIDATE_TRUST_DOMAIN", "SKIP_VALIDATE_TRUST_DOMAIN"


def trust_domains(scene: MeshFacts) -> Findings:
    """S05: verify that every peer has the trust domain that the remote istiod issues.

    It is part of the SPIFFE identity expected of the remote gateway; one letter off, and ztunnel reports
    `identity verification error`.
    """
    by_network = {each.cluster.network: each for each in scene.clusters.values()}
    domains = scene.gather(trust_domain)
    compared = 0
    for name, peers in scene.gather(lambda facts: of_class(facts, REMOTE_CLASS)).items():
        facts = scene.clusters[name]
        for peer in peers:
            target = by_network.get(labels(peer).get(NETWORK, ""))
            if target is None or target.name not in domains:
                continue
            compared += 1
            told = annotated(peer).get(TRUST_DOMAIN, "")
            if told != domains[target.name]:
                yield Finding(
                    f"{facts.name}: peer {shown(peer)} has {setting(TRUST_DOMAIN, told)}, but istiod of"
                    f" {target.name} issues {domains[target.name]}",
                    {
                        "cluster": facts.name,
                        "peer": shown(peer),
                        "annotation": told,
                        "istiod": domains[target.name],
                    },
                    link_key(facts.name, target.name),
                )
    if not compared:
        raise NotApplicable("no peer exists yet")


def skips_validation(scene: MeshFacts) -> Findings:
    """S17: verify that istiod and ztunnel do not validate trust domains where these differ.

    Otherwise each rejects the certificates of the other clusters.
    """
    domains = scene.gather(trust_domain)
    if len(set(domains.values())) < 2:
        raise NotApplicable("all clusters have the same trust domain")
    for component, variable in (("istiod", ISTIOD_SKIPS), ("ztunnel", ZTUNNEL_SKIPS)):
        told = scene.gather(lambda facts, run=CONTROL_PLANE[component]: environment(run(facts)))  # type: ignore[misc]
        for name, env in told.items():
            if not true(env.get(variable, "")):
                yield Finding(
                    f"{name}: trust domains differ, but {component} lacks {variable}=true",
                    {"cluster": name, "component": component, "variable": variable},
                    chart_key(name, component),
                )


def licensed(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S06: verify that the licence Secret has a value under one of the keys that istiod reads.

    An installation without a licence succeeds; peering then fails.
    """
    istiod(facts)
    wanted = licence_secret(scene.mesh, facts.cluster)
    found = facts.named("secrets", wanted.namespace, wanted.name)
    where = f"{wanted.namespace}/{wanted.name}"
    about = licence_key(facts.name, wanted.name)
    if found is None:
        yield Finding(f"the licence Secret {where} is missing", {"secret": where}, about)
    elif not set(LICENCE_KEYS) & set(found["keys"]):
        yield Finding(
            f"Secret {where} has no value under any of the keys {', '.join(LICENCE_KEYS)}",
            {"secret": where, "keys": found["keys"], "accepted": list(LICENCE_KEYS)},
            about,
        )


PEERING, SELECT = "ENABLE_PEERING_DISCOVERY", "K8S_SELECT_WORKLOAD_ENTRIES"


def compatible(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """M01: verify that peering is enabled in istiod.

    It needs ENABLE_PEERING_DISCOVERY on, and K8S_SELECT_WORKLOAD_ENTRIES not switched off.
    """
    del scene
    env = environment(istiod(facts))
    for name, good in ((PEERING, true(env.get(PEERING, ""))), (SELECT, true(env.get(SELECT, "true")))):
        if not good:
            yield Finding(
                f"istiod has {setting(name, env.get(name))}, so it does not take part in peering",
                {"variable": name, "value": env.get(name, "")},
                chart_key(facts.name, "istiod"),
            )


def gateway_networks(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """M08: verify that the east-west gateway and its pods have the cluster's name and network.

    Pods keep the network that they were started with. A wrong label on istiod's namespace (P23) is its cause:
    pods that were restarted before it is right would only get the wrong network again.
    """
    namespace = facts.named("namespaces", "", facts.namespace) or {"metadata": {}}
    own = facts.cluster.network
    label = labels(namespace).get(NETWORK, own)
    cause = (
        f"; first fix check P23: namespace {facts.namespace} has {NETWORK}={label}" if label != own else ""
    )
    restart = "kubectl --context {{context}} -n {space} rollout restart deploy"
    own_name = facts.cluster.cluster_name
    gateways = eastwest_gateways(scene, facts)
    if not gateways:
        raise NotApplicable("no east-west gateway exists yet")
    for obj in gateways:
        if labels(obj).get(CLUSTER, own_name) != own_name:
            yield Finding(
                f"gateway {shown(obj)} has {CLUSTER}={labels(obj)[CLUSTER]}, expected {own_name}",
                {"gateway": shown(obj), "cluster": labels(obj)[CLUSTER]},
                gateway_key(facts.name, place(obj)[1]),
            )
    for pod in facts.rows("gateway pods"):
        told = environment(pod)
        found = told.get("ISTIO_META_NETWORK") or told.get("NETWORK")
        if found is None and place(pod)[0] == facts.cluster.eastwest.namespace:
            raise Skip(f"pod {shown(pod)} has no variable for its network")
        if found not in {None, own}:
            yield Finding(
                f"pod {shown(pod)} has network {found}, expected {own}{cause}",
                {"pod": shown(pod), "network": found, "expected": own},
                fix="" if cause else restart.format(space=pasted(pod)[0]),
            )


def dns_capture(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """M09: verify that the CNI agent captures DNS.

    Names under mesh.internal exist only in ztunnel's DNS; without capture they do not resolve.
    """
    del scene
    daemon(facts, "cni")
    where = facts.cluster.charts["cni"].namespace
    config = (facts.named("configs", where, "istio-cni-config") or {}).get("data") or {}
    if not true(config.get("AMBIENT_DNS_CAPTURE", "")):
        yield Finding(
            "the CNI agent does not capture DNS: names under mesh.internal do not resolve",
            {"AMBIENT_DNS_CAPTURE": config.get("AMBIENT_DNS_CAPTURE", "")},
            chart_key(facts.name, "cni"),
        )
