"""Which rights writes need, from the plan alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.config.decode import load_mesh
from mesh.queries.access.rights import Right
from mesh.queries.access.roles import SECRETS, homes, to_apply, to_plan, to_plan_by_dry_runs
from tests.engine.toy import EXAMPLE

PATCHES = Right("apps", "deployments", "patch", "istio-eastwest")


def granted(migrate: str) -> set[Right]:
    mesh = load_mesh(EXAMPLE)
    mesh = replace(mesh, root=replace(mesh.root, migrate=migrate))
    return {
        Right(group, resource, verb, each["metadata"].get("namespace", ""))
        for each in to_apply(mesh, mesh.clusters[0])
        for rule in each.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize(("migrate", "expected"), [("", False), ("restart", True)])
def test_the_pods_behind_a_gateway_are_made_anew_only_where_clusters_move_to_another_root(
    migrate: str, expected: bool
) -> None:
    assert (PATCHES in granted(migrate)) is expected


def test_a_plan_without_secrets_is_granted_nothing_on_secrets_and_all_the_rest() -> None:
    mesh = load_mesh(EXAMPLE)
    for grant in (to_plan, to_plan_by_dry_runs):
        whole, less = (
            {
                (manifest["metadata"].get("namespace", ""), resource)
                for manifest in grant(mesh, mesh.clusters[0], hidden=hidden)
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
        granted = grant(mesh, mesh.clusters[0])
        assert {each["metadata"]["name"] for each in granted} <= mine
        assert "Namespace" not in {each["kind"] for each in granted}
        assert homes(granted) == ["istio-eastwest", "istio-system"]
