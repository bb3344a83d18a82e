"""Which fields of a release's objects a rule covers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesh.model import ABSENT, Key, Live, Place, Touch
from mesh.model.spec import Ignore
from mesh.providers.chart.drift import Drift, Drifts, drifted, ignored, others, rewritten, sides
from mesh.providers.chart.ignored import rule_for
from mesh.providers.chart.put_back import put_back
from mesh.providers.chart.rendered import Rendered
from mesh.world.resources import DEPLOYMENT
from tests.engine.every_kind import OLD, SPACE, carry_out, memory, open_session

CONTAINER = ("spec", "template", "spec", "containers", "[discovery]", "image")
LABEL = ("metadata", "labels", "policy.example/team")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("spec.replicas", ("spec", "replicas")),
        ("spec", ("spec", "replicas")),
        ("spec.template.spec.containers[discovery].image", CONTAINER),
        ("spec.template.spec.containers.[discovery].image", CONTAINER),
        ("spec.template.spec.containers", CONTAINER),
        ("spec.template.spec.containers[*].image", CONTAINER),
        ("metadata.labels.policy.example/team", LABEL),
        ('metadata.labels."policy.example/team"', LABEL),
        ('metadata.labels."policy.example/*"', LABEL),
        ("*", ("exists",)),
    ],
)
def test_a_path_covers_itself_and_all_that_is_in_it(pattern: str, path: tuple[str, ...]) -> None:
    rule = Ignore("Deployment", pattern)
    assert rule_for([rule], "Deployment", "istiod", path) == rule


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (Ignore("Deployment", "spec.replica"), ("spec", "replicas")),
        (Ignore("Deployment", "spec.replicas"), ("spec",)),
        (Ignore("DaemonSet", "spec.replicas"), ("spec", "replicas")),
        (Ignore("Deployment", "spec.replicas", name="ztunnel"), ("spec", "replicas")),
        (Ignore("Deployment", "spec.containers[d]"), ("spec", "containers", "[discovery]")),
        (Ignore("Deployment", "spec.?eplicas"), ("spec", "replicas")),
    ],
)
def test_a_rule_covers_nothing_else(rule: Ignore, path: tuple[str, ...]) -> None:
    assert rule_for([rule], "Deployment", "istiod", path) is None


def differing() -> Live:
    """A release with two fields that others changed, and one that a policy engine added."""
    istiod = Rendered(DEPLOYMENT, Place("istio-system", "istiod"), {})
    found = (
        Drift(istiod, ("spec", "replicas"), 3, 1, Touch((), "kubectl-scale", ""), (3, 1)),
        Drift(istiod, ("spec", "paused"), True, ABSENT, None, (True, ABSENT)),
        Drift(istiod, LABEL, "a", ABSENT, Touch((), "policy", ""), ("a", ABSENT)),
    )
    return Live({}, "token", status={"drifts": Drifts(found)})


def test_what_is_ignored_neither_counts_nor_is_written_back() -> None:
    live = differing()
    rules = (Ignore("Deployment", "spec.replicas"), Ignore("Deployment", "metadata.labels.*"))
    assert [each.path for each in drifted(live, rules)] == [("spec", "paused")]
    assert sides(live, {}, rules) == ({"Deployment istiod": {"spec.paused": True}}, {})
    assert others(live, rules) == ()
    assert [(each.path, rule) for each, rule in ignored(live, rules)] == [
        (("spec", "replicas"), rules[0]),
        (LABEL, rules[1]),
    ]


def test_what_helm_writes_again_all_the_same_is_told() -> None:
    rules = (Ignore("Deployment", "*"),)
    assert rewritten(differing(), rules) == (
        "Deployment istiod: spec.replicas is ignored, but helm writes it again now",
    )


def test_an_object_is_put_back_but_for_what_is_ignored(tmp_path: Path) -> None:
    here = open_session(tmp_path)
    assert carry_out(here, OLD)
    kube = memory(here)
    one: Any = kube.objects[DEPLOYMENT.plural, SPACE, "istiod"]
    one["spec"] = {**one["spec"], "minReadySeconds": 3, "paused": True}
    entry = {"f:spec": {"f:minReadySeconds": {}, "f:paused": {}}}
    one["metadata"]["managedFields"] = [
        {"manager": "kubectl-edit", "fieldsV1": entry, "time": "2026-01-01T00:00:00Z"}
    ]
    rules = (Ignore("Deployment", "spec.minReadySeconds"),)
    put_back(Key("chart", "cluster1", "istiod"), SPACE, "istiod", rules, here.world)
    spec = kube.objects[DEPLOYMENT.plural, SPACE, "istiod"]["spec"]
    assert spec["minReadySeconds"] == 3
    assert "paused" not in spec
