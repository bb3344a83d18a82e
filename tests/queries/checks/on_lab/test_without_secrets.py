"""The plan of an identity that may read no Secret: exact as of the last apply, and true about what shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.lab.standin.guide import SYSTEM
from tests.lab.standin.hand import eventually
from tests.queries.checks.on_lab.changes import asleep, awake, held, merged
from tests.queries.checks.on_lab.conftest import Rig, rigged
from tests.queries.checks.on_lab.test_rbac import DRIFT, identity, tried

pytestmark = pytest.mark.long

WHO = ("mesh-demo-plan", "--for", "plan", "--without-secrets")
UNSEEN = {
    f"{kind}/cluster{number}/{name}"
    for number in (1, 2)
    for kind, name in (
        ("cert", "cacerts"),
        ("secret", "solo-istio-license"),
        *(("chart", component) for component in ("base", "istiod", "cni", "ztunnel")),
    )
}


@pytest.fixture(scope="module")
def rig(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A mesh of this module's own: a field that another test wrote and put back counts as a person's here."""
    del tools
    with rigged("without-secrets", tmp_path_factory) as one:
        yield one


@pytest.fixture(scope="module")
def env(rig: Rig) -> Iterator[dict[str, str]]:
    """Somebody who may read all that a plan reads, but for Secrets."""
    rig.mesh.mended()
    with identity(rig, *WHO) as env:
        yield env


def planned(rig: Rig, env: dict[str, str] | None = None, *options: str) -> dict[str, Any]:
    """The plan as JSON."""
    answer = rig.mesh("plan", "--json", *options, env=env)
    assert answer.code == 0, answer
    found: dict[str, Any] = json.loads(answer.out)
    return found


def steps(plan: dict[str, Any]) -> list[tuple[str, object, str, object, list[str]]]:
    """What is to be done: address, action, reason, what comes out of it, and after what."""
    return [
        (
            each["address"],
            each["change"]["actions"],
            each["action_reason"],
            each["change"]["after"],
            each["needs"],
        )
        for each in plan["resource_changes"]
    ]


def notes(plan: dict[str, Any], address: str) -> str:
    return " ".join(
        note
        for part in ("resource_changes", "not_ready")
        for each in plan[part]
        if each["address"] == address
        for note in each["notes"]
    )


def test_no_secret_is_readable_and_nothing_is_deferred_or_added(rig: Rig, env: dict[str, str]) -> None:
    for cluster in ("cluster1", "cluster2"):
        code, said = tried(rig, env, "get", "secrets", "-n", SYSTEM, cluster=cluster)
        assert code != 0
        assert "cannot list resource" in said
    text = rig.mesh("plan", "--detailed-exitcode", env=env)
    assert text.code == 0, text
    assert text.out.startswith("No changes. Your clusters match the configuration, as of the last apply")
    assert "may not read Secrets in cluster1, cluster2: 12 resources" in " ".join(text.out.split())
    plan = planned(rig, env)
    assert set(plan["as_of_last_apply"]) == UNSEEN
    assert plan["deferred_changes"] == plan["resource_changes"] == plan["not_ready"] == []
    assert plan["complete"]
    assert planned(rig)["as_of_last_apply"] == []


def test_a_fresh_clone_without_lockfile_and_root_takes_the_record_from_the_clusters(
    rig: Rig, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "mesh.yaml").write_text(rig.mesh.file.read_text())
    clone = replace(rig.mesh, folder=tmp_path)
    elsewhere = {**env, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    plan = clone("plan", "--detailed-exitcode", env=elsewhere)
    assert plan.code == 0, plan
    assert "as of the last apply" in plan.out
    assert set(json.loads(clone("plan", "--json", env=elsewhere).out)["as_of_last_apply"]) == UNSEEN


def test_drift_of_what_may_be_read_is_planned_as_by_an_admin(rig: Rig, env: dict[str, str]) -> None:
    rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, f"{DRIFT}-")
    try:
        admins, theirs = planned(rig), planned(rig, env)
        assert steps(theirs) == steps(admins) != []
        assert theirs["digest"] == admins["digest"]
        assert theirs["deferred_changes"] == []
    finally:
        rig.mesh.mended()


def test_a_changed_wish_is_an_update_as_by_an_admin_and_says_what_it_rests_on(
    rig: Rig, env: dict[str, str]
) -> None:
    before = rig.mesh.file.read_text()
    try:
        rig.mesh.edit(
            lambda spec: spec.update(
                defaults={"values": {"istiod": {"pilot": {"env": {"OF_THE_FILE": "1"}}}}}
            )
        )
        admins, theirs = planned(rig), planned(rig, env)
        assert steps(theirs) == steps(admins) != []
        assert "as of the last apply" in notes(theirs, "chart/cluster1/istiod")
        text = rig.mesh("plan", "--detailed-exitcode", env=env)
        assert text.code == 2, text
        assert "note: as of the last apply" in text.out
        assert "as of the last apply" in rig.mesh("plan", "--format", "markdown", env=env).out
        refused = rig.mesh("apply", "--yes", env=env)
        assert refused.code == 5, refused
        assert "may not list secrets in cluster1, cluster2" in refused.err
        assert rig.mesh("destroy", "--yes", env=env).code == 5
    finally:
        rig.mesh.file.write_text(before)


def test_an_image_changed_by_hand_shows_with_who_did_it(rig: Rig, env: dict[str, str]) -> None:
    image = rig.hand.kubectl(
        "cluster2",
        *("get", "deployment", "istiod", "-n", SYSTEM, "-o"),
        "jsonpath={.spec.template.spec.containers[0].image}",
    )
    rig.hand.kubectl("cluster2", "set", "image", "deployment/istiod", "-n", SYSTEM, f"discovery={image}-x")
    try:
        changes = {each["address"]: each["change"] for each in planned(rig, env)["resource_changes"]}
        assert list(changes) == ["chart/cluster2/istiod"]
        objects = changes["chart/cluster2/istiod"]["before"]["objects"]
        assert objects == {"Deployment istiod": {IMAGE: f"{image}-x"}}
        assert "kubectl" in changes["chart/cluster2/istiod"]["touched"][0]["manager"]
        admins = {each["address"]: each["change"] for each in planned(rig)["resource_changes"]}
        assert admins["chart/cluster2/istiod"]["before"]["objects"] == objects
    finally:
        rig.mesh.mended()


IMAGE = "spec.template.spec.containers.[discovery].image"


def test_a_variable_added_by_hand_shows_only_beside_the_rendering(rig: Rig, env: dict[str, str]) -> None:
    """What helm rendered is in a Secret; without it nothing tells that a variable was added."""
    rig.hand.kubectl("cluster1", "set", "env", "deployment/istiod", "-n", SYSTEM, "OF_A_PERSON=1")
    try:
        rig.hand.healthy("cluster1")
        seen = eventually(lambda: planned(rig, env), lambda plan: not plan["not_ready"])
        assert seen["resource_changes"] == []
        assert "chart/cluster1/istiod" in seen["as_of_last_apply"]
        assert [each[:3] for each in steps(planned(rig))] == [("chart/cluster1/istiod", ["update"], "drift")]
    finally:
        rig.hand.kubectl("cluster1", "set", "env", "deployment/istiod", "-n", SYSTEM, "OF_A_PERSON-")
        rig.hand.healthy("cluster1")
        rig.mesh.mended()


def test_workloads_that_are_gone_are_a_change(rig: Rig, env: dict[str, str]) -> None:
    rig.hand.kubectl("cluster1", "delete", "daemonset", "ztunnel", "-n", SYSTEM)
    try:
        found = steps(planned(rig, env))
        assert [each[:3] for each in found] == [("chart/cluster1/ztunnel", ["update"], "drift")]
        assert [each[:3] for each in steps(planned(rig))] == [each[:3] for each in found]
    finally:
        rig.mesh.mended()


def test_pods_that_do_not_work_are_told(rig: Rig, env: dict[str, str]) -> None:
    hold, free = held("app=ztunnel")
    hold(rig)
    try:
        told = eventually(lambda: planned(rig, env)["not_ready"], bool)
        assert {each["address"] for each in told} >= {"chart/cluster1/ztunnel"}
    finally:
        free(rig)
        eventually(lambda: planned(rig, env)["not_ready"], lambda seen: not seen)


def test_another_root_that_is_published_is_refused(rig: Rig, env: dict[str, str]) -> None:
    asleep(rig)
    try:
        foreign = {"data": {"root-cert.pem": rig.root.pem}}
        merged("configmap", "istio-ca-root-cert", foreign)(rig)
        refused = rig.mesh("plan", env=env)
        assert refused.code == 5, refused
        assert "the root of trust of cluster cluster1 is" in refused.err
        assert "a Secret that this identity may not read" in refused.err
    finally:
        awake(rig)
        rig.mesh.mended()


def test_what_leaves_the_file_is_a_deletion_as_by_an_admin(rig: Rig, env: dict[str, str]) -> None:
    before = rig.mesh.file.read_text()
    try:
        rig.mesh.edit(lambda spec: spec["clusters"].pop())
        admins, theirs = planned(rig), planned(rig, env)
        fates = [(each[0], each[1], each[2], each[4]) for each in steps(theirs)]
        assert fates == [(each[0], each[1], each[2], each[4]) for each in steps(admins)]
        assert ("chart/cluster2/istiod", ["delete"]) in [each[:2] for each in fates]
        assert theirs["deferred_changes"] == admins["deferred_changes"] == []
        unread = "cluster cluster2: who uses the mesh cannot be read"
        assert unread in "\n".join(theirs["warnings"])
        assert unread not in "\n".join(admins["warnings"])
    finally:
        rig.mesh.file.write_text(before)


def test_the_other_verbs_skip_what_takes_secrets_and_say_so(rig: Rig, env: dict[str, str]) -> None:
    check = rig.mesh("check", "--json", env=env)
    assert check.code in {0, 2}, check
    results = json.loads(check.out)["results"]
    skipped = [each for each in results if each["state"] == "skipped" and "secrets" in each["why"]]
    assert skipped
    assert not [each for each in results if each["state"] == "failed" and "secrets" in json.dumps(each)]
    status = json.loads(rig.mesh("status", "--json", env=env).out)
    assert [each["licence"]["present"] for each in status["clusters"]] == [None, None]
    assert rig.mesh("output", env=env).code == 0
    why = rig.mesh("why", "chart/cluster1/istiod", env=env)
    assert why.code == 0, why
    assert why.out.startswith("chart/cluster1/istiod: in sync and ready, as of the last apply")
    assert "live      not read: cluster cluster1" in why.out
    assert "missing" not in why.out
