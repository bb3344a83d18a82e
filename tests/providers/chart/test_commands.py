"""One release as helm commands: what is printed, and which secrets the script asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mesh.model import Key, Place, Resource, Sensitive, Unknown
from mesh.model.refs import Ref
from mesh.providers.chart.commands import release_commands, split
from mesh.providers.chart.spec import ChartSpec
from mesh.sdk.script import Commands
from mesh.world import HelmJob
from tests.support.meshes import mesh_of

CLUSTER = mesh_of("solo").cluster("a")
ROOT = Key("cert", "-", "root")


def spec(component: str = "istiod", values: dict[str, Any] | None = None, **more: Any) -> ChartSpec:
    job = HelmJob(component, "istio-system", component, "https://charts.example", "1.30.2", values or {})
    return replace(ChartSpec("demo", component, job), **more)


def commands(one: ChartSpec) -> Commands:
    key = Key("chart", "a", one.component)
    return release_commands(CLUSTER, Resource(key, Place(one.job.namespace, one.job.release), one))


def test_a_release_is_upgraded_with_its_values_on_stdin_and_then_waited_for() -> None:
    install, *rest = commands(spec(values={"replicas": 2})).create.splitlines()
    assert install == (
        "helm upgrade --install istiod istiod --kube-context=a --namespace=istio-system "
        "--repo=https://charts.example --version=1.30.2 --values=- <<'EOF'"
    )
    assert rest == [
        "replicas: 2",
        "EOF",
        "kubectl --context=a --namespace=istio-system rollout status deployment/istiod --timeout=300s",
    ]


@pytest.mark.parametrize(("component", "waits"), [("cni", True), ("ztunnel", True), ("base", False)])
def test_only_a_chart_with_pods_is_waited_for(component: str, *, waits: bool) -> None:
    assert ("rollout status daemonset/" in commands(spec(component)).create) is waits


def test_the_kubeconfig_of_the_file_is_used_by_helm_and_by_kubectl() -> None:
    other = replace(CLUSTER, kubeconfig="/etc/one two")
    one = spec()
    made = release_commands(other, Resource(Key("chart", "a", "istiod"), Place("", ""), one)).create
    assert made.count("'--kubeconfig=/etc/one two'") == 2


def test_a_secret_value_comes_from_a_variable_and_is_never_in_the_text() -> None:
    made = commands(spec(values={"global": {"token": "hunter2", "hub": "x"}}))
    assert "hunter2" not in repr(made)
    assert '--set-file=global.token=<(printf %s "${MESH_VALUE_A_ISTIOD_GLOBAL_TOKEN}")' in made.create
    assert "token:" not in made.create
    (needed,) = made.inputs
    assert (needed.variable, needed.remark) == (
        "MESH_VALUE_A_ISTIOD_GLOBAL_TOKEN",
        "chart/a/istiod: the value global.token",
    )


def test_a_listed_value_that_is_no_text_is_passed_as_json_and_its_path_is_escaped() -> None:
    values = {"notes": {"a.b/c": ["x"]}}
    made = commands(spec(values=values, sensitive=('notes."a.b/c"',)))
    assert r"""--set-json='notes.a\.b/c'="${MESH_VALUE_A_ISTIOD_NOTES_A_B_C}" """.strip() in made.create
    assert made.inputs[0].remark.endswith(", as JSON")


def test_what_only_mesh_can_set_is_left_out_with_the_mapping_that_held_only_that() -> None:
    values = {"podAnnotations": {"meshform.io/root": Ref(ROOT, "issuer")}, "kept": {}, "a": 1}
    assert split(spec(values=values)) == ({"kept": {}, "a": 1}, {})


def test_secrets_are_split_off_by_their_path() -> None:
    printed, secrets = split(spec(values={"a": {"password": "x"}, "b": "y"}))
    assert (printed, secrets) == ({"b": "y"}, {("a", "password"): Sensitive("x")})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ref": "", "repo": "", "version": ""}, "gloo-platform {} --repo=https://storage.googleapis.com/"),
        ({"ref": "oci://x/y", "repo": "", "version": "2.9.0"}, "oci://x/y {} --version=2.9.0"),
        ({"ref": "own", "repo": "https://own", "version": ""}, "own {} --repo=https://own"),
    ],
)
def test_a_release_of_the_management_plane_keeps_its_values_and_is_never_installed(
    changes: dict[str, str], words: str
) -> None:
    one = spec("gloo-platform", missing="install it first")
    first = commands(replace(one, job=replace(one.job, **changes))).create.splitlines()[0]
    begin = words.format("--kube-context=a --namespace=istio-system")
    assert first.startswith(f"helm upgrade gloo-platform {begin}")
    assert first.endswith(" --reuse-values --values=- <<'EOF'")
    assert "--install" not in first


def test_an_adopted_release_is_found_under_any_name_and_keeps_the_values_of_its_users() -> None:
    one = spec("base")
    resource = Resource(Key("chart", "a", "base"), Place("istio-system", "istio-base"), one, adopt=True)
    found, upgrade, *_ = release_commands(CLUSTER, resource).create.splitlines()
    listed = "helm list --kube-context=a --namespace=istio-system"
    assert found == f"release=$({listed} | awk '$(NF-1) ~ /^base-[0-9]/ {{print $1}}')"
    assert upgrade.startswith('helm upgrade --install "${release:-base}" base ')
    assert " --reset-then-reuse-values --values=- " in upgrade


def test_a_value_that_is_not_known_yet_is_not_taken_for_a_secret() -> None:
    assert split(spec(values={"a": Unknown(ROOT)}))[1] == {}
