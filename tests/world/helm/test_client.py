"""The real helm, run our way, against a real API server."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from mesh.errors import HelmError
from mesh.lab import Lab
from mesh.world import HelmJob
from mesh.world.disk.scratch import PREFIX
from mesh.world.helm.client import HelmCli, _home, connect
from mesh.world.helm.errors import (
    ChartNotFound,
    FieldConflict,
    HelmFailed,
    HelmMissing,
    HelmUnheard,
    PendingRelease,
    RenderFailed,
)
from tests.support.canaries import hits, planted

Tool = Callable[..., str]

TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data:
  x: {{ .Values.x | quote }}
  upgrade: {{ .Release.IsUpgrade | quote }}
  gke: {{ .Capabilities.KubeVersion.GitVersion | contains "-gke" | quote }}
  known: {{ .Capabilities.APIVersions.Has "mesh.test/v1" | quote }}
{{- with .Values.typo }}
dota: {{ . }}
{{- end }}
{{- if .Values.fail }}
{{ fail (printf "password: %s" .Values.token) }}
{{- end }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: hook
  annotations: {"helm.sh/hook": pre-delete, "helm.sh/hook-delete-policy": hook-succeeded}
"""


def chart(folder: Path) -> Path:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("{apiVersion: v2, name: tiny, version: 0.1.0}")
    (folder / "templates" / "all.yaml").write_text(TEMPLATE)
    return folder


@dataclass
class Rig:
    helm: HelmCli
    namespace: str
    chart: Path
    run_dir: Path

    def job(self, ref: str = "", version: str = "", **values: object) -> HelmJob:
        return HelmJob("tiny", self.namespace, ref or str(self.chart), "", version, values)


@pytest.fixture
def environment(lab: Lab) -> Mapping[str, str]:
    return {**os.environ, **lab.environment()}


@pytest.fixture
def rig(
    environment: Mapping[str, str], kubectl: Tool, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Rig]:
    name = f"helm-{abs(hash(request.node.name)) % 10**8}"
    kubectl("cluster1", "create", "namespace", name)
    run_dir = tmp_path / "run"
    run_dir.mkdir(mode=0o700)
    helm = connect([("one", "cluster1", "")], environment, run_dir=run_dir)["one"]
    yield Rig(helm, name, chart(tmp_path / "chart"), run_dir)
    kubectl("cluster1", "delete", "namespace", name, "--wait=false")


def test_a_rendering_is_for_the_cluster_it_is_told_and_leaves_hooks_out(rig: Rig) -> None:
    (one,) = rig.helm.template(rig.job(x="1"), kube_version="v1.33.1-gke.5", upgrade=False)
    assert one["data"] == {"x": "1", "upgrade": "false", "gke": "true", "known": "false"}
    (one,) = rig.helm.template(
        rig.job(x="1"), kube_version="v1.33.1", upgrade=True, api_versions=["mesh.test/v1", "a/v1"]
    )
    assert one["data"] == {"x": "1", "upgrade": "true", "gke": "false", "known": "true"}


def test_a_rendering_needs_no_cluster(rig: Rig, environment: Mapping[str, str]) -> None:
    env = {**environment, "KUBECONFIG": "/nowhere"}
    helm = connect([("one", "gone", "")], env, run_dir=rig.run_dir)["one"]
    assert helm.template(rig.job(x="1"), kube_version="v1.33.1", upgrade=False)


def test_values_arrive_with_every_character(rig: Rig, kubectl: Tool) -> None:
    text = "smile 😀 é \\/ \" ' \u2028 end"
    rig.helm.upgrade(rig.job(x=text))
    assert kubectl("cluster1", "-n", rig.namespace, "get", "cm", "tiny", "-o", "jsonpath={.data.x}") == text


def test_an_upgrade_forgets_the_values_before_and_keeps_nothing_on_disk(rig: Rig, helm: Tool) -> None:
    rig.helm.upgrade(rig.job(x="1", other="hunter2"))
    rig.helm.upgrade(rig.job())
    assert helm("cluster1", "get", "values", "tiny", "-n", rig.namespace, "-o", "json").strip() in (
        "null",
        "{}",
    )
    files = [path for path in rig.run_dir.rglob("*") if path.is_file()]
    assert not [path for path in files if "hunter2" in path.read_text()]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files if path.parent == rig.run_dir)
    assert stat.S_IMODE(rig.run_dir.stat().st_mode) == 0o700


def test_a_field_that_the_api_does_not_have_is_refused_by_the_api_server(rig: Rig) -> None:
    with pytest.raises(HelmError, match="dota: field not declared in schema"):
        rig.helm.upgrade(rig.job(x="1", typo="1"))


def test_uninstalling_may_be_done_twice(rig: Rig, kubectl: Tool) -> None:
    rig.helm.upgrade(rig.job(x="1"))
    rig.helm.uninstall("tiny", rig.namespace)
    rig.helm.uninstall("tiny", rig.namespace)
    assert "tiny" not in kubectl("cluster1", "-n", rig.namespace, "get", "cm", "-o", "name")


def test_fields_of_others_are_a_conflict_that_can_be_taken(rig: Rig, kubectl: Tool) -> None:
    rig.helm.upgrade(rig.job(x="1"))
    patch = '{"data":{"x":"2","upgrade":"no"}}'
    kubectl("cluster1", "-n", rig.namespace, "patch", "cm", "tiny", "-p", patch)
    with pytest.raises(FieldConflict) as error:
        rig.helm.upgrade(rig.job(x="3"))
    assert {(cause.manager, cause.path) for cause in error.value.fields} == {
        ("kubectl-patch", "data.x"),
        ("kubectl-patch", "data.upgrade"),
    }
    rig.helm.upgrade(rig.job(x="3"), force_conflicts=True)


def test_a_release_in_use_is_told_so(rig: Rig, kubectl: Tool) -> None:
    rig.helm.upgrade(rig.job(x="1"))
    _pretend_pending(kubectl, rig.namespace)
    with pytest.raises(PendingRelease, match="another operation"):
        rig.helm.upgrade(rig.job(x="2"))


@pytest.mark.parametrize(
    "ref", ["/nowhere/chart", "oci://127.0.0.1:1/none/none", "-x", "http://127.0.0.1:1/c.tgz"]
)
def test_a_chart_that_is_not_there_is_told(rig: Rig, ref: str) -> None:
    with pytest.raises(ChartNotFound):
        rig.helm.template(rig.job(ref, "1.0.0"), kube_version="v1.33.1", upgrade=False)


def test_a_failing_chart_is_told_without_the_secrets_in_its_values(rig: Rig) -> None:
    with pytest.raises(RenderFailed, match="execution error at") as error:
        rig.helm.upgrade(rig.job(fail=True, token="hunter2"))
    assert "hunter2" not in str(error.value)
    assert "cluster one (context cluster1)" in error.value.message


def test_a_missing_namespace_is_told_and_not_made(rig: Rig) -> None:
    job = HelmJob("tiny", "not-there", str(rig.chart), "", "", {})
    with pytest.raises(HelmFailed, match='namespaces "not-there" not found'):
        rig.helm.upgrade(job)


def test_helm_sees_nothing_of_the_users_helm_but_login_and_repositories(
    rig: Rig, environment: Mapping[str, str], tmp_path: Path
) -> None:
    fake = tmp_path / "bin" / "fake"
    fake.parent.mkdir()
    writes = f'env > {tmp_path}/env; echo "$@" > {tmp_path}/argv'
    fake.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v4.3 && exit\n{writes}\n')
    fake.chmod(0o700)
    (tmp_path / "login.json").write_text("{}")
    env = {
        **environment,
        "MESH_HELM": str(fake),
        "HELM_REGISTRY_CONFIG": str(tmp_path / "login.json"),
        "HELM_KUBETOKEN": "hunter2",
        "MESH_CA_PASSPHRASE": "hunter2",
        "GLOO_MESH_LICENSE_KEY": "hunter2",
        "HELM_DRIVER": "sql",
        "HTTPS_PROXY": "http://proxy.test",
        "HOME": str(tmp_path),
    }
    helm = connect([("one", "cluster1", "")], env, run_dir=rig.run_dir)["one"]
    helm.uninstall("tiny", rig.namespace)
    seen = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert {key: value for key, value in seen.items() if key.startswith("HELM_")} == {
        "HELM_DRIVER": "secret",
        "HELM_CACHE_HOME": str(rig.run_dir / "helm" / "cache"),
        "HELM_CONFIG_HOME": str(rig.run_dir / "helm" / "config"),
        "HELM_DATA_HOME": str(rig.run_dir / "helm" / "data"),
        "HELM_PLUGINS": os.devnull,
        "HELM_REGISTRY_CONFIG": str(tmp_path / "login.json"),
    }
    assert "hunter2" not in seen.values()
    assert (seen["LC_ALL"], seen["HTTPS_PROXY"]) == ("C", "http://proxy.test")
    argv = (tmp_path / "argv").read_text().split()
    assert argv[-2:] == ["--kube-context", "cluster1"]
    assert "--wait=hookOnly" in argv


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("echo v3.20.9", "v3.20.9, which is too old"),
        ("echo v4.2.3", "v4.2.3, which is too old"),
        ("echo hello", "does not print its version"),
        ("exit 1", "does not run"),
    ],
)
def test_a_helm_that_cannot_be_used_is_refused_with_the_way_out(
    tmp_path: Path, says: str, words: str
) -> None:
    fake = tmp_path / "helm"
    fake.write_text(f"#!/bin/sh\n{says}\n")
    fake.chmod(0o700)
    helm = connect([("one", "c", "")], {"PATH": f"{tmp_path}:/bin:/usr/bin"}, run_dir=tmp_path / "run")["one"]
    with pytest.raises(HelmMissing, match=words) as error:
        helm.uninstall("x", "y")
    assert "helm.sh" in error.value.hint
    assert "MESH_HELM" in error.value.hint


@pytest.mark.parametrize("version", ["v3.21.0", "v4.2.4", "v4.3", "v5.0.0"])
def test_a_helm_of_a_known_version_is_used(tmp_path: Path, version: str) -> None:
    fake = tmp_path / "helm"
    fake.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo {version}; echo "$@" >> {tmp_path}/argv\n')
    fake.chmod(0o700)
    helm = connect([("one", "c", "")], {"PATH": f"{tmp_path}:/bin:/usr/bin"}, run_dir=tmp_path / "run")["one"]
    helm.uninstall("x", "y")
    assert ("--wait=hookOnly" in (tmp_path / "argv").read_text()) == (version[1] != "3")


def test_no_argument_and_no_variable_of_helm_holds_a_value(tmp_path: Path) -> None:
    found, fake, seen = planted(), tmp_path / "helm", tmp_path / "seen"
    says = "case $1 in version) echo v4.3.0;; upgrade) echo '{}';; esac"
    fake.write_text(f'#!/bin/sh\n{says}; echo "$@" >> {seen}; env >> {seen}\n')
    fake.chmod(0o700)
    helm = connect([("one", "c", "")], {"PATH": f"{tmp_path}:/bin:/usr/bin"}, run_dir=tmp_path / "run")["one"]
    job = HelmJob("tiny", "x", "tiny", "", "0.1.0", found.values)
    helm.upgrade(job)
    helm.template(job, kube_version="v1.33.0", upgrade=False)
    assert "upgrade" in seen.read_text()
    assert "template" in seen.read_text()
    assert list(hits(seen.read_text(), found.secrets)) == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    left = [path for path in files if list(hits(path.read_text(), found.secrets))]
    assert left == []


@pytest.mark.parametrize("said", ["", "{", "no JSON", r"\377\376"])
def test_output_of_helm_that_cannot_be_read_is_an_error_of_helm(tmp_path: Path, said: str) -> None:
    path = tmp_path / "helm"
    path.write_text(f"#!/bin/sh\n[ \"$1\" = version ] && echo v4.2.4 && exit\nprintf '{said}'\n")
    path.chmod(0o755)
    env = {"MESH_HELM": str(path), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    one = connect([("east", "c", "none")], env, run_dir=tmp_path / "run")["east"]
    with pytest.raises(HelmUnheard, match="its output cannot be read"):
        one.upgrade(HelmJob("r", "n", "chart", "", "1.0.0", {}))


def test_without_helm_the_way_to_get_it_is_told(tmp_path: Path) -> None:
    helm = connect([("one", "c", "")], {"PATH": str(tmp_path)}, run_dir=tmp_path / "run")["one"]
    with pytest.raises(HelmMissing, match="helm is not on PATH"):
        helm.uninstall("x", "y")
    helm = connect([("one", "c", "")], {"MESH_HELM": "/no/helm"}, run_dir=tmp_path / "run")["one"]
    with pytest.raises(HelmMissing, match=r"/no/helm \(MESH_HELM\) does not exist"):
        helm.uninstall("x", "y")


def _pretend_pending(kubectl: Tool, namespace: str) -> None:
    """Write the release as a killed helm leaves it."""
    import base64
    import gzip
    import json

    secret = json.loads(
        kubectl("cluster1", "-n", namespace, "get", "secret", "sh.helm.release.v1.tiny.v1", "-o", "json")
    )
    payload = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    payload["info"]["status"] = "pending-upgrade"
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(payload).encode()))).decode()
    secret["data"]["release"] = packed
    secret["metadata"]["labels"]["status"] = "pending-upgrade"
    kubectl("cluster1", "replace", "-f", "-", stdin=json.dumps(secret))


def test_helms_own_files_are_beside_the_mesh_file_only_if_a_run_made_that_folder(tmp_path: Path) -> None:
    env, run_dir = {"HOME": str(tmp_path)}, tmp_path / ".mesh" / "run"
    assert _home(env, run_dir) == tmp_path / ".cache" / "mesh" / "helm"
    assert not run_dir.parent.exists()
    run_dir.mkdir(parents=True)
    assert _home(env, run_dir) == run_dir / "helm"
    assert _home({**env, "MESH_UNTRUSTED": "1"}, run_dir) == tmp_path / ".cache" / "mesh" / "helm"


def test_a_plan_needs_no_folder_that_can_be_written() -> None:
    folder = _home({"HOME": "/sys"}, Path("/sys/run"))
    assert folder.name.startswith(PREFIX)
    assert folder.stat().st_mode & 0o777 == 0o700
