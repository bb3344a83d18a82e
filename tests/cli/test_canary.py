"""No planted secret leaves the process: every verb and format, errors, files, the state in the clusters."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.cli.main import run
from mesh.model.mask import mask, secrets_in
from mesh.world import HelmJob, Object
from mesh.world.helm.errors import failure
from mesh.world.kube.errors import Call, Invalid, Missing
from tests.cli.offline import EXAMPLE
from tests.support.canaries import LISTED, Planted, hits, planted, spelled
from tests.support.memory import Memory, MemoryHelm

LICENCE = "canaryLicence7Zq9x"
PASSPHRASE = "canaryPassphrase8Zq"


GROUP = "gateway.networking.k8s.io"
CRDS = "\n---\n".join(
    json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": f"{plural}.{GROUP}",
                "annotations": {f"{GROUP}/bundle-version": "v1.4.0", f"{GROUP}/channel": "standard"},
            },
            "spec": {"group": GROUP},
        }
    )
    for plural in ("gatewayclasses", "gateways")
)


def loud(secrets: Iterable[str]) -> str:
    """Everything that a careless program could print, in every encoding."""
    return "\n".join(f"it is {text}" for secret in secrets for text in spelled(secret).values())


@dataclass
class Loud(Memory):
    """An API server that quotes what it is sent, when it refuses it."""

    said: str = ""

    def time(self) -> datetime:
        return datetime.now(UTC)

    def get_path(self, path: str) -> Object:
        if path == "/apis":
            return {"groups": []}
        if path in {"/version", f"/apis/{GROUP}/v1"}:
            return super().get_path(path)
        raise Missing(Call(self.cluster, self.cluster, "get", path), f"no {path}: {self.said}")

    def get_text(self, path: str) -> str:
        raise Missing(Call(self.cluster, self.cluster, "get", path), f"no {path}: {self.said}")

    def port_text(self, namespace: str, pod: str, port: int, asked: str) -> str:
        return self.get_text(f"{namespace}/{pod}:{port}/{asked}")

    def create(self, obj: Object, *, manager: str, dry_run: bool = False) -> Object:
        if obj["kind"] == "SelfSubjectAccessReview":
            return {"status": {"allowed": True}}
        return super().create(obj, manager=manager, dry_run=dry_run)

    def apply(self, obj: Object, *, manager: str, force: bool = False, dry_run: bool = False) -> Object:
        if obj["kind"] == "Gateway" and self.said:
            raise Invalid(Call(self.cluster, self.cluster, "patch", "gateways"), self.said)
        return super().apply(obj, manager=manager, force=force, dry_run=dry_run)


@dataclass
class LoudHelm(MemoryHelm):
    """A helm with charts that write every value everywhere, and that quotes them all in its errors."""

    fails: bool = False

    def template(self, job: HelmJob, **how: Any) -> list[Object]:
        return [*super().template(job, **how), *self._objects(job)]

    def upgrade(self, job: HelmJob, *, force_conflicts: bool = False) -> None:
        if self.fails:
            text = f"Error: execution error at (x): {loud(secrets_in(mask(dict(job.values), LISTED)))}"
            raise failure(f"cluster {self.kube.cluster}: helm cannot upgrade", text.encode(), job.values)
        super().upgrade(job, force_conflicts=force_conflicts)

    def _objects(self, job: HelmJob) -> list[Object]:
        meta = {"namespace": job.namespace, "annotations": {"all": json.dumps(dict(job.values), default=str)}}
        said = loud(secrets_in(mask(dict(job.values), LISTED)))
        return [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "all", **meta},
                "data": {"x": said},
            },
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "all", **meta}, "data": {"x": said}},
        ]


@dataclass
class Stage:
    """A folder with a mesh file full of secrets, two clusters in memory, and all that was printed."""

    folder: Path
    planted: Planted
    capsys: pytest.CaptureFixture[str]
    kubes: dict[str, Loud] = field(default_factory=dict)
    helms: dict[str, LoudHelm] = field(default_factory=dict)
    printed: dict[str, str] = field(default_factory=dict)

    @property
    def secrets(self) -> list[str]:
        return [*self.planted.secrets, LICENCE, PASSPHRASE]

    def __call__(self, *args: str) -> int:
        self.capsys.readouterr()
        code = run(list(args))
        out, err = self.capsys.readouterr()
        self.printed[f"{len(self.printed)} mesh {' '.join(args)} ({code})"] = out + err
        return code

    @property
    def last(self) -> str:
        """What the last command printed."""
        return list(self.printed.values())[-1]

    def write(self, values: dict[str, Any], listed: Iterable[str] = LISTED) -> None:
        body = yaml.safe_load(EXAMPLE.read_text())
        charts = dict.fromkeys(("istiod", "cni", "ztunnel"), values)
        body["spec"]["defaults"] = {"values": charts}
        body["spec"] |= {"sensitive": list(listed)} if listed else {}
        body["spec"]["gatewayAPI"] = {"version": "v1.4.0", "source": "crds.yaml"}
        (self.folder / "crds.yaml").write_text(CRDS)
        (self.folder / "mesh.yaml").write_text(json.dumps(body, indent=1))

    def leaks(self) -> Iterator[str]:
        """Yield where a secret shows: on a stream, in a file, or in what the clusters hold of the state."""
        for name, text in {**self.printed, **self._files(), **self._states()}.items():
            yield from (f"{name}: {hit}" for hit in hits(text, self.secrets))

    def _files(self) -> dict[str, str]:
        found = {}
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name not in {"mesh.yaml", "other.yaml"}:
                found[str(path.relative_to(self.folder))] = path.read_bytes().decode("utf-8", "replace")
        return found

    def _states(self) -> dict[str, str]:
        return {
            f"{cluster} {where}": json.dumps(obj, default=str)
            for cluster, kube in self.kubes.items()
            for where, obj in kube.objects.items()
            if where[0] in {"configmaps", "leases"} or where[2] == "mesh-demo-key"
        }


@pytest.fixture
def stage(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Return a stage with an empty mesh; the home folder holds the root key, in its encrypted form."""
    found = Stage(tmp_path / "folder", planted(), capsys)
    found.folder.mkdir()
    found.write(found.planted.values)
    found.kubes = {name: Loud(name) for name in ("cluster1", "cluster2")}
    found.helms = {name: LoudHelm(kube) for name, kube in found.kubes.items()}
    monkeypatch.setattr("mesh.world.kube.client.connect", lambda *_, **__: found.kubes)
    monkeypatch.setattr("mesh.world.helm.client.connect", lambda *_, **__: found.helms)
    for name in list(os.environ):
        if name.startswith(("MESH_", "GLOO_", "KUBE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GLOO_MESH_LICENSE_KEY", LICENCE)
    monkeypatch.setenv("MESH_CA_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("MESH_TRACEBACK", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MESH_LOG", f"debug:{found.folder / 'trace.log'}")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(found.folder)
    return found


SKIPPED = ("--skip-check", "P07", "--skip-check", "P12")
"""The servers in memory have no nodes, and serve what is asked for."""

FIRST = ("validate", "plan --json", "plan --format markdown", "why chart/cluster1/istiod")
READS = (
    "validate",
    "show",
    "show --manifests",
    "show --graph dot",
    "show --graph mermaid",
    "render --commands",
    "plan --out plan.txt",
    "plan --json",
    "plan --format markdown",
    "plan --detailed-exitcode -v",
    "status",
    "status --json",
    "check",
    "check --json",
    "check --format junit",
    "check --format sarif",
    "why chart/cluster1/istiod",
    "why chart/cluster1/istiod --json",
    "why secret/cluster1/solo-istio-license --json",
    "history",
    "history --json",
    "output",
    "output --json",
    "state show",
    "state show --json",
    "rbac --for apply --cluster cluster1",
)


def test_more_than_seventy_secrets_are_planted() -> None:
    found = planted()
    assert len(set(found.secrets)) >= 80
    assert not set(found.secrets) - {
        each for each in found.secrets if any(True for _ in hits(json.dumps(found.values), [each]))
    }


def test_the_search_for_leaks_finds_every_encoding() -> None:
    for secret in planted().secrets:
        missed = [name for name, text in spelled(secret).items() if not list(hits(text, [secret]))]
        assert missed == [], secret


def test_no_secret_leaves_the_process_on_the_way_from_nothing_to_a_mesh_and_back(stage: Stage) -> None:
    for line in FIRST:
        stage(*line.split())
    for helm in stage.helms.values():
        helm.fails = True
    stage("apply", "--yes", *SKIPPED, "--timeout", "1")
    stage("apply", "--yes", *SKIPPED, "--timeout", "1", "--json")
    for helm, kube in zip(stage.helms.values(), stage.kubes.values(), strict=True):
        helm.fails, kube.said = False, loud(stage.planted.secrets)
    stage("apply", "--yes", *SKIPPED, "--timeout", "1", "-v")
    for kube in stage.kubes.values():
        kube.said = ""
    code = stage("apply", "--yes", *SKIPPED, "--timeout", "1")
    assert code == 0, stage.last
    for line in READS:
        stage(*line.split())
    stage("destroy", "--yes", "--ignore-enrolled", "--timeout", "1")
    assert list(stage.leaks()) == []
