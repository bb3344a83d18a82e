"""The rights that helm needs for a release."""

from __future__ import annotations

import pytest

from mesh.model import Action, Key, Place, Step
from mesh.model.plan import ManifestChange
from mesh.providers.chart import ChartProvider
from mesh.providers.chart.rights import HELM, OPTIONAL, RBAC, RENDERED, release

WRITES = (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE)


def texts(component: str, action: Action) -> set[str]:
    return {str(each) for each in release(component, action, "istio-system")}


@pytest.mark.parametrize("component", [*RENDERED, "gloo-platform"])
@pytest.mark.parametrize("action", [each for each in Action if each not in WRITES])
def test_what_writes_nothing_needs_no_right(component: str, action: Action) -> None:
    assert texts(component, action) == set()


@pytest.mark.parametrize("action", WRITES)
def test_helm_always_keeps_its_own_record_in_the_namespace_of_the_release(action: Action) -> None:
    record = {f"{verb} secrets in istio-system" for verb in HELM}
    assert texts("gloo-platform", action) == record
    assert record < texts("base", action)


@pytest.mark.parametrize("component", ["base", "istiod", "cni", "ztunnel"])
def test_who_writes_roles_needs_to_escalate_and_who_deletes_them_does_not(component: str) -> None:
    needed = {
        "escalate clusterroles.rbac.authorization.k8s.io",
        "bind clusterroles.rbac.authorization.k8s.io",
    }
    assert needed < texts(component, Action.UPDATE)
    assert not any(text.startswith(("escalate", "bind")) for text in texts(component, Action.DELETE))


def test_a_namespaced_role_is_escalated_in_its_namespace_only() -> None:
    assert "escalate roles.rbac.authorization.k8s.io in istio-system" in texts("ztunnel", Action.CREATE)
    assert "escalate roles.rbac.authorization.k8s.io in istio-system" not in texts("cni", Action.CREATE)


@pytest.mark.parametrize(
    ("component", "right"),
    [
        ("base", "patch customresourcedefinitions.apiextensions.k8s.io"),
        ("istiod", "patch deployments.apps in istio-system"),
        ("istiod", "patch mutatingwebhookconfigurations.admissionregistration.k8s.io"),
        ("cni", "patch daemonsets.apps in istio-system"),
        ("ztunnel", "patch daemonsets.apps in istio-system"),
    ],
)
def test_what_the_chart_renders_is_patched_and_read(component: str, right: str) -> None:
    found = texts(component, Action.UPDATE)
    assert {right, right.replace("patch", "get")} < found
    assert right.replace("patch", "delete") not in found


def test_a_plan_asks_for_what_it_changes_and_not_for_what_other_values_would_add() -> None:
    changes = (
        ManifestChange("NetworkPolicy istiod", Action.CREATE),  # the chart names no namespace
        ManifestChange("PodDisruptionBudget elsewhere/istiod", Action.DELETE),
        ManifestChange("ValidatingAdmissionPolicy stable", Action.UPDATE),
        ManifestChange("Role elsewhere/odd", Action.CREATE),
        ManifestChange("Gateway istio-system/odd", Action.CREATE),  # of Istio's API, or of the Gateway API
        ManifestChange("Gadget istio-system/odd", Action.CREATE),
    )
    always = {str(each) for each in release("istiod", Action.UPDATE, "istio-system", without=OPTIONAL)}
    assert always < texts("istiod", Action.UPDATE)
    assert not any("networkpolicies" in text or "admissionpolicies" in text for text in always)
    assert planned("istiod", *changes) - always == {
        "get networkpolicies.networking.k8s.io in istio-system",
        "create networkpolicies.networking.k8s.io in istio-system",
        "patch networkpolicies.networking.k8s.io in istio-system",
        "get poddisruptionbudgets.policy in elsewhere",
        "delete poddisruptionbudgets.policy in elsewhere",
        "get validatingadmissionpolicies.admissionregistration.k8s.io",
        "create validatingadmissionpolicies.admissionregistration.k8s.io",
        "patch validatingadmissionpolicies.admissionregistration.k8s.io",
        *(f"{verb} roles.{RBAC} in elsewhere" for verb in ("get", "create", "patch", "escalate", "bind")),
    }
    # Who installed a management plane has its rights.
    assert planned("gloo-platform", *changes) == texts("gloo-platform", Action.UPDATE)


def planned(component: str, *changes: ManifestChange) -> set[str]:
    """The rights that an update with these changes needs."""
    step = Step(Action.UPDATE, Key("chart", "cluster1", component), manifests=changes)
    return {str(each) for each in ChartProvider().rights_of(step, Place("istio-system", component))}
