"""A person who can write ConfigMaps and Secrets in one cluster makes mesh do nothing elsewhere."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.state.lockfile import from_text, to_text
from tests.conftest import Tool

from .hands import NO_CHANGES, Mesh, clone

HOME = ("-n", "istio-system")
ENTRY = {"needs": [], "fields": {}, "created": True, "uid": "", "outputs": {}, "status": "ok"}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "evil-deputy"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}],
}
Attack = Callable[[dict[str, Any]], None]


@pytest.fixture
def attack(mesh: Mesh, kubectl: Tool) -> Iterator[Attack]:
    """Write entries into cluster1's copy of the state; the next apply of the mesh writes it again."""
    text = kubectl("cluster1", "get", "configmap", *HOME, "mesh-demo-state", "-o", "json")

    def write(entries: dict[str, Any]) -> None:
        config = json.loads(text)
        state = from_text(config["data"]["mesh.lock"], "")
        forged = json.loads(to_text(replace(state, serial=state.serial + 1, run="evil")))
        forged["resources"] |= entries
        config["data"]["mesh.lock"] = _signed(forged)
        config["metadata"].pop("resourceVersion")
        kubectl("cluster1", "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=_bare(config))

    yield write
    config = json.loads(text)
    kubectl("cluster1", "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=_bare(config))


def _bare(obj: dict[str, Any]) -> str:
    meta = {name: obj["metadata"][name] for name in ("name", "namespace", "labels")}
    return json.dumps({**obj, "metadata": meta})


def _signed(body: dict[str, Any]) -> str:
    """The text of a forged state, with the digest that belongs to it."""
    from mesh.state.lockfile import _digest  # an attacker computes it as well

    body.pop("digest", None)
    return json.dumps({**body, "digest": _digest(body)}, indent=1, sort_keys=True)


def release(kubectl: Tool, chart: dict[str, Any], **labels: str) -> None:
    """Write the Secret of a release that helm never made."""
    payload = {
        "name": "evil",
        "namespace": "istio-system",
        "version": 1,
        "apply_method": "ssa",
        "info": {"status": "deployed"},
        "chart": {"files": [], "values": {}, **chart},
        "config": {"a": "1"},
        "manifest": yaml.safe_dump(BINDING),
    }
    packed = base64.b64encode(gzip.compress(json.dumps(payload).encode()))
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": "sh.helm.release.v1.evil.v1",
            "namespace": "istio-system",
            "labels": {"owner": "helm", "name": "evil", "status": "deployed", "version": "1", **labels},
        },
        "data": {"release": base64.b64encode(packed).decode()},
    }
    kubectl("cluster1", "apply", "--server-side", "-f", "-", stdin=json.dumps(secret))


@pytest.fixture
def no_release(kubectl: Tool) -> Iterator[None]:
    yield
    kubectl("cluster1", "delete", "secret", *HOME, "sh.helm.release.v1.evil.v1", "--ignore-not-found")


def test_a_forged_copy_in_one_cluster_destroys_nothing_in_another(
    mesh: Mesh, kubectl: Tool, attack: Attack, tmp_path: Path
) -> None:
    kubectl("cluster2", "create", "namespace", "victim")
    kubectl("cluster2", "create", "secret", "generic", "db", "-n", "victim", "--from-literal=a=b")
    kubectl("cluster1", "create", "namespace", "theirs")
    attack(
        {
            "secret/cluster2/db": {**ENTRY, "place": ["victim", "db", "field manager kubectl-create"]},
            "namespace/cluster2/victim": {**ENTRY, "place": ["", "victim", ""]},
            "namespace/cluster1/theirs": {**ENTRY, "place": ["", "theirs", ""]},
        }
    )
    try:
        for lockfile in (True, False):
            other = clone(mesh, tmp_path / f"clone-{lockfile}")
            if not lockfile:
                (other.folder / "mesh.lock").unlink()
            answer = other("plan")
            assert answer.code == 0, answer
            assert "namespace/cluster2/victim, secret/cluster2/db of other clusters: ignored" in answer
            assert "will be destroyed" not in answer
            assert "it stays: it carries no mark of this mesh" in answer
        mesh.mended()
        assert "db" in kubectl("cluster2", "get", "secret", "-n", "victim", "-o", "name")
        assert kubectl("cluster1", "get", "namespace", "theirs", "-o", "name")
    finally:
        kubectl("cluster2", "delete", "namespace", "victim")
        kubectl("cluster1", "delete", "namespace", "theirs")


def test_a_forged_release_writes_no_file_on_this_machine(
    mesh: Mesh, kubectl: Tool, attack: Attack, no_release: None, tmp_path: Path
) -> None:
    target = tmp_path / "sitecustomize"
    code = {"name": "__init__.py", "data": base64.b64encode(b"raise SystemExit").decode()}
    release(kubectl, {"metadata": {"name": str(target), "version": "1.0.0"}, "templates": [code]})
    attack({"chart/cluster1/evil": {**ENTRY, "created": False, "place": ["istio-system", "evil", ""]}})
    answer = clone(mesh, tmp_path / "clone")("plan")
    assert "which is not the name of a chart: helm did not write it" in answer
    assert not target.exists()


def test_a_forged_release_is_no_deputy_for_other_rights(
    mesh: Mesh, kubectl: Tool, attack: Attack, no_release: None, tmp_path: Path
) -> None:
    template = {
        "name": "templates/x.yaml",
        "data": base64.b64encode(yaml.safe_dump(BINDING).encode()).decode(),
    }
    about = {"metadata": {"name": "evil", "version": "1.0.0", "apiVersion": "v2"}, "templates": [template]}
    fields = {"values.a": "x"}
    entry = {**ENTRY, "fields": fields, "created": False, "place": ["istio-system", "evil", ""]}
    attack({"chart/cluster1/evil": entry})
    release(kubectl, about)
    answer = clone(mesh, tmp_path / "unmarked")("plan")
    assert "it stays as it is: it carries no mark of this mesh" in answer
    release(kubectl, about, **{"meshform.io/mesh": "demo"})
    answer = clone(mesh, tmp_path / "marked")("plan")
    assert answer.code == 5, answer
    assert "would create ClusterRoleBinding evil-deputy, which does not exist" in answer
    assert "--allow-new-objects chart/cluster1/evil" in answer


def test_a_cluster_that_left_the_file_is_not_taken_for_the_one_behind_its_context(
    mesh: Mesh, tmp_path: Path
) -> None:
    other = clone(mesh, tmp_path / "clone")
    other.edit(lambda spec: spec.update(clusters=spec["clusters"][:1], links=[]))
    config = yaml.safe_load(Path(mesh.env["KUBECONFIG"]).read_text())
    first = next(each["context"] for each in config["contexts"] if each["name"] == "cluster1")
    for each in config["contexts"]:
        each["context"] = first
    swapped = tmp_path / "swapped"
    swapped.write_text(yaml.safe_dump(config))
    for verb in ("plan", "destroy"):
        answer = other(*([verb] if verb == "plan" else [verb, "--yes"]), env={"KUBECONFIG": str(swapped)})
        assert answer.code == 5, answer
        assert "is not the cluster of the last apply" in answer
    assert mesh("plan").out.startswith(NO_CHANGES)
