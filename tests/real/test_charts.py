"""The charts of Istio itself, beside what mesh takes for granted of them and beside the lab's stand-ins."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.lab import charts, toolchain
from mesh.lab.istio_charts import HUB, SOURCES, VERSION, istio_charts
from mesh.providers.chart.rights import BY_KIND, RENDERED
from mesh.queries.checks.rules.identity import CLUSTER_NAME
from mesh.queries.checks.rules.upstream import MULTI_NETWORK
from mesh.sdk.rights import ApiResource

pytestmark = pytest.mark.usefixtures("tools")

KIND = re.compile(r"^\s*kind: ([A-Z]\w+)\s*$", re.MULTILINE)
NOT_GRANTED = {
    "EndpointSlice": "for an istiod outside of the cluster, which mesh does not install",
    "NetworkAttachmentDefinition": "for multus on OpenShift, in the namespace default: granted by hand",
}
VALUES: Mapping[str, Any] = {
    "base": {},
    "istiod": {
        "profile": "ambient",
        "global": {"multiCluster": {"clusterName": "one"}, "network": "net", "meshID": "demo"},
        "env": {MULTI_NETWORK: "true"},
        "meshConfig": {"trustDomain": "example.org"},
    },
    "cni": {"profile": "ambient"},
    "ztunnel": {"multiCluster": {"clusterName": "one"}, "network": "net"},
}
"""What mesh sets in an upstream mesh, as far as it shows in what is rendered."""

READ = {
    "istiod": {*CLUSTER_NAME["istiod"], MULTI_NETWORK, "PILOT_ENABLE_AMBIENT", "CA_TRUSTED_NODE_ACCOUNTS"},
    "ztunnel": {CLUSTER_NAME["ztunnel"][0], "NETWORK", "CA_ADDRESS", "XDS_ADDRESS"},
}
"""The variables that mesh, or the stand-in that plays the component, reads from a container."""


@pytest.fixture(scope="module")
def real() -> Path:
    return istio_charts()


def of_kind(kind: str) -> ApiResource:
    return BY_KIND[kind]


@pytest.mark.parametrize("name", SOURCES)
def test_who_may_apply_may_write_every_kind_that_a_chart_can_render(real: Path, name: str) -> None:
    texts = [path.read_text() for path in (real / name / "templates").rglob("*.yaml")]
    # References to other objects name their kinds too: roles, workloads to scale, subjects of a binding.
    kinds = {kind for text in texts for kind in KIND.findall(text)} - NOT_GRANTED.keys() - {"Group"}
    assert kinds, "no template was found"
    assert {of_kind(kind) for kind in kinds} <= {*RENDERED[name]}


@pytest.mark.parametrize("name", SOURCES)
def test_a_chart_is_packaged_as_a_release_is(real: Path, name: str) -> None:
    about = yaml.safe_load((real / name / "Chart.yaml").read_text())
    assert (about["name"], about["version"], about["appVersion"]) == (name, VERSION, VERSION)
    images = [each["image"] for obj in rendered(real, name) for each in containers(obj)]
    assert all(image.startswith(f"{HUB}/") and VERSION in image for image in images)
    assert bool(images) == (name != "base")


@pytest.mark.parametrize("name", READ)
def test_the_variables_that_are_read_are_set_by_the_chart_and_by_its_stand_in(real: Path, name: str) -> None:
    ours, theirs = variables(charts.chart(name).parent, name), variables(real, name)
    assert {each: theirs.get(each) for each in READ[name]} == {each: ours.get(each) for each in READ[name]}
    assert READ[name] <= theirs.keys()


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_looked_for_by_name_has_that_name_in_both(real: Path, name: str) -> None:
    looked_for = {"Deployment", "DaemonSet", "ServiceAccount", "Service", "ConfigMap"}
    ours, theirs = (
        {named(obj) for obj in rendered(where, name) if obj["kind"] in looked_for}
        for where in (charts.chart(name).parent, real)
    )
    assert ours <= theirs
    assert {each for each in theirs - ours if each.startswith(("Deployment", "DaemonSet"))} == set()


@pytest.mark.parametrize("name", ["istiod", "cni", "ztunnel"])
def test_pods_are_selected_by_labels_that_both_have(real: Path, name: str) -> None:
    """Everything that finds pods or a Service's ports does so in the real chart's way."""
    ours, theirs = (shape(where, name) for where in (charts.chart(name).parent, real))
    for key, found in ours.items():
        assert found.items() <= theirs[key].items(), key


def shape(where: Path, name: str) -> dict[str, dict[str, Any]]:
    """The labels that pods are found by, the container's name, and the ports of the Service."""
    found: dict[str, dict[str, Any]] = {}
    for obj in rendered(where, name):
        if obj["kind"] in ("Deployment", "DaemonSet"):
            labels = obj["spec"]["template"]["metadata"]["labels"]
            known = {key: labels[key] for key in ("app", "istio", "k8s-app") if key in labels}
            found[named(obj)] = {**known, "container": containers(obj)[0]["name"]}
        if obj["kind"] == "Service":
            found[named(obj)] = {each["name"]: each["port"] for each in obj["spec"]["ports"]}
    return found


def variables(where: Path, name: str) -> dict[str, str]:
    """What the containers of a chart have in their environment, but for references."""
    env = [each for obj in rendered(where, name) for part in containers(obj) for each in part.get("env", ())]
    return {each["name"]: str(each["value"]) for each in env if "value" in each}


def containers(obj: Any) -> list[Any]:
    template = obj.get("spec", {}).get("template", {}) if obj["kind"] in ("Deployment", "DaemonSet") else {}
    return [*template.get("spec", {}).get("containers", ())]


def named(obj: Any) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"


def rendered(where: Path, name: str) -> list[Any]:
    """The objects of a chart, with the values of `VALUES`."""
    release = {"base": "istio-base", "cni": "istio-cni"}.get(name, name)
    done = subprocess.run(
        [
            toolchain().bin / "helm",
            "template",
            release,
            where / name,
            "--namespace=istio-system",
            "--values=-",
        ],
        input=yaml.safe_dump(VALUES[name]),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return [obj for obj in yaml.safe_load_all(done.stdout) if obj]
