"""The identities of `mesh rbac` on real API servers: they can do what they are for, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import pytest
import yaml

from mesh.lab.components import AUDIT
from tests.lab.standin.guide import EDGE, SYSTEM
from tests.lab.standin.hand import eventually
from tests.queries.checks.on_lab.changes import PEER
from tests.queries.checks.on_lab.conftest import Rig
from tests.support import identities

DRIFT = "topology.istio.io/network"
WHEN_NOT_READY = {"pods", "services", "configmaps", "deployments"}
"""They say why something is not ready."""
NOT_IN_THESE_CHARTS = {
    "horizontalpodautoscalers",
    "mutatingwebhookconfigurations",
    "networkpolicies",
    "poddisruptionbudgets",
    "resourcequotas",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
}
"""Istio's charts render them with some values, the lab's charts do not."""
UNCHECKED, TAKES = "not checked by the API server: ", "takes "


def identity(rig: Rig, name: str, *options: str) -> AbstractContextManager[dict[str, str]]:
    """The environment of an identity with a token of the account that the manifests make."""
    return identities.identity(rig.mesh, rig.hand.lab, rig.folder, name, *options)


def tried(rig: Rig, env: dict[str, str], *args: str, cluster: str = "cluster1") -> tuple[int, str]:
    """What kubectl prints for an identity."""
    return identities.tried(rig.mesh, rig.hand.lab, env, *args, cluster=cluster)


def write(rig: Rig, env: dict[str, str], *more: str) -> tuple[int, str]:
    """Annotate a namespace with what it does not have yet: kubectl sends nothing that changes nothing."""
    return tried(rig, env, "annotate", "ns", SYSTEM, "--overwrite", f"a={uuid4()}", *more)


@pytest.fixture
def drift(rig: Rig) -> Iterator[str]:
    """The plan of an admin, with a label changed by hand and a gateway without one."""
    rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, f"{DRIFT}-")
    rig.hand.kubectl(
        "cluster2", "label", "gateway", "istio-eastwest", "-n", EDGE, f"{DRIFT}=other", "--overwrite"
    )
    yield rig.mesh("plan").out
    rig.mesh.mended()


def steps(plan: str) -> str:
    """What is to be changed, with every field and note; how the links stand meanwhile may differ."""
    return plan.partition("Not ready:")[0].partition("\nPlan:")[0]


@pytest.fixture
def changes(rig: Rig) -> Iterator[None]:
    """A label that was changed by hand, a value of istiod that is new, and a link that is new."""
    text = rig.mesh.file.read_bytes()
    rig.mesh.edit(lambda spec: spec.update(links=[{"from": "cluster2", "to": "cluster1"}]))
    rig.mesh.applied()
    gone = ("get", "gateway", PEER, "-n", EDGE, "--ignore-not-found", "-o", "name")
    assert not rig.hand.kubectl("cluster1", *gone), "the state has another object than the cluster"
    rig.mesh.file.write_bytes(text)
    rig.mesh.edit(lambda spec: spec.update(defaults={"values": {"istiod": {"env": {"TRY": "one"}}}}))
    rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, f"{DRIFT}=other", "--overwrite")
    yield
    rig.mesh.file.write_bytes(text)
    rig.mesh.mended()


def planned(rig: Rig, env: Mapping[str, str] | None = None) -> Any:
    """The whole plan as data."""
    answer = rig.mesh("plan", "--json", env=env)
    assert answer.code == 0, answer
    return json.loads(answer.out)


def at_rest(plans: tuple[Any, Any]) -> bool:
    """Whether two plans in a row are the same, and every cluster told everything."""
    first, second = plans
    return first == second and not first["deferred_changes"] and not first["unread"]


def less_the_dry_runs(plan: Any) -> Any:
    """The plan without what only dry runs tell, and without that they, and the writes, may not be made."""
    steps = [{**each, "notes": checked(each["notes"])} for each in plan["resource_changes"]]
    said = [each for each in plan["warnings"] if "this identity may not apply it" not in each]
    # Which object a dry run was refused first for may differ by cluster, and keeps their steps apart.
    return {**plan, "resource_changes": steps, "warnings": said, "folds": []}


def checked(notes: list[str]) -> list[str]:
    return [each for each in notes if not each.startswith((UNCHECKED, TAKES))]


def test_a_plan_that_only_reads_is_exact_and_can_write_nothing(rig: Rig, changes: None) -> None:
    """Step by step: address, action, reason, fields with who touched them, needs, manifests and notes."""
    with identity(rig, "mesh-demo-plan", "--for", "plan") as env:
        admin, _ = eventually(lambda: (planned(rig), planned(rig)), at_rest)
        reader = planned(rig, env)
        done = {each["address"]: each for each in admin["resource_changes"]}
        told = {name: (each["change"]["actions"], each["action_reason"]) for name, each in done.items()}
        assert told == {
            "label/cluster1/istio-system": (["update"], "drift"),
            "chart/cluster1/istiod": (["update"], "config"),
            "chart/cluster2/istiod": (["update"], "config"),
            "link/cluster1/cluster2": (["create"], "new"),
        }, {name: admin[name] for name in ("not_ready", "deferred_changes", "left", "unread", "warnings")}
        assert less_the_dry_runs(reader) == less_the_dry_runs(admin)
        unchecked = {
            each["address"] for each in reader["resource_changes"] if UNCHECKED in "\n".join(each["notes"])
        }
        assert unchecked == done.keys()
        assert UNCHECKED not in json.dumps(admin)
        assert sum("this identity may not apply it" in each for each in reader["warnings"]) == 2
        code, said = write(rig, env)
        assert code != 0
        assert "cannot patch resource" in said
        assert tried(rig, env, "get", "secrets", "-n", "kube-system")[0] != 0


def log(rig: Rig, cluster: str) -> list[str]:
    """The lines of an API server's audit log."""
    path = rig.hand.lab.folder / cluster / AUDIT
    return path.read_text().splitlines() if path.exists() else []


def asked(rig: Rig, cluster: str, name: str, since: int) -> set[tuple[str, str, str, str]]:
    """What an identity asked an API server and was allowed: group, resource, verb and namespace."""
    entries = (json.loads(line) for line in log(rig, cluster)[since:])
    return {
        (ref.get("apiGroup", ""), ref["resource"], each["verb"], ref.get("namespace", ""))
        for each in entries
        if each["user"]["username"] == f"system:serviceaccount:kube-system:{name}"
        and each["responseStatus"]["code"] < 400
        and (ref := each.get("objectRef", {})).get("resource")
        and ref.get("apiGroup") != "authorization.k8s.io"
    }


def granted(rig: Rig, cluster: str, *options: str) -> set[tuple[str, str, str, str]]:
    """What the manifests of `mesh rbac` grant in a cluster, in the same form."""
    text = rig.mesh("rbac", *options, "--cluster", cluster).out
    return {
        (group, resource, verb, document["metadata"].get("namespace", ""))
        for document in yaml.safe_load_all(text)
        if document and document["kind"] in ("Role", "ClusterRole")
        for rule in document["rules"]
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
        for verb in rule["verbs"]
    }


def test_a_plan_is_granted_no_resource_that_a_plan_without_changes_does_not_list(rig: Rig) -> None:
    """Granted against used, verb by verb, from the API server's own audit log.

    Who may list may get as well: an object that lost helm's label is read by name.
    """
    name, options = "mesh-demo-plan", ("--for", "plan")
    before = {cluster: len(log(rig, cluster)) for cluster in ("cluster1", "cluster2")}
    with identity(rig, name, *options) as env:
        assert rig.mesh("plan", "--detailed-exitcode", env=env).code == 0
        for cluster, since in before.items():
            used, given = asked(rig, cluster, name, since), granted(rig, cluster, *options)
            assert used <= given, "allowed by others than these manifests"
            listed = {each for each in given if each[2] == "list"} - used
            assert {verb for _, _, verb, _ in given} == {"get", "list"}
            assert {resource for _, resource, _, _ in listed} <= WHEN_NOT_READY | NOT_IN_THESE_CHARTS


def test_who_is_let_read_secrets_is_warned_of_it_first(rig: Rig) -> None:
    warned = rig.mesh("rbac", "--for", "plan", "--cluster", "cluster1")
    assert "can read the private key" in warned.err.splitlines()[0]
    assert "--without-secrets" in warned.out.splitlines()[0]


def may_list_nodes(rig: Rig, user: str) -> bool:
    """Whether cluster1 lets a user list nodes: whatever is in the name, which no HTTP header could hold."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": {"verb": "list", "resource": "nodes"}},
    }
    answer = rig.hand.kubectl("cluster1", "create", "-f", "-", "-o", "json", stdin=json.dumps(review))
    return bool(json.loads(answer)["status"]["allowed"])


@pytest.mark.parametrize(
    "user", ["' || true || '", 'a "quoted" name\\', "line\nbreak: {a: b}\n- c", "null", "--- "]
)
def test_a_user_gets_the_rights_and_the_policy_whatever_the_name_is_and_no_one_else_does(
    rig: Rig, user: str
) -> None:
    granted = rig.mesh("rbac", "--for", "plan", "--dry-runs", "--cluster", "cluster1", "--user", user)
    assert granted.code == 0, granted
    annotate = ("annotate", "ns", SYSTEM, "--overwrite")
    try:
        rig.hand.kubectl("cluster1", "apply", "--server-side", "-f", "-", stdin=granted.out)
        assert eventually(lambda: may_list_nodes(rig, user), bool)
        others = ("", "true", f"{user} ", user[:-1] or "x", "line", "system:anonymous")
        assert [each for each in others if each and may_list_nodes(rig, each)] == []
        if user.isprintable():
            denied = eventually(
                lambda: tried(rig, {}, *annotate, f"a={uuid4()}", "--as", user),
                lambda seen: "what it writes must be a dry run" in seen[1],
            )
            assert "what it writes must be a dry run" in denied[1]
            assert tried(rig, {}, *annotate, f"a={uuid4()}", "--as", user, "--dry-run=server")[0] == 0
        assert tried(rig, {}, *annotate, f"a={uuid4()}")[0] == 0, "an admin writes as before"
    finally:
        rig.hand.kubectl("cluster1", "delete", "--ignore-not-found", "-f", "-", stdin=granted.out)


def test_what_was_granted_is_revoked_by_deleting_the_same_and_the_mesh_stays(rig: Rig) -> None:
    for options in (("plan", "--dry-runs"), ("apply",)):
        name = f"mesh-demo-{options[0]}"
        with identity(rig, name, "--for", *options):
            granted = rig.mesh("rbac", "--for", *options, "--cluster", "cluster1").out
            assert f"#   kubectl --context cluster1 create namespace {SYSTEM}\n" in granted
            gone = rig.hand.kubectl("cluster1", "delete", "-f", "-", stdin=granted)
            assert f'serviceaccount "{name}" deleted' in gone
            assert not [line for line in gone.splitlines() if line.startswith("namespace ")]
    rig.mesh.settled()


def test_a_plan_by_dry_runs_is_exact_and_the_server_refuses_real_writes(rig: Rig, drift: str) -> None:
    with identity(rig, "mesh-demo-plan", "--for", "plan", "--dry-runs") as env:
        refused = eventually(lambda: write(rig, env, "--dry-run=server"), lambda seen: seen[0] == 0)
        assert refused[0] == 0
        code, said = eventually(
            lambda: write(rig, env), lambda seen: "what it writes must be a dry run" in seen[1]
        )
        assert code != 0
        assert "what it writes must be a dry run" in said
        plan = rig.mesh("plan", env=env)
        assert plan.code == 0, plan
        assert steps(plan.out) == steps(drift)
        assert rig.mesh("apply", "--yes", env=env).code != 0
        found = rig.hand.kubectl("cluster1", "get", "ns", SYSTEM, "-o", "jsonpath={.metadata.labels}")
        assert DRIFT not in found


def test_who_may_apply_can_do_all_of_it_and_is_no_admin(rig: Rig, drift: str) -> None:
    """Mend drift, take the mesh down, and make it again from nothing."""
    del drift
    with identity(rig, "mesh-demo-apply", "--for", "apply") as env:
        rig.mesh.applied(env=env)
        assert rig.mesh("plan", "--detailed-exitcode", env=env).code == 0
        gone = rig.mesh("destroy", "--yes", env=env)
        assert gone.code == 0, gone
        assert "chart/" not in str(rig.mesh.lock()["resources"].keys())
    with identity(rig, "mesh-demo-apply", "--for", "apply") as env:  # what was granted in them went with them
        rig.mesh.applied(env=env)
        assert rig.mesh("plan", "--detailed-exitcode", env=env).code == 0
        assert tried(rig, env, "create", "configmap", "a", "-n", "default")[0] != 0
        assert tried(rig, env, "get", "secrets", "-n", "default")[0] != 0
