"""The stand-in charts by themselves: they render with the values of the guide, in any version."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.lab import charts
from tests.lab.standin import guide

VALUES = {
    "base": 'defaultRevision: ""\nprofile: ambient\n',
    "istiod": guide.istiod("cluster1"),
    "cni": guide.CNI,
    "ztunnel": guide.ztunnel("cluster1"),
}


def rendered(tools: Path, chart: Path, values: str, *args: str) -> list[dict[str, Any]]:
    argv = [str(tools / "helm"), "template", "x", str(chart), "-n", "istio-system", "-f", "-", *args]
    text = subprocess.run(argv, input=values, capture_output=True, text=True, check=True, timeout=150).stdout
    return [document for document in yaml.safe_load_all(text) if document]


def one(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(document for document in documents if document["kind"] == kind)


@pytest.mark.parametrize("name", charts.CHARTS)
def test_every_object_says_which_chart_it_is_of(tools: Path, tmp_path: Path, name: str) -> None:
    charts.write(tmp_path, "1.29.3-solo")
    documents = rendered(tools, tmp_path / name, VALUES[name])
    assert documents
    for document in documents:
        labels = document["metadata"]["labels"]
        assert labels["helm.sh/chart"] == f"{name}-1.29.3-solo"
        assert labels["app.kubernetes.io/version"] == "1.29.3-solo"
        assert labels["app.kubernetes.io/part-of"] == "istio"


@pytest.mark.parametrize(
    ("name", "kind", "selector"),
    [
        ("istiod", "Deployment", {"app": "istiod", "istio": "pilot"}),
        ("cni", "DaemonSet", {"k8s-app": "istio-cni-node"}),
        ("ztunnel", "DaemonSet", {"app": "ztunnel"}),
    ],
)
def test_workloads_keep_the_selectors_of_the_real_ones(
    tools: Path, name: str, kind: str, selector: dict[str, str]
) -> None:
    workload = one(rendered(tools, charts.chart(name), VALUES[name]), kind)
    assert workload["spec"]["selector"]["matchLabels"] == selector
    assert selector.items() <= workload["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("name", "kind", "values", "image"),
    [
        ("istiod", "Deployment", "", "registry.invalid/istio/pilot:1.29.3"),
        ("istiod", "Deployment", "global: {hub: h, tag: t, variant: distroless}", "h/pilot:t-distroless"),
        ("cni", "DaemonSet", "global: {hub: h, tag: t}", "h/install-cni:t"),
        ("ztunnel", "DaemonSet", "{hub: h, tag: t, variant: distroless}", "h/ztunnel:t-distroless"),
        ("ztunnel", "DaemonSet", "global: {hub: h, tag: t}", "registry.invalid/istio/ztunnel:1.29.3"),
    ],
)
def test_images_follow_the_values_each_chart_reads(
    tools: Path, tmp_path: Path, name: str, kind: str, values: str, image: str
) -> None:
    charts.write(tmp_path, "1.29.3")
    workload = one(rendered(tools, tmp_path / name, values), kind)
    assert workload["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_an_upgrade_does_not_take_back_the_webhooks_policy(tools: Path) -> None:
    kind = "ValidatingWebhookConfiguration"
    install = one(rendered(tools, charts.chart("istiod"), VALUES["istiod"]), kind)
    upgrade = one(rendered(tools, charts.chart("istiod"), VALUES["istiod"], "--is-upgrade"), kind)
    assert install["webhooks"][0]["failurePolicy"] == "Ignore"
    assert "failurePolicy" not in upgrade["webhooks"][0]


def test_a_ztunnel_elsewhere_is_trusted_where_it_is(tools: Path) -> None:
    values = "profile: ambient\ntrustedZtunnelNamespace: kube-system\npilot: {autoscaleMin: 3}\n"
    deployment = one(rendered(tools, charts.chart("istiod"), values), "Deployment")
    env = {
        item["name"]: item.get("value")
        for item in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert env["CA_TRUSTED_NODE_ACCOUNTS"] == "kube-system/ztunnel"
    assert deployment["spec"]["replicas"] == 3


def test_definitions_stay_when_the_chart_goes(tools: Path) -> None:
    documents = rendered(tools, charts.chart("base"), VALUES["base"])
    definitions = [one for one in documents if one["kind"] == "CustomResourceDefinition"]
    assert {one["spec"]["names"]["kind"] for one in definitions} >= {
        "AuthorizationPolicy",
        "PeerAuthentication",
        "ServiceEntry",
        "WorkloadEntry",
    }
    for definition in definitions:
        assert definition["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_a_chart_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no stand-in chart 'peering', only base, istiod, cni, ztunnel"):
        charts.chart("peering")
