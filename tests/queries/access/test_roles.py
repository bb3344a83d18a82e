"""The manifests of `mesh rbac`: what they grant, and what they never do."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mesh.cli.main import cli
from mesh.config.decode import load_mesh
from mesh.engine.registry import all_kinds
from mesh.queries.access.roles import (
    SECRETS,
    homes,
    to_apply,
    to_plan,
    to_plan_by_dry_runs,
    unknown_kinds,
)
from mesh.sdk.rights import Right
from mesh.world.resources import ResourceType
from mesh.world.yaml_documents import read_all
from tests.engine import every_kind
from tests.engine.toy import EXAMPLE, ToyProvider
from tests.support.evil_text import acting
from tests.support.memory import Memory
from tests.support.meshes import mesh_of

KINDS = all_kinds()
SILENT = {**KINDS, "label": ToyProvider()}
"""The registry with a kind in it that does not say which rights it needs."""

PATCHES = Right("apps", "deployments", "patch", "istio-eastwest")


def granted(migrate: str) -> set[Right]:
    mesh = load_mesh(EXAMPLE)
    mesh = replace(mesh, root=replace(mesh.root, migrate=migrate))
    return {
        Right(group, resource, verb, each["metadata"].get("namespace", ""))
        for each in to_apply(mesh, mesh.clusters[0], KINDS)
        for rule in each.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize(("migrate", "expected"), [("", False), ("restart", True)])
def test_the_pods_of_a_gateway_are_restarted_only_where_clusters_move_to_another_root(
    migrate: str, expected: bool
) -> None:
    assert (PATCHES in granted(migrate)) is expected


def test_a_plan_without_secrets_is_granted_nothing_on_secrets_and_all_the_rest() -> None:
    mesh = load_mesh(EXAMPLE)
    for grant in (to_plan, to_plan_by_dry_runs):
        whole, less = (
            {
                (manifest["metadata"].get("namespace", ""), resource)
                for manifest in grant(mesh, mesh.clusters[0], KINDS, hidden=hidden)
                for rule in manifest.get("rules", ())
                for resource in rule["resources"]
            }
            for hidden in (frozenset(), SECRETS)
        )
        assert {resource for _, resource in whole - less} == {"secrets"}
        assert not {"secrets", "*"} & {resource for _, resource in less}


def test_revoking_what_was_granted_can_delete_nothing_of_the_mesh() -> None:
    mesh = load_mesh(EXAMPLE)
    mine = {f"mesh-{mesh.name}-plan", f"mesh-{mesh.name}-apply"}
    for grant in (to_plan, to_plan_by_dry_runs, to_apply):
        granted = grant(mesh, mesh.clusters[0], KINDS)
        assert {each["metadata"]["name"] for each in granted} <= mine
        assert "Namespace" not in {each["kind"] for each in granted}
        assert homes(granted) == ["istio-eastwest", "istio-system"]


@pytest.mark.parametrize(("cluster", "expected"), [("a", True), ("b", False)])
def test_only_the_management_cluster_lets_registrations_be_read(cluster: str, expected: bool) -> None:
    mesh = mesh_of("automatic")
    resources = {
        resource
        for each in to_plan(mesh, mesh.cluster(cluster), KINDS)
        for rule in each.get("rules", ())
        for resource in rule["resources"]
    }
    assert ("kubernetesclusters" in resources) is expected


@pytest.mark.parametrize(("kinds", "expected"), [(KINDS, ()), (SILENT, ("label",))])
def test_a_kind_that_does_not_say_its_rights_is_named(
    kinds: dict[str, ToyProvider], expected: tuple[str]
) -> None:
    mesh = mesh_of("solo")
    assert unknown_kinds(mesh, mesh.clusters[0], kinds) == expected


ONE = ("--cluster", "cluster1", "-f", str(EXAMPLE))


def test_rbac_warns_of_rights_that_it_cannot_know(monkeypatch: pytest.MonkeyPatch) -> None:
    # A module that is first imported while the registry is replaced keeps the wrong one for all later tests.
    import_module("mesh.cli.rbac")
    monkeypatch.setattr("mesh.engine.registry.all_kinds", lambda: SILENT)
    for options in (["--for", "apply"], ["--for", "plan", "--dry-runs"]):
        answer = CliRunner().invoke(cli, ["rbac", *options, *ONE], catch_exceptions=False)
        says = "kind label does not say which rights it needs: grant them yourself"
        assert f"Warning: cluster cluster1: {says}" in answer.stderr
        assert f"# K{says[1:]}." in answer.stdout
    answer = CliRunner().invoke(cli, ["rbac", "--for", "plan", *ONE], catch_exceptions=False)
    assert "does not say" not in answer.output


USERS = [
    "ci@example.com",
    "o'brien@example.com",
    "' || true || '",
    'a "quoted" name',
    "back\\slash\\",
    "line\nbreak: {a: b}\n- c",
    "\x1b[31m\u202e\x85",
    "früh 🦀 {{ x }} #comment",
    "system:serviceaccount:ci:plan",
    "oidc:https://issuer.example#group",
    "--- ",
    "null",
    "::error::x",
]


@pytest.mark.parametrize("user", USERS)
def test_the_manifests_mean_the_user_that_was_named_whatever_is_in_the_name(user: str) -> None:
    args = [
        "rbac",
        "-f",
        str(EXAMPLE),
        "--for",
        "plan",
        "--dry-runs",
        "--cluster",
        "cluster1",
        "--user",
        user,
    ]
    answer = CliRunner().invoke(cli, args, catch_exceptions=False)
    assert answer.exit_code == 0
    assert acting(answer.stdout) == []
    found = read_all(answer.stdout)
    kinds = {each["kind"] for each in found}
    assert kinds == {
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
    }
    subjects = [subject for each in found for subject in each.get("subjects", ())]
    assert {subject["name"] for subject in subjects} == {user}
    condition = next(each for each in found if each["kind"] == "ValidatingAdmissionPolicy")["spec"][
        "matchConditions"
    ][0]["expression"]
    left, _, literal = condition.partition(" == ")
    assert left == "request.userInfo.username"
    assert re.fullmatch(r'"(?:[^"\\\n]|\\["\\]|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})*"', literal)
    assert ast.literal_eval(literal) == user


RENDERED_WIDE = (
    "clusterroles",
    "clusterrolebindings",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
)
"""What the charts render outside namespaces: an edit of it shows nowhere else."""


@dataclass
class Listening:
    """An API server in memory that keeps each read as RBAC names it."""

    kube: Memory
    asked: set[Right] = field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kube, name)

    def list(self, resource: ResourceType, **selection: Any) -> Any:
        place = selection.get("namespace", "")
        self.asked.add(Right(resource.group, resource.plural, "list", place))
        return self.kube.list(resource, **selection)

    def get(self, resource: ResourceType, namespace: str, name: str) -> Any:
        place = namespace if resource.namespaced else ""
        self.asked.add(Right(resource.group, resource.plural, "get", place))
        return self.kube.get(resource, namespace, name)


def test_the_identity_of_a_plan_may_read_what_a_plan_without_changes_reads_and_no_other_namespace(
    tmp_path: Path,
) -> None:
    session = every_kind.open_session(tmp_path)
    wish = {"label": "net1", "secret": "licence one", "crds": "v1.3.0", "cacerts": 365}
    wish |= {"istiod": {"a": 0}, "base": {"a": 0}, **every_kind.SHAPE}
    every_kind.carry_out(session, wish)
    kube = Listening(every_kind.memory(session))
    session = replace(session, world=replace(session.world, kubes={every_kind.CLUSTER: kube}))
    assert every_kind.plan(session, wish).plan.empty
    mesh = load_mesh(EXAMPLE)
    given = {
        Right(group, resource, verb, each["metadata"].get("namespace", ""))
        for each in to_plan(mesh, mesh.clusters[0], KINDS)
        for rule in each.get("rules", ())
        if "resourceNames" not in rule
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    foreign = {Right("policy", "poddisruptionbudgets", "list")}  # a kind of another package
    assert {each for each in kube.asked if replace(each, namespace="") not in given} - given <= foreign
    wide = {(each.resource, each.verb) for each in given if not each.namespace}
    assert wide <= {
        (resource, verb)
        for resource in ("namespaces", "nodes", "customresourcedefinitions", "gateways", *RENDERED_WIDE)
        for verb in ("get", "list")
    }
    assert {each.namespace for each in given if each.resource == "secrets"} == {
        each.namespace for each in kube.asked if each.resource == "secrets"
    }


def test_who_may_apply_may_write_what_other_values_would_add() -> None:
    mesh = load_mesh(EXAMPLE)
    granted = to_apply(mesh, mesh.clusters[0], KINDS)
    written = {
        resource
        for each in granted
        for rule in each.get("rules", ())
        for resource in rule["resources"]
        if {"create", "patch", "delete"} <= {*rule["verbs"]}
    }
    assert {"networkpolicies", "validatingadmissionpolicies", "poddisruptionbudgets"} <= written
