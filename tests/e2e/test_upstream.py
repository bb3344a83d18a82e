"""Upstream Istio on three clusters of their own lab: linked by remote secrets, both ways and one way."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mesh.lab import Lab, charts
from tests.conftest import lab_apart
from tests.lab.standin import hand
from tests.support.agreed import disagreements
from tests.support.identities import identity
from tests.support.voices import speaking

from .hands import Answer, Mesh, Tool, block, everything, home, kubectl_of

pytestmark = pytest.mark.long

CLUSTERS = ("cluster1", "cluster2", "cluster3")
FILE = """
apiVersion: mesh/v1
kind: Mesh
metadata: {name: demo}
spec:
  istio: {distribution: upstream, version: 1.29.1}
  defaults: {allowLoopback: true}
  clusters:
    - {name: cluster1, context: cluster1}
    - {name: cluster2, context: cluster2}
    - {name: cluster3, context: cluster3}
  links: full-mesh
"""
ONE_WAY = [{"between": ["cluster1", "cluster2"]}, {"from": "cluster1", "to": "cluster3"}]
SYSTEM = ("-n", "istio-system")
CLUSTER = "networking.istio.io/cluster"
READER = "istio-reader-service-account-istio-remote-secret-token"
REMOTE = "istio-remote-secret-{}"
REPORT = ("configmap", "lab-remote-clusters", "-n", "kube-public", "--ignore-not-found", "-o", "json")
LINKED = {
    "cluster1": {"cluster2", "cluster3"},
    "cluster2": {"cluster1", "cluster3"},
    "cluster3": {"cluster1", "cluster2"},
}
LINKED_ONE_WAY = {"cluster1": {"cluster2", "cluster3"}, "cluster2": {"cluster1"}, "cluster3": set()}
GENEROUS = 120.0
"""An API server goes on believing a token for some seconds after it was revoked."""

eventually = partial(hand.eventually, within=GENEROUS)


@dataclass(frozen=True, repr=False)
class Heard(Mesh):
    """A command line whose every word is kept."""

    said: list[str] = field(default_factory=list)

    def __call__(self, *args: str, env: Mapping[str, str | None] | None = None) -> Answer:
        answer = Mesh.__call__(self, *args, env=env)
        self.said.extend((answer.out, answer.err))
        return answer


@dataclass(frozen=True)
class Before:
    """What every cluster held before the first apply, and every token that a reader ever had."""

    objects: dict[str, set[str]]
    tokens: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def lab(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three clusters of one node."""
    with lab_apart(tmp_path_factory, "upstream", clusters=3) as one:
        yield one


@pytest.fixture(scope="module")
def kubectl(lab: Lab) -> Tool:
    return kubectl_of(lab)


@pytest.fixture(scope="module")
def before(lab: Lab, kubectl: Tool) -> Before:
    return Before({cluster: everything(kubectl, cluster) for cluster in CLUSTERS})


@pytest.fixture(scope="module")
def mesh(lab: Lab, before: Before, tmp_path_factory: pytest.TempPathFactory) -> Heard:
    """A mesh file of three upstream clusters that all know each other, and no licence; nothing is applied."""
    one = home(lab, tmp_path_factory.mktemp("upstream-home") / "home")
    source = charts.write(tmp_path_factory.mktemp("upstream-charts"), "1.29.1")
    env = {name: value for name, value in one.env.items() if name != "GLOO_MESH_LICENSE_KEY"}
    one.file.write_text(FILE)
    return Heard(one.folder, {**env, "MESH_CHART_SOURCE": str(source)})


def secrets(kubectl: Tool, cluster: str) -> set[str]:
    """The clusters that a cluster has a remote secret of."""
    names = kubectl(cluster, "get", "secret", *SYSTEM, "-l", "istio/multiCluster=true", "-o", "name").split()
    return {name.removeprefix("secret/istio-remote-secret-") for name in names}


def report(kubectl: Tool, cluster: str) -> dict[str, Any]:
    """What the stand-in istiod says of the clusters that it was told of."""
    found = json.loads(kubectl(cluster, "get", *REPORT) or "{}").get("data", {})
    return {name: json.loads(text) for name, text in found.items()}


def synced(kubectl: Tool, wanted: Mapping[str, set[str]]) -> None:
    """Wait until every istiod finds the services of just these clusters."""
    for cluster, others in wanted.items():
        good = {other: {"synced": True, "message": "synced"} for other in others}
        eventually(lambda cluster=cluster: report(kubectl, cluster), lambda seen, good=good: seen == good)


def token_of(kubectl: Tool, cluster: str) -> str:
    """The token by which the others read a cluster, "" if it has none."""
    found = kubectl(cluster, "get", "secret", READER, *SYSTEM, "--ignore-not-found", "-o", "json")
    data = json.loads(found or "{}").get("data", {})
    return b64decode(data.get("token", "")).decode()


def remote_secret(kubectl: Tool, cluster: str, target: str) -> str:
    """The kubeconfig by which a cluster reads another."""
    found = json.loads(kubectl(cluster, "get", "secret", REMOTE.format(target), *SYSTEM, "-o", "json"))
    return b64decode(found["data"][target]).decode()


def readers(kubectl: Tool, before: Before) -> set[str]:
    """The clusters that have a reader; their tokens are remembered."""
    found = {cluster: token for cluster in CLUSTERS if (token := token_of(kubectl, cluster))}
    before.tokens.update(found.values())
    return set(found)


def checked(mesh: Heard, name: str) -> dict[str, tuple[str, str]]:
    """What came of a check: by cluster its state and everything it found."""
    answer = mesh("check", "--only", name, "--json")
    results = json.loads(answer.out)["results"]
    return {
        each["cluster"]: (each["state"], "; ".join(found["says"] for found in each["findings"]))
        for each in results
    }


def found(mesh: Heard, name: str, cluster: str, text: str) -> None:
    """Wait until a check fails in one cluster with these words, and in no other."""
    eventually(lambda: checked(mesh, name)[cluster], lambda seen: seen[0] == "failed" and text in seen[1])
    assert {each for each, (state, _) in checked(mesh, name).items() if state == "failed"} == {cluster}


def passes(mesh: Heard, name: str) -> None:
    """Wait until a check passes wherever it is asked."""
    eventually(lambda: {state for state, _ in checked(mesh, name).values()}, lambda seen: seen == {"passed"})


def test_the_first_plan_needs_no_licence_and_says_what_is_known_later(mesh: Heard) -> None:
    plan = mesh("plan", "--detailed-exitcode")
    assert plan.code == 2, plan
    remote = block(plan.out, "remote/cluster1/cluster2")
    assert "token" in remote
    assert "(known after reader/cluster2/istio-reader)" in remote
    assert "secret/" not in plan.out.replace("cert/", "")


def test_a_full_mesh_is_linked_and_nothing_is_left_to_do(mesh: Heard, kubectl: Tool, before: Before) -> None:
    mesh.mended()
    for cluster in CLUSTERS:
        assert secrets(kubectl, cluster) == LINKED[cluster]
    assert readers(kubectl, before) == set(CLUSTERS)
    synced(kubectl, LINKED)


def test_a_renamed_cluster_keeps_its_links(mesh: Heard, kubectl: Tool) -> None:
    """Both ways: the remote secret in another cluster, and its own, are the same objects as before."""
    identity = {"context": "cluster1", "clusterName": "cluster1", "network": "cluster1"}
    text, before = mesh.file.read_text(), remote_uids(kubectl)
    mesh.edit(lambda spec: spec["clusters"][0].update(identity, name="renamed"))
    renamed = mesh("state", "rename", "cluster1", "renamed", "--yes")
    assert renamed.code == 0, renamed
    mesh.settled()
    assert {"remote/cluster2/renamed", "remote/renamed/cluster2"} <= mesh.lock()["resources"].keys()
    assert {state for state, _ in checked(mesh, "Q20").values()} == {"passed"}
    mesh.file.write_text(text)
    assert mesh("state", "rename", "renamed", "cluster1", "--yes").code == 0
    mesh.settled()
    assert remote_uids(kubectl) == before
    synced(kubectl, LINKED)


def remote_uids(kubectl: Tool) -> dict[str, str]:
    """The uids of the remote secrets, by cluster."""
    uids = ("-o", "jsonpath={.items[*].metadata.uid}")
    return {
        cluster: kubectl(cluster, "get", "secret", *SYSTEM, "-l", "istio/multiCluster=true", *uids)
        for cluster in CLUSTERS
    }


def test_status_shows_every_remote_secret(mesh: Heard) -> None:
    status = mesh("status", "--detailed-exitcode")
    assert status.code == 0, status
    assert "3 of 3 clusters ready, 6 of 6 links up" in status.out
    found = json.loads(mesh("status", "--json").out)
    peers = [(each["name"], peer["cluster"]) for each in found["clusters"] for peer in each["peers"]]
    assert peers == [(a, b) for a in CLUSTERS for b in CLUSTERS if a != b]


def test_a_remote_secret_is_told_with_who_wrote_it_and_what_it_needs(mesh: Heard) -> None:
    answer = mesh("why", "remote/cluster1/cluster2")
    assert answer.code == 0, answer
    assert answer.out.startswith("remote/cluster1/cluster2: in sync and ready\n")
    assert "mesh/remote" in answer.out
    waits = answer.out.partition("Waits for\n")[2]
    assert "reader/cluster2/istio-reader" in waits.partition("\n\n")[0]
    addresses = json.loads(mesh("output", "eastwest_addresses", "--json").out)
    assert len(set(addresses.values())) == 3


@pytest.mark.breaks("Q23")
def test_checks_of_upstream_pass_and_say_that_tokens_never_end(mesh: Heard, kubectl: Tool) -> None:
    for name in ("P21", "P24", "P26", "Q09"):
        passes(mesh, name)
    answer = mesh("check", "--only", "Q23", "--json")
    assert answer.code == 0, answer
    told = json.loads(answer.out)["results"]
    assert {(each["state"], each["severity"]) for each in told} == {("failed", "info")}
    assert "holds a token for cluster2 that never expires" in told[0]["findings"][0]["says"]
    for target in LINKED["cluster1"]:
        bound = kubectl(target, "create", "token", "istio-reader-service-account", *SYSTEM).strip()
        changed = remote_secret(kubectl, "cluster1", target).replace(token_of(kubectl, target), bound)
        put = {"stringData": {target: changed}}
        kubectl("cluster1", "patch", "secret", REMOTE.format(target), *SYSTEM, "-p", json.dumps(put))
    assert checked(mesh, "Q23")["cluster1"] == ("passed", "")
    mesh.mended()
    synced(kubectl, LINKED)


def test_who_may_read_no_secret_plans_as_of_the_last_apply(
    mesh: Heard, lab: Lab, kubectl: Tool, tmp_path: Path
) -> None:
    who = ("mesh-demo-plan", "--for", "plan", "--without-secrets")
    with identity(mesh, lab, tmp_path, *who) as env:
        plan = mesh("plan", "--detailed-exitcode", env=env)
        assert plan.code == 0, plan
        found = json.loads(mesh("plan", "--json", env=env).out)
        assert {"reader/cluster1/istio-reader", "remote/cluster1/cluster2"} <= set(found["as_of_last_apply"])
        secret = ("secret", REMOTE.format("cluster2"), *SYSTEM)
        kubectl("cluster1", "annotate", *secret, f"{CLUSTER}=x", "--overwrite")
        assert mesh("plan", "--detailed-exitcode").code == 2
        assert mesh("plan", "--detailed-exitcode", env=env).code == 0  # nobody else can see it
    mesh.mended()


@pytest.mark.breaks("P24")
def test_a_check_finds_an_istiod_that_joins_no_networks(mesh: Heard, kubectl: Tool) -> None:
    variable = ("set", "env", "deployment/istiod", *SYSTEM)
    kubectl("cluster2", *variable, "AMBIENT_ENABLE_MULTI_NETWORK=false")
    found(mesh, "P24", "cluster2", "istiod lacks AMBIENT_ENABLE_MULTI_NETWORK=true")
    kubectl("cluster2", *variable, "AMBIENT_ENABLE_MULTI_NETWORK=true")
    kubectl("cluster2", "rollout", "status", "deployment/istiod", *SYSTEM, "--timeout=120s")
    passes(mesh, "P24")
    synced(kubectl, LINKED)


@pytest.mark.breaks("P21")
def test_a_check_finds_trust_domains_that_differ(mesh: Heard, kubectl: Tool) -> None:
    config = ("configmap", "istio", *SYSTEM)
    before = json.loads(kubectl("cluster3", "get", *config, "-o", "json"))["data"]
    wrong = {
        "data": {"mesh": before["mesh"].replace("trustDomain: cluster.local", "trustDomain: else.local")}
    }
    assert wrong["data"]["mesh"] != before["mesh"]
    kubectl("cluster3", "patch", *config, "--type=merge", "-p", json.dumps(wrong))
    found(mesh, "P21", "-", "expected cluster.local in cluster3")
    kubectl("cluster3", "patch", *config, "--type=merge", "-p", json.dumps({"data": before}))
    passes(mesh, "P21")
    synced(kubectl, LINKED)


@pytest.mark.breaks("P26")
def test_a_check_finds_an_address_that_means_the_pod_itself(mesh: Heard) -> None:
    text = mesh.file.read_bytes()
    mesh.edit(lambda spec: spec.pop("defaults"))
    told = checked(mesh, "P26")
    assert {state for state, _ in told.values()} == {"failed"}
    assert "has loopback address https://127.0.0.1:" in told["cluster1"][1]
    mesh.file.write_bytes(text)
    passes(mesh, "P26")


def clusters_of(kubectl: Tool, cluster: str) -> str:
    """What an istiod answers on its port of what it knows, by what the stand-in has reported."""
    known = report(kubectl, cluster)
    told = {name: "synced" if each["synced"] else "timeout" for name, each in known.items()}
    return json.dumps([{"id": name, "syncStatus": status} for name, status in sorted(told.items())])


@pytest.mark.breaks("Q09", "Q10")
def test_a_revoked_token_is_found_and_mended(lab: Lab, mesh: Heard, kubectl: Tool, before: Before) -> None:
    with speaking(lab, "cluster1") as answers:
        answers["15014/debug/clusterz"] = lambda: clusters_of(kubectl, "cluster1")
        revoked(mesh, kubectl, before)
        eventually(lambda: checked(mesh, "Q10")["cluster1"][0], lambda state: state == "passed")
    assert {state for state, _ in checked(mesh, "Q10").values()} == {"skipped"}


def revoked(mesh: Heard, kubectl: Tool, before: Before) -> None:
    """Take the token of cluster2 away, see who misses it, and mend it."""
    old = token_of(kubectl, "cluster2")
    kubectl("cluster2", "delete", "secret", READER, *SYSTEM)
    refused = "its token is no longer accepted by cluster cluster2"
    eventually(lambda: mesh("plan").out, lambda out: out.count(refused) == 2)
    plan = mesh.pending().out
    assert "deleted outside mesh since the last apply" in block(plan, "reader/cluster2/istio-reader")
    for source in ("cluster1", "cluster3"):
        told = block(plan, f"remote/{source}/cluster2")
        assert refused in told
        assert "(known after reader/cluster2/istio-reader)" in told
    assert "Plan: 1 to add, 2 to change, 0 to destroy." in plan
    status = mesh("status", "--detailed-exitcode")
    assert status.code == 2, status
    assert "4 of 6 links up" in status.out
    assert status.out.count(refused) >= 2
    told = checked(mesh, "Q09")
    assert {name for name, (state, _) in told.items() if state == "failed"} == {"cluster1", "cluster3"}
    assert f"the link to cluster2: {refused}" in told["cluster1"][1]
    eventually(lambda: report(kubectl, "cluster1")["cluster2"], lambda seen: "401" in seen["message"])
    state, said = checked(mesh, "Q10")["cluster1"]
    assert (state, said) == ("failed", "istiod has not synced with cluster2: timeout")
    mesh.mended()
    assert token_of(kubectl, "cluster2") not in {"", old}
    assert readers(kubectl, before) == set(CLUSTERS)
    synced(kubectl, LINKED)
    passes(mesh, "Q09")


def test_a_remote_secret_without_its_label_is_drift(mesh: Heard, kubectl: Tool) -> None:
    label = ("secret", "istio-remote-secret-cluster3", *SYSTEM, "istio/multiCluster-")
    kubectl("cluster1", "label", *label)
    told = block(mesh.pending().out, "remote/cluster1/cluster3")
    assert "changed outside mesh" in told
    assert '+ metadata.labels.istio/multiCluster = "true"' in told
    status = mesh("status", "--detailed-exitcode")
    assert status.code == 2, status
    mesh.mended()
    assert secrets(kubectl, "cluster1") == LINKED["cluster1"]


def test_a_wrong_server_in_a_remote_secret_is_not_connected_for_all(mesh: Heard, kubectl: Tool) -> None:
    name = REMOTE.format("cluster2")
    changed = remote_secret(kubectl, "cluster1", "cluster2")
    server = next(line.split()[-1] for line in changed.splitlines() if "server:" in line)
    put = {"stringData": {"cluster2": changed.replace(server, "https://127.0.0.1:1")}}
    kubectl("cluster1", "patch", "secret", name, *SYSTEM, "-p", json.dumps(put))
    assert disagreements(mesh) == []
    why = f"stale: it leads to https://127.0.0.1:1, the API server of cluster2 is at {server}"
    found = json.loads(mesh("status", "--json").out)["clusters"][0]["peers"]
    row = next(each for each in found if each["link"] == "cluster2")
    assert (row["connected"], row["why"]) == ("False", why)
    assert f"the link to cluster2: {why}" in checked(mesh, "Q09")["cluster1"][1]
    mesh.mended()
    passes(mesh, "Q09")


def test_rights_taken_from_a_reader_are_given_back(mesh: Heard, kubectl: Tool) -> None:
    kubectl("cluster3", "delete", "clusterrolebinding", "istio-reader-clusterrole-istio-system")
    denied = "cluster cluster3 does not let its reader's token list its services"
    eventually(lambda: mesh("plan").out, lambda out: denied in out or "access.rights" in out)
    mesh.mended()
    synced(kubectl, LINKED)


def test_links_that_leave_the_file_are_removed_and_one_way_is_one_secret(
    mesh: Heard, kubectl: Tool, before: Before
) -> None:
    mesh.edit(lambda spec: spec.update(links=ONE_WAY))
    plan = mesh.pending().out
    assert "Plan: 0 to add, 0 to change, 3 to destroy." in plan
    for address in ("remote/cluster2/cluster3", "remote/cluster3/cluster1", "remote/cluster3/cluster2"):
        assert block(plan, address).startswith("will be destroyed")
    mesh.mended()
    for cluster in CLUSTERS:
        assert secrets(kubectl, cluster) == LINKED_ONE_WAY[cluster]
    assert readers(kubectl, before) == set(CLUSTERS)
    synced(kubectl, LINKED_ONE_WAY)
    assert "3 of 3 links up" in mesh("status").out


def test_a_cluster_that_nobody_calls_any_more_loses_its_reader(
    mesh: Heard, kubectl: Tool, before: Before
) -> None:
    mesh.edit(lambda spec: spec.update(links=[{"between": ["cluster1", "cluster2"]}]))
    plan = mesh.pending().out
    assert "Plan: 0 to add, 0 to change, 2 to destroy." in plan
    mesh.mended()
    assert readers(kubectl, before) == {"cluster1", "cluster2"}
    assert secrets(kubectl, "cluster1") == {"cluster2"}


def test_a_link_one_way_back_makes_its_reader_anew(mesh: Heard, kubectl: Tool, before: Before) -> None:
    mesh.edit(lambda spec: spec.update(links=ONE_WAY))
    mesh.mended()
    assert readers(kubectl, before) == set(CLUSTERS)
    synced(kubectl, LINKED_ONE_WAY)


def test_a_lost_record_is_rebuilt(mesh: Heard) -> None:
    wanted = set(mesh.lock()["resources"])
    (mesh.folder / "mesh.lock").unlink()
    answer = mesh("state", "rebuild")
    assert answer.code == 0, answer
    assert set(mesh.lock()["resources"]) == wanted
    mesh.settled()


def test_no_token_was_ever_said_or_written(mesh: Heard, kubectl: Tool, before: Before) -> None:
    mesh("plan", "--json")
    mesh("show", "--manifests", "--live")
    mesh("render", "--commands")
    mesh("state", "show", "--json")
    mesh("why", "remote/cluster1/cluster2", "--json")
    mesh("why", "reader/cluster2/istio-reader", "--json")
    mesh("history", "--steps")
    assert len(before.tokens) >= 5
    texts = [*mesh.said, *(path.read_text(errors="replace") for path in files(mesh.folder))]
    texts += [kubectl(cluster, "get", "configmap", "-A", "-o", "json") for cluster in CLUSTERS]
    assert (mesh.folder / ".mesh" / "backups").is_dir()
    for token in before.tokens:
        assert not any(part in text for text in texts for part in (token, token.split(".")[-1]))


def files(folder: Path) -> Iterator[Path]:
    """Every file below a user's folder."""
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def test_destroy_leaves_nothing_of_ours(mesh: Heard, kubectl: Tool, before: Before) -> None:
    answer = mesh("destroy", "--yes", "--crds")
    assert answer.code == 0, answer
    for cluster in CLUSTERS:
        eventually(lambda cluster=cluster: report(kubectl, cluster), lambda seen: seen == {})
        left = everything(kubectl, cluster) - before.objects[cluster]
        assert {line for line in left if not of_istiod(line)} == set(), answer


def of_istiod(line: str) -> bool:
    """Whether istiod (or the stand-in for it) made it, or a chart keeps it for ever."""
    kept = ("/istio-ca-root-cert", ".istio.io", "/lab-remote-clusters")
    return line.endswith(kept) or line.startswith("GatewayClass/")
