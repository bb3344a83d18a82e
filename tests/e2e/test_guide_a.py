"""Guide A on a lab of two: meshes that helm installed are imported, upgraded in place, linked, given back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mesh.lab import Lab, charts, gateway_api_crds
from mesh.sdk.rollout_status import why_not
from tests.conftest import output
from tests.support.identities import identity, tried

from .hands import Mesh, block, home

OLD, NEW, NEXT = "1.29.3-solo", "1.30.2-solo", "1.31.0-solo"
CLUSTERS = ("cluster1", "cluster2")
CONFIRMED = ("--confirm", "cluster1", "--confirm", "cluster2")
HOMES = {
    "cluster1": dict.fromkeys(charts.CHARTS, "istio-system"),
    "cluster2": {"base": "mesh-sys", "istiod": "mesh-sys", "cni": "kube-system", "ztunnel": "kube-system"},
}
RELEASES = {"base": "the-base", "istiod": "odd-istiod", "cni": "odd-cni", "ztunnel": "odd-zt"}
IMAGES: Mapping[str, Any] = {"hub": "my.hub/istio", "tag": OLD}
LICENCE = "a-licence-in-clear-text"


def values(cluster: str) -> dict[str, dict[str, Any]]:
    """What the users of these meshes set, by chart."""
    where = HOMES[cluster]
    istiod: dict[str, Any] = {
        "profile": "ambient",
        "global": {**IMAGES, "istioNamespace": where["istiod"]},
        "trustedZtunnelNamespace": where["ztunnel"],
        "meshConfig": {"accessLogFile": "/dev/stderr"},
        "env": {"MY_OWN": "yes"},
        "podLabels": {"team": "platform"},
    }
    if cluster == "cluster1":
        istiod["license"] = {"value": LICENCE}
    return {
        "base": {"profile": "ambient", "global": {"istioNamespace": where["istiod"]}},
        "istiod": istiod,
        "cni": {"profile": "ambient", "global": dict(IMAGES), "ambient": {"ipv6": False}, "resources": None},
        "ztunnel": {
            "profile": "ambient",
            **IMAGES,
            "istioNamespace": where["istiod"],
            "logLevel": "debug",
            "terminationGracePeriodSeconds": 77,
        },
    }


@dataclass(frozen=True)
class Hand:
    """The lab's own kubectl and helm."""

    lab: Lab
    old: Path

    def kubectl(self, cluster: str, *args: str, stdin: str = "") -> str:
        return self._run("kubectl", "--context", cluster, *args, stdin=stdin)

    def helm(self, cluster: str, *args: str, stdin: str = "") -> str:
        return self._run("helm", "--kube-context", cluster, *args, stdin=stdin)

    def install(self, cluster: str) -> None:
        """A single-cluster ambient mesh, as its users have it."""
        self.kubectl(cluster, "apply", "--server-side", "-f", str(gateway_api_crds()))
        self.kubectl(cluster, "wait", "--for=condition=Established", "crd", "--all", "--timeout=100s")
        for chart, own in values(cluster).items():
            where = ("-n", HOMES[cluster][chart], "--create-namespace", "-f", "-")
            source = str(self.old / chart)
            self.helm(cluster, "install", RELEASES[chart], source, *where, stdin=json.dumps(own))
        for namespace in sorted(set(HOMES[cluster].values())):
            self.settled(cluster, namespace)

    def settled(self, cluster: str, namespace: str) -> None:
        """Wait until every rollout of a namespace is done."""
        for each in self.kubectl(
            cluster, "get", "deployment,daemonset", "-n", namespace, "-o", "name"
        ).split():
            self.kubectl(cluster, "rollout", "status", each, "-n", namespace, "--timeout=100s")

    def lagging(self, cluster: str, namespace: str) -> list[str]:
        """The workloads of a namespace that do not do, this moment, what was last asked of them."""
        listed = self.kubectl(cluster, "get", "deployment,daemonset", "-n", namespace, "-o", "json")
        return [
            each["metadata"]["name"] for each in json.loads(listed)["items"] if why_not(each, 0, lambda _: [])
        ]

    def upgrade(self, cluster: str, chart: str, *args: str) -> None:
        """What somebody types who does not know of mesh."""
        source, where = str(charts.chart(chart)), ("-n", HOMES[cluster][chart])
        self.helm(cluster, "upgrade", RELEASES[chart], source, *where, "--reuse-values", *args)
        self.settled(cluster, HOMES[cluster][chart])

    def values(self, cluster: str, chart: str) -> Any:
        where = ("-n", HOMES[cluster][chart], "-o", "json")
        return json.loads(self.helm(cluster, "get", "values", RELEASES[chart], *where))

    def releases(self, cluster: str) -> dict[str, tuple[str, str, str]]:
        """By name: namespace, chart and status."""
        listed = json.loads(self.helm(cluster, "list", "-A", "-o", "json"))
        return {each["name"]: (each["namespace"], each["chart"], each["status"]) for each in listed}

    def revisions(self, cluster: str) -> dict[str, str]:
        listed = json.loads(self.helm(cluster, "list", "-A", "-o", "json"))
        return {each["name"]: each["revision"] for each in listed}

    def images(self, cluster: str, chart: str) -> set[str]:
        """What every pod of a chart runs, but for those that are on their way out."""
        label = {"istiod": "app=istiod", "cni": "k8s-app=istio-cni-node", "ztunnel": "app=ztunnel"}[chart]
        where = ("-n", HOMES[cluster][chart], "-l", label)
        told = "{.metadata.deletionTimestamp}|{.spec.containers[0].image}"
        path = "jsonpath={range .items[*]}" + told + "{'\\n'}{end}"
        pods = self.kubectl(cluster, "get", "pods", *where, "-o", path).split()
        return {pod.removeprefix("|") for pod in pods if pod.startswith("|")}

    def root(self, cluster: str, namespace: str) -> str:
        """The root of trust that the workloads of a namespace are given."""
        where = ("configmap", "istio-ca-root-cert", "-n", namespace)
        return self.kubectl(cluster, "get", *where, "-o", "jsonpath={.data.root-cert\\.pem}")

    def _run(self, program: str, *args: str, stdin: str = "") -> str:
        return output(self.lab, [program, *args], stdin, timeout=150)


@pytest.fixture(scope="module")
def hand(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    one = Lab.open("guide-a", folder=tmp_path_factory.mktemp("guide-a") / "state")
    try:
        one.up(clusters=2, nodes=2)
        hand = Hand(one, charts.write(tmp_path_factory.mktemp("old"), OLD))
        for cluster in CLUSTERS:
            hand.install(cluster)
        yield hand
    finally:
        one.down()


@pytest.fixture(scope="module")
def mesh(hand: Hand, tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    one = home(hand.lab, tmp_path_factory.mktemp("guide-a-home") / "home")
    one.file.unlink()
    return Mesh(one.folder, {**one.env, "GLOO_MESH_LICENSE_KEY": LICENCE})


def survive(theirs: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Everything that was set is as it was."""
    for key, value in theirs.items():
        if isinstance(value, Mapping):
            survive(value, now[key])
        else:
            assert now[key] == value, key


def kept(cluster: str, chart: str, tag: str) -> dict[str, Any]:
    """What of the users' values the mesh does not decide: not the version, not a licence in clear text."""
    own = values(cluster)[chart]
    own.pop("license", None)
    for part in (own, own.get("global", {})):
        if "tag" in part:
            part["tag"] = tag
    return own


def test_import_writes_what_runs_and_what_it_could_not_decide(mesh: Mesh, hand: Hand) -> None:
    before = [hand.revisions(cluster) for cluster in CLUSTERS]
    answer = mesh("import", "--name", "old")
    assert answer.code == 0, answer
    text = mesh.file.read_text()
    assert LICENCE not in text
    assert LICENCE not in answer
    told = " ".join(text.replace("#", " ").split())
    assert f"istiod {OLD}: release odd-istiod in mesh-sys, images my.hub/istio:{OLD}" in told
    assert "license.value = (sensitive)" in told
    assert "puts it into a Secret" in told
    assert told.count("self-signed by its istiod") == 2
    assert "{istiod: mesh-sys, cni: kube-system, ztunnel: kube-system}" in told
    assert mesh("validate").code == 0
    assert [hand.revisions(cluster) for cluster in CLUSTERS] == before


def test_a_file_that_is_there_is_never_overwritten(mesh: Mesh) -> None:
    before = mesh.file.read_bytes()
    assert mesh("import").code == 64
    assert mesh.file.read_bytes() == before


def test_the_plan_refuses_another_root_until_the_move_is_chosen(mesh: Mesh, hand: Hand) -> None:
    before = [hand.revisions(cluster) for cluster in CLUSTERS]
    old = {"MESH_CHART_SOURCE": str(hand.old)}
    for verb in (("plan",), ("apply", "--yes")):
        refused = mesh(*verb, env=old)
        assert refused.code == 5, refused
        assert "spec.rootOfTrust.migrate: restart" in refused.err
        for cluster in CLUSTERS:
            assert f"cluster {cluster} has the root of trust sha256:" in refused.err
    assert [hand.revisions(cluster) for cluster in CLUSTERS] == before


def test_the_plan_shows_keys_manifests_and_what_the_steps_do_to_traffic(mesh: Mesh, hand: Hand) -> None:
    text = mesh.file.read_text()
    mesh.file.write_text(text.replace("# migrate: restart", "migrate: restart").replace(OLD, NEW))
    plan = mesh.pending().out
    assert LICENCE not in plan
    istiod = block(plan, "chart/cluster1/istiod")
    assert "(adopted" in istiod
    assert f'~ version = "{OLD}" -> "{NEW}"' in " ".join(istiod.split())
    assert "+ values.platforms.peering.enabled" in istiod
    assert "- values.license.value" in istiod
    assert (
        "replaces the pods of its east-west gateway: calls from other clusters break for a moment" in istiod
    )
    assert "~ Deployment istio-system/odd-istiod" in istiod or "~ Deployment istio-system/istiod" in istiod
    assert "MY_OWN" not in istiod.partition("rendered manifests:")[0]
    ztunnel = block(plan, "chart/cluster2/ztunnel")
    assert "ztunnel restarts on 2 nodes, one after another: long-lived connections there are reset" in ztunnel
    assert "Plan: 8 to import, " in plan
    assert "cluster2 moves to another root of trust" in block(plan, "cert/cluster2/cacerts")


def test_yes_alone_moves_no_root_of_trust(mesh: Mesh, hand: Hand) -> None:
    before = [hand.revisions(cluster) for cluster in CLUSTERS]
    refused = mesh("apply", "--yes", "--confirm", "cluster2")
    assert refused.code == 64, refused
    assert "--confirm cluster1" in refused.err
    mistyped = mesh("apply", "--yes", "--confirm", "cluster3")
    assert mistyped.code == 64, mistyped
    assert "there is no cluster cluster3" in mistyped.err
    assert "clusters are cluster1, cluster2" in mistyped.err
    licences = [each["licence"] for each in json.loads(mesh("status", "--json").out)["clusters"]]
    assert [each["in_clear_text"] for each in licences] == [True, False]
    assert [hand.revisions(cluster) for cluster in CLUSTERS] == before


def begun(answer: str) -> list[str]:
    """The addresses in the order in which their steps began to change something that was there."""
    lines = [line.split() for line in answer.splitlines() if line[2:3] == ":" and line.endswith("updating")]
    return [words[3] for words in lines]


def test_an_apply_upgrades_and_links_one_cluster_after_the_other(mesh: Mesh, hand: Hand) -> None:
    answer = mesh.applied(*CONFIRMED)
    assert LICENCE not in answer
    order = [address for address in begun(answer.out + answer.err) if "/base" not in address]
    parts = ["cert/{}/cacerts", "chart/{}/istiod", "chart/{}/cni", "chart/{}/ztunnel"]
    assert order == [part.format(cluster) for cluster in CLUSTERS for part in parts]
    status = mesh("status", "--detailed-exitcode")
    assert status.code == 0, status
    mesh.settled()


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_values_of_the_users_survive_and_every_pod_is_new(hand: Hand, cluster: str) -> None:
    for chart in charts.CHARTS:
        survive(kept(cluster, chart, NEW), hand.values(cluster, chart))
        found = hand.releases(cluster)[RELEASES[chart]]
        assert found == (HOMES[cluster][chart], f"{chart}-{NEW}", "deployed")
    for chart in ("istiod", "cni", "ztunnel"):
        assert hand.images(cluster, chart) == {image(cluster, chart)}
    secret = hand.values(cluster, "istiod")["license"]
    assert list(secret) == ["secretRef"]


def image(cluster: str, chart: str, tag: str = NEW) -> str:
    name = {"istiod": "pilot", "cni": "install-cni", "ztunnel": "ztunnel"}[chart]
    return f"my.hub/istio/{name}:{tag}"


def test_all_workloads_trust_one_root_now(hand: Hand) -> None:
    roots = {
        hand.root(cluster, namespace)
        for cluster in CLUSTERS
        for namespace in ("default", HOMES[cluster]["istiod"], HOMES[cluster]["ztunnel"])
    }
    assert len(roots) == 1


def test_status_shows_the_releases_that_were_adopted_by_whatever_name(mesh: Mesh) -> None:
    rows = [row.split() for row in mesh("status").out.splitlines()]
    told = {(row[0], row[1]): row[-2:] for row in rows if len(row) > 1 and row[1] in RELEASES}
    assert told == {
        (cluster, chart): [NEW, "deployed"] for cluster in CLUSTERS for chart in RELEASES if chart != "base"
    }


def test_when_all_have_moved_the_word_may_go(mesh: Mesh) -> None:
    mesh.edit(lambda spec: spec["rootOfTrust"].pop("migrate"))
    mesh.settled()


def test_a_value_of_ours_edited_by_hand_is_shown_and_mended(mesh: Mesh, hand: Hand) -> None:
    hand.upgrade("cluster2", "istiod", "--set", "global.network=elsewhere")
    told = block(mesh.pending().out, "chart/cluster2/istiod")
    assert '~ values.global.network = "elsewhere" -> "cluster2"' in told
    assert "changed outside mesh" in told
    mesh.mended()
    assert hand.values("cluster2", "istiod")["global"]["network"] == "cluster2"


def test_a_value_of_theirs_edited_by_hand_is_left_alone(mesh: Mesh, hand: Hand) -> None:
    hand.upgrade("cluster1", "istiod", "--set", "env.MY_OWN=no", "--set", "env.NEW_ONE=1")
    mesh.settled()
    env = hand.values("cluster1", "istiod")["env"]
    assert (env["MY_OWN"], env["NEW_ONE"]) == ("no", 1)


@pytest.mark.parametrize(
    ("options", "as_recorded"),
    [(("--for", "apply"), 0), (("--for", "plan"), 0), (("--for", "plan", "--without-secrets"), 12)],
)
def test_the_least_rights_are_enough_for_what_was_taken_over(
    mesh: Mesh, hand: Hand, tmp_path: Path, options: tuple[str, ...], as_recorded: int
) -> None:
    name = json.loads(mesh("output", "mesh", "--json").out)
    with identity(mesh, hand.lab, tmp_path, f"mesh-{name}-{options[1]}", *options) as env:
        nothing = ("get", "secrets", "-n", "default")
        assert tried(mesh, hand.lab, env, *nothing, cluster="cluster1")[0] != 0
        plan = mesh("plan", "--detailed-exitcode", env=env)
        assert plan.code == 0, plan
        assert len(json.loads(mesh("plan", "--json", env=env).out)["as_of_last_apply"]) == as_recorded
        hand.kubectl("cluster1", "label", "ns", "istio-system", "topology.istio.io/network-")
        theirs, admins = (
            json.loads(mesh("plan", "--json", env=each).out)["resource_changes"] for each in (env, {})
        )
        assert [(each["address"], each["change"]) for each in theirs] == [
            (each["address"], each["change"]) for each in admins
        ]
        assert [each["address"] for each in theirs] == ["label/cluster1/istio-system"]
    mesh.mended()


def test_an_older_version_is_refused_unless_it_is_allowed_and_ztunnel_goes_back_first(
    mesh: Mesh, hand: Hand
) -> None:
    old = {"MESH_CHART_SOURCE": str(hand.old)}
    mesh.edit(lambda spec: spec["istio"].update(version=OLD))
    refused = mesh("plan", env=old)
    assert refused.code == 5, refused
    assert "allow it with --allow-downgrade" in refused.err
    answer = mesh.applied("--allow-downgrade", env=old)
    order = [address for address in begun(answer.out + answer.err) if address.startswith("chart/cluster1/")]
    assert order == [f"chart/cluster1/{chart}" for chart in reversed(charts.CHARTS)]
    assert mesh("plan", "--detailed-exitcode", env=old).code == 0


@pytest.fixture(scope="module")
def archives(hand: Hand, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A folder with the charts of three versions, as a mirror of a repository has them."""
    mirror = tmp_path_factory.mktemp("mirror")
    for version in (OLD, NEW, NEXT):
        folder = charts.write(tmp_path_factory.mktemp("charts"), version)
        for chart in charts.CHARTS:
            hand.helm("cluster1", "package", str(folder / chart), "-d", str(mirror))
    return {"MESH_CHART_SOURCE": str(mirror)}


def test_a_jump_over_a_minor_version_is_refused_and_done_step_by_step(
    mesh: Mesh, hand: Hand, archives: dict[str, str]
) -> None:
    mesh.edit(lambda spec: spec["istio"].update(version=NEXT))
    refused = mesh("plan", env=archives)
    assert refused.code == 5, refused
    assert f"istiod is {OLD}, the configuration says {NEXT}" in refused.err
    assert "or list such versions in spec.istio.through and use --stepwise" in refused.err
    images = mesh("plan", env={"MESH_CHART_SOURCE": str(hand.old)})
    assert images.code == 5, images
    assert f"istiod is {OLD}, the configuration says {NEXT}" in images.err
    assert f"the charts are of {OLD}" in images.err
    mesh.edit(lambda spec: spec["istio"].update(through=[NEW]))
    plan = mesh("plan", "--stepwise", env=archives)
    assert plan.err == f"This plan upgrades to Istio {NEW}; the next versions are {NEXT}.\n"
    assert f'~ version = "{OLD}" -> "{NEW}"' in " ".join(block(plan.out, "chart/cluster1/istiod").split())
    digest = plan.out.split("Digest: ")[1].split()[0]
    assert mesh("apply", "--yes", "--stepwise", "--plan-digest", digest, env=archives).code == 64
    before = hand.revisions("cluster2")
    answer = mesh.applied("--stepwise", env=archives)
    assert [line for line in answer.err.splitlines() if line.startswith("Istio ")] == [
        f"Istio {NEW}: step 1 of 2",
        f"Istio {NEXT}: step 2 of 2",
    ]
    after = hand.revisions("cluster2")
    assert {name: int(after[name]) - int(before[name]) for name in after} == dict.fromkeys(before, 2)
    assert mesh("plan", "--stepwise", "--detailed-exitcode", env=archives).code == 0
    assert mesh.applied("--stepwise", env=archives).err.count("step ") == 0


def test_destroy_gives_the_releases_back_with_their_values(mesh: Mesh, hand: Hand) -> None:
    answer = mesh("destroy", "--yes")
    assert answer.code == 0, answer
    for cluster in CLUSTERS:
        for namespace in sorted(set(HOMES[cluster].values())):
            assert hand.lagging(cluster, namespace) == [], "what is given back is waited for"
    assert " destroyed, 6 given back." in answer.out  # nothing of ours is in the two of base
    ztunnel = block(answer.out, "chart/cluster2/ztunnel")
    assert "ztunnel restarts on 2 nodes, one after another: long-lived connections there are reset" in ztunnel
    assert "~ DaemonSet kube-system/" in ztunnel
    for cluster in CLUSTERS:
        for chart in charts.CHARTS:
            found = hand.releases(cluster)[RELEASES[chart]]
            assert found == (HOMES[cluster][chart], f"{chart}-{NEXT}", "deployed")
            own = kept(cluster, chart, NEXT)
            if (cluster, chart) == ("cluster1", "istiod"):
                own["env"] = {"MY_OWN": "no", "NEW_ONE": 1}
            assert hand.values(cluster, chart) == own
        for namespace in sorted(set(HOMES[cluster].values())):
            hand.settled(cluster, namespace)
        assert hand.kubectl(cluster, "get", "gateway", "-A", "-o", "name") == ""
        assert hand.images(cluster, "istiod") == {image(cluster, "istiod", NEXT)}
