"""Facts: what is read, missing or unread, and how objects are found among them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.model import Action, Key, Step, Unread
from mesh.queries.checks.facts import (
    ClusterFacts,
    daemon,
    deployed,
    environment,
    images,
    installed,
    istiod,
    mesh_config,
    read,
    setting,
    shown,
    true,
    trust_domain,
)
from mesh.queries.checks.model import NotFound, Skip
from tests.support import check_facts
from tests.support.check_facts import facts, obj, plan, pod_of, release, scene

LABEL = Key("label", "cluster1", "istio-system")


def test_a_part_that_was_not_read_skips_the_check_with_the_reason() -> None:
    with pytest.raises(Skip, match="forbidden"):
        read(Unread("forbidden"))
    with pytest.raises(Skip, match="nodes were not read"):
        facts().rows("nodes")
    assert read(()) == facts(nodes=[]).rows("nodes") == ()


def test_one_object_is_found_by_namespace_and_name() -> None:
    found = facts(services=[obj("a", "x"), obj("a", "y")])
    assert found.named("services", "y", "a") == obj("a", "y")
    assert found.named("services", "z", "a") is None
    assert [shown(obj("a", "x")), shown(obj("a", ""))] == ["x/a", "a"]


def test_a_missing_istiod_is_known_to_be_missing_and_an_unread_one_is_not() -> None:
    with pytest.raises(NotFound, match="namespace istio-system has no istiod"):
        istiod(facts(deployments=[obj("istiod", "other", labels={"app": "istiod"})]))
    assert not installed(facts(deployments=[]))
    assert installed(facts(deployments=[check_facts.istiod()]))
    with pytest.raises(Skip, match="deployments were not read"):
        installed(facts())


def test_a_daemon_is_found_by_the_label_of_its_pods_too() -> None:
    bare = check_facts.daemon("cni")
    bare["metadata"]["labels"] = {}
    assert daemon(facts(daemonsets=[bare]), "cni") is bare
    with pytest.raises(NotFound, match="namespace istio-system has no ztunnel"):
        daemon(facts(daemonsets=[bare]), "ztunnel")


def test_the_first_container_wins_and_references_have_no_value() -> None:
    first, second = pod_of("a:1", {"A": "1"}), pod_of("b:1", {"A": "2", "B": "3"})
    first["containers"][0]["env"].append({"name": "C", "valueFrom": {}})
    workload = obj(
        "a", spec={"template": {"spec": {"containers": first["containers"] + second["containers"]}}}
    )
    assert environment(workload) == {"A": "1", "B": "3"}
    assert images(workload) == ["a:1", "b:1"]


@pytest.mark.parametrize(
    ("text", "domain"), [("trustDomain: a\n", "a"), ("{}\n", "cluster.local"), ("", "cluster.local")]
)
def test_the_trust_domain_is_that_of_the_mesh_config_or_istios_default(text: str, domain: str) -> None:
    found = facts(deployments=[check_facts.istiod()], configs=[check_facts.mesh_config(text)])
    assert trust_domain(found) == domain


def test_a_mesh_config_that_is_not_yaml_is_skipped_and_a_missing_one_is_empty() -> None:
    with pytest.raises(Skip, match="ConfigMap istio-system/istio cannot be read"):
        mesh_config(facts(configs=[check_facts.mesh_config("{")]))
    assert mesh_config(facts(configs=[])) == {}


def test_a_release_is_found_by_its_name_or_by_its_chart() -> None:
    [view] = release("istiod").values()
    assert deployed(facts(releases=release("istiod")), "istiod") == view.deployed
    adopted = {("istio-system", "of-before"): view}
    assert deployed(facts(releases=adopted), "istiod") == view.deployed
    assert deployed(facts(releases={}), "istiod") is None


def test_a_value_is_gathered_of_each_cluster_and_what_is_unread_is_missed() -> None:
    def name(found: ClusterFacts) -> str:
        if found.name == "cluster2":
            raise Skip("forbidden")
        return found.name

    one = scene(facts(), facts("cluster2"))
    assert one.gather(name) == {"cluster1": "cluster1"}
    assert one.missed == ["cluster2: forbidden"]
    down = scene(facts(), facts("cluster2", unreachable="off"))
    assert down.gather(name) == {"cluster1": "cluster1"}
    assert (down.missed, [each.name for each in down.reached]) == (["cluster2 does not answer"], ["cluster1"])


def test_a_plan_changes_what_it_writes_and_not_what_it_reads() -> None:
    assert scene(plan=plan(Step(Action.UPDATE, LABEL))).changes(LABEL)
    assert not scene(plan=plan(Step(Action.READ, LABEL))).changes(LABEL)
    assert not replace(scene(), plan=Unread("none")).changes(LABEL)


@pytest.mark.parametrize("value", ["true", "True", "1", "t", True])
def test_a_variable_is_true_as_go_reads_it(value: object) -> None:
    assert true(value)
    assert not true("yes")


def test_a_setting_is_shown_with_its_value_or_as_missing() -> None:
    assert [setting("A", "1"), setting("A", ""), setting("A", None)] == ["A=1", "no A", "no A"]
