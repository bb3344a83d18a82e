"""Helm's releases as its Secrets hold them."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesh.errors import HelmError
from mesh.lab import Lab
from mesh.world import Object
from mesh.world.helm.releases import FIELDS, LABELS, PENDING, ReleaseView, decode, newest, unlock
from mesh.world.kube.client import ApiServer, connect
from mesh.world.kube.errors import Conflict
from mesh.world.resources import SECRET

Tool = Callable[..., str]


def packed(payload: object, *, zipped: bool = True) -> str:
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    inner = gzip.compress(text) if zipped else text
    return base64.b64encode(base64.b64encode(inner)).decode()


def release(revision: int, status: str, name: str = "istiod", **more: object) -> Object:
    payload = {
        "name": name,
        "namespace": "istio-system",
        "version": revision,
        "info": {"status": status, "description": "d", "last_deployed": "2026-01-01T00:00:00Z"},
        "chart": {"metadata": {"name": "istiod", "version": "1.30.2", "appVersion": "1.30.2"}},
        "config": {"a": revision},
        "manifest": f"---\n# Source: x\nkind: A\nn: {revision}\n---\n# nothing\n",
        "hooks": [{}, {}],
        "apply_method": "ssa",
        **more,
    }
    return {
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{revision}",
            "namespace": "istio-system",
            "uid": f"uid-{revision}",
            "labels": {"owner": "helm", "name": name, "status": status, "version": str(revision)},
        },
        "type": "helm.sh/release.v1",
        "data": {"release": packed(payload)},
    }


def test_a_release_reads_as_helm_wrote_it() -> None:
    one = decode(release(3, "deployed"))
    assert (one.name, one.namespace, one.revision, one.status) == ("istiod", "istio-system", 3, "deployed")
    assert (one.chart, one.chart_version, one.app_version) == ("istiod", "1.30.2", "1.30.2")
    assert (one.config, one.hooks, one.apply_method, one.uid) == ({"a": 3}, 2, "ssa", "uid-3")
    assert one.objects() == [{"kind": "A", "n": 3}]


def test_values_and_manifest_do_not_print() -> None:
    one = release(1, "deployed", config={"password": "hunter2"}, manifest="kind: Secret\nx: hunter2\n")
    assert "hunter2" not in repr(newest([one]))


def test_the_newest_deployed_revision_tells_what_is_there_and_the_newest_how_it_fares() -> None:
    view = newest([release(9, "superseded"), release(10, "deployed"), release(11, "failed")])
    (one,) = view.values()
    assert (one.status, one.newest.revision) == ("failed", 11)
    assert one.deployed is not None
    assert (one.deployed.revision, one.deployed.config) == (10, {"a": 10})
    assert not one.pending


def test_releases_are_kept_apart_and_in_order() -> None:
    found = newest(
        [release(1, "deployed", "ztunnel"), release(2, "deployed"), {**release(3, "x"), "type": "Opaque"}]
    )
    assert list(found) == [("istio-system", "istiod"), ("istio-system", "ztunnel")]


def test_what_was_uninstalled_and_kept_its_history_is_not_there() -> None:
    over = [release(1, "superseded"), release(2, "uninstalled")]
    assert newest(over) == {}
    (again,) = newest([*over, release(3, "deployed")]).values()
    assert again.newest.revision == 3


@pytest.mark.parametrize(
    ("chart", "more", "expected"),
    [
        ("base", {"description": "Everything that Acme's services share"}, False),
        ("cni", {"keywords": ["calico"], "home": "https://cni.example"}, False),
        ("base", {"keywords": ["istio"]}, True),
        ("cni", {"sources": ["https://github.com/istio/istio"]}, True),
        ("ztunnel", {}, True),
    ],
)
def test_a_chart_that_shares_no_more_than_its_name_with_istios_is_none_of_them(
    chart: str, more: dict[str, object], expected: bool
) -> None:
    about = {"metadata": {"name": chart, "version": "1.0.0", **more}}
    note = "metadata:\n  name: acme\n  annotations: {sidecar.istio.io/inject: 'false'}\n"
    (one,) = newest([release(1, "deployed", chart=about, manifest=note)]).values()
    assert one.is_of(chart) is expected
    assert not one.is_of("istiod")


@pytest.mark.parametrize("name", ["istio-cni-node", '"istio-cni"', "wasmplugins.extensions.istio.io"])
def test_a_chart_that_says_nothing_of_istio_is_known_by_what_it_brings(name: str) -> None:
    about = {"metadata": {"name": "cni", "version": "1.0.0"}}
    manifest = f"kind: DaemonSet\nmetadata:\n  name: {name}\n"
    (one,) = newest([release(1, "deployed", chart=about, manifest=manifest)]).values()
    assert one.is_of("cni")


def test_a_release_that_never_worked_has_nothing_deployed() -> None:
    (one,) = newest([release(1, "pending-install")]).values()
    assert one.deployed is None
    assert one.pending


def test_the_token_moves_with_every_write_of_helm() -> None:
    def token(secret: Object) -> str:
        return next(iter(newest([secret]).values())).token

    same = release(1, "deployed")
    assert token(same) == token(json.loads(json.dumps(same)))
    others = (release(2, "deployed"), release(1, "failed"), release(1, "deployed", config={}))
    assert len({token(same), *map(token, others)}) == 4


def test_an_early_release_without_gzip_is_read() -> None:
    one = release(1, "deployed")
    one["data"]["release"] = packed({"name": "old", "version": 1}, zipped=False)
    assert decode(one).name == "old"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"release": "%%%"},
        {"release": packed(b"\x1f\x8b\x08 cut")},
        {"release": packed([1])},
        {"release": packed(b"\0" * (65 * 1024 * 1024))},
    ],
)
def test_what_is_no_release_or_a_bomb_is_told_without_its_content(data: dict[str, str]) -> None:
    with pytest.raises(HelmError, match=r"the Secret sh\.helm\.release\.v1\.istiod\.v1 in istio-system"):
        decode({**release(1, "deployed"), "data": data})


# The rest runs on a real API server, with the real helm.


@pytest.fixture
def kube(lab: Lab) -> ApiServer:
    return connect([("one", "cluster1", "")], {**os.environ, **lab.environment()})["one"]


@pytest.fixture
def installed(kubectl: Tool, helm: Tool, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace with the release `tiny` of a chart of one ConfigMap, whose folder is `chart`."""
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text("{apiVersion: v2, name: tiny, version: 0.1.0}")
    (tmp_path / "chart" / "templates" / "cm.yaml").write_text(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: tiny}, data: {x: {{ .Values.x | quote }}}}"
    )
    name = f"rel-{abs(hash(request.node.name)) % 10**8}"
    kubectl("cluster1", "create", "namespace", name)
    helm("cluster1", "install", "tiny", str(tmp_path / "chart"), "-n", name, "--set", "x=1")
    yield name
    kubectl("cluster1", "delete", "namespace", name, "--wait=false")


def view(kube: ApiServer, namespace: str) -> ReleaseView:
    listed = kube.list(SECRET, namespace=namespace, fields=FIELDS, labels=LABELS)
    return newest(listed)[namespace, "tiny"]


def test_a_real_release_is_found_in_one_list(kube: ApiServer, installed: str) -> None:
    one = view(kube, installed)
    assert one.deployed == one.newest
    assert (one.newest.chart, one.newest.config, one.newest.apply_method) == ("tiny", {"x": 1}, "ssa")
    assert one.newest.objects()[0]["data"] == {"x": "1"}
    assert kube.requests == {("list", "secrets"): 1}


@pytest.mark.parametrize("status", sorted(PENDING))
def test_a_release_that_was_left_half_done_is_freed_for_helm(
    kube: ApiServer, helm: Tool, installed: str, tmp_path: Path, status: str
) -> None:
    pending = _put(kube, view(kube, installed).secret, status)
    unlock(kube, pending)
    freed = view(kube, installed)
    assert (freed.status, freed.newest.description) == (
        "failed",
        f"Release unlocked from stale {status!r} state",
    )
    unlock(kube, freed.secret)
    helm("cluster1", "upgrade", "--install", "tiny", str(tmp_path / "chart"), "-n", installed, "--set", "x=2")
    assert view(kube, installed).status == "deployed"


def test_a_release_that_somebody_wrote_since_is_not_freed(kube: ApiServer, installed: str) -> None:
    pending = _put(kube, view(kube, installed).secret, "pending-upgrade")
    _put(kube, pending, "deployed")
    with pytest.raises(Conflict):
        unlock(kube, pending)
    assert view(kube, installed).status == "deployed"


def _put(kube: ApiServer, secret: Object, status: str) -> Object:
    """Write what a helm that was killed leaves."""
    payload = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    payload["info"]["status"] = status
    labels = {**secret["metadata"]["labels"], "status": status}
    metadata = {**secret["metadata"], "labels": labels}
    return kube.replace(
        {**secret, "metadata": metadata, "data": {"release": packed(payload)}}, manager="Helm"
    )
