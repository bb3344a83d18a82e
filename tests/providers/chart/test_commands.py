"""One release as helm commands: what is printed, and which secrets the script asks for."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from mesh.model import Key, Place, Resource, Sensitive, Unknown
from mesh.model.refs import Ref
from mesh.providers.chart.commands import INSTALLED, release_commands, split
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
    found, first, *_ = commands(replace(one, job=replace(one.job, **changes))).create.splitlines()
    assert found == "release=$(installed gloo-platform istio-system gloo-platform --kube-context=a)"
    begin = words.format("--kube-context=a --namespace=istio-system")
    assert first.startswith(f'helm upgrade "$release" {begin}')
    assert first.endswith(" --reset-then-reuse-values --values=- <<'EOF'")
    assert "--install" not in first


def test_an_adopted_release_is_found_under_any_name_and_keeps_the_values_of_its_users() -> None:
    resource = Resource(Key("chart", "a", "base"), Place("istio-system", "base"), spec("base"), adopt=True)
    made = release_commands(CLUSTER, resource)
    found, upgrade, *_ = made.create.splitlines()
    assert found == "release=$(installed base istio-system base --kube-context=a)"
    assert upgrade.startswith('helm upgrade --install "$release" base ')
    assert " --reset-then-reuse-values --values=- " in upgrade
    assert made.once == (INSTALLED,)
    assert commands(spec("base")).once == ()


HELM = """#!/usr/bin/env bash
[[ $* == "upgrade --help" ]] && echo "${FLAGS---reset-then-reuse-values}"
[[ $1 == list && $* == *--kube-context=a* ]] && cat "$LISTED"
[[ $1 == get ]] && echo "metadata: {name: $([[ $3 == foreign ]] && echo theirs || echo istiod-clusterrole)}"
exit 0
"""


def script(folder: Path, asked: str, rows: list[tuple[str, str, str]], **env: str) -> CompletedProcess[str]:
    """What a script prints of the release that it finds, beside a helm that lists some."""
    helm, listed = folder / "helm", folder / "listed"
    helm.write_text(HELM)
    helm.chmod(0o755)
    listed.write_text("\n".join([TITLES, *(ROW.format(*row) for row in rows)]) + "\n")
    return subprocess.run(
        ["bash", "-c", f'set -euo pipefail\n{INSTALLED}\nname=$({asked})\necho "$name"'],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "LISTED": str(listed), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


TITLES = "NAME NAMESPACE REVISION UPDATED STATUS CHART APP VERSION"
ROW = "{1}\t{0}\t2\t2026-11-27 16:41:58.6 +0000 UTC\tdeployed\t{2}\t1.31.0"


@pytest.mark.parametrize(
    ("chart", "rows", "expected"),
    [
        ("base", [], "istio-base"),
        (
            "base",
            [("istio-system", "my-base", "base-1.31.0"), ("istio-system", "x", "istiod-1.31.0")],
            "my-base",
        ),
        ("base", [("istio-system", "foreign", "base-0.3.0")], "istio-base"),
        ("base", [("istio-system", "foreign", "base-0.3.0"), ("istio-system", "b", "base-1.0.0")], "b"),
        ("base", [("istio-system", "x", "my-base-1.31.0")], "istio-base"),
        ("gloo-platform", [("istio-system", "crds", "gloo-platform-crds-2.9.0")], "istio-base"),
        ("istiod", [("istio-system", "a", "istiod-1.0.0"), ("istio-system", "b", "istiod-1.0.0")], ""),
        ("cni", [("kube-system", "istio-cni", "cni-1.31.0")], ""),
    ],
)
def test_the_script_takes_the_one_release_of_istios_chart(
    tmp_path: Path, chart: str, rows: list[tuple[str, str, str]], expected: str
) -> None:
    done = script(tmp_path, f"installed {chart} istio-system istio-base --kube-context=a", rows)
    assert done.stdout.strip() == expected
    assert (done.returncode == 0) is bool(expected)
    if not expected:
        assert f"chart {chart} is installed as " in done.stderr


def test_an_older_helm_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    done = script(tmp_path, "false", [], FLAGS="--reuse-values")
    assert (done.returncode, done.stdout) == (1, "")
    assert "helm 3.14 or newer is needed" in done.stderr


def test_a_value_that_is_not_known_yet_is_not_taken_for_a_secret() -> None:
    assert split(spec(values={"a": Unknown(ROOT)}))[1] == {}
