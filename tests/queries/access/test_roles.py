"""The manifests of `mesh rbac`: what they grant, and what they never do."""

from __future__ import annotations

from dataclasses import replace

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
from tests.engine.toy import EXAMPLE, ToyProvider
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


def test_rbac_warns_of_rights_that_it_cannot_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.engine.registry.all_kinds", lambda: SILENT)
    for options in (["--for", "apply"], ["--for", "plan", "--dry-runs"]):
        answer = CliRunner().invoke(cli, ["rbac", *options, "-f", str(EXAMPLE)], catch_exceptions=False)
        says = "kind label does not say which rights it needs: grant them yourself"
        assert f"Warning: cluster cluster1: {says}" in answer.stderr
        assert f"# K{says[1:]}." in answer.stdout
    answer = CliRunner().invoke(cli, ["rbac", "--for", "plan", "-f", str(EXAMPLE)], catch_exceptions=False)
    assert "does not say" not in answer.output
