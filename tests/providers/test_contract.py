"""One contract for every kind, on real API servers.

Kinds `cert` and `secret` keep secrets and have tests of their own as well; here they are held to what
all kinds promise. What waits for a running istiod (a programmed gateway, a connected link) is proved
in `tests/e2e`: here, "as wanted" means that nothing differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mesh.engine.remember import remember
from mesh.lab import Lab, gateway_api_crds
from mesh.model import Action, Field, Found, Key, Live, Place, Sensitive, Unread
from mesh.model.spec import GatewayAPI
from mesh.planner.step import step_for
from mesh.providers.chart import ChartProvider, ChartSpec
from mesh.providers.crds import CrdsProvider, CrdsSpec
from mesh.providers.gateway import GatewayProvider
from mesh.providers.label import LabelLocator, LabelProvider, LabelSpec
from mesh.providers.link import LinkProvider
from mesh.providers.namespace import NamespaceProvider
from mesh.providers.secret import SecretProvider, SecretSpec
from mesh.sdk.contract import Last, Provider
from mesh.sdk.kube_object import Manifest
from mesh.sdk.kube_secret import place
from mesh.world import HelmJob, World
from mesh.world.helm.client import connect as helms
from mesh.world.snapshot import Snapshot
from tests.conftest import Tool
from tests.providers.worlds import fresh_namespace, look, without_rights, world_on

CLUSTER = "cluster1"
MESH = "contract"
LABEL = "example.org/contract"
Eventually = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """A resource of a kind, and other specs that it may be changed to.

    `owned`: our mark is on it, so that it is found without a record. `alone`: ready without an istiod.
    """

    kind: Provider[Any]
    key: Key
    place: Place
    spec: Any
    changes: tuple[Any, ...] = ()
    owned: bool = True
    alone: bool = True

    def look(self, world: World) -> Found:
        return look(self.kind, self.key, self.place, world)

    def live(self, world: World) -> Live:
        found = self.look(world)
        assert isinstance(found, Live), found
        return found

    def fields(self, spec: Any, world: World, last: Last | None = None) -> tuple[Field, ...]:
        """What would be changed; () if it is as wanted, ready or not."""
        step = step_for(self.kind, spec, self.key, self.live(world), last, world.clock.now())
        assert step is None or step.action in {Action.READ, Action.UPDATE, Action.REPLACE}
        return step.fields if step else ()

    def last(self, spec: Any, world: World) -> Last:
        return remember(self.kind, spec, self.place, self.live(world), None, made=True)


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> World:
    one = world_on(lab, tmp_path)
    env = {**one.env, "PATH": lab.environment()["PATH"]}
    run = tmp_path / "run"
    run.mkdir()
    return replace(one, env=env, helms=helms([(name, name, "") for name in lab.contexts], env, run_dir=run))


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    with fresh_namespace(world, CLUSTER) as name:
        yield name


@pytest.fixture
def gateway_api(kubectl: Tool) -> None:
    if "/gateways.gateway.networking.k8s.io" in kubectl(CLUSTER, "get", "crd", "-o", "name"):
        return
    kubectl(CLUSTER, "apply", "--server-side", "--force-conflicts", "-f", str(gateway_api_crds()))


@pytest.fixture
def no_gateway_api(kubectl: Tool, eventually: Eventually) -> Iterator[None]:
    """No CRDs of the Gateway API in the cluster, and none left afterwards."""

    def members() -> list[str]:
        names = kubectl(CLUSTER, "get", "crd", "-o", "name").split()
        return [name for name in names if name.endswith("gateway.networking.k8s.io")]

    def remove() -> None:
        if members():
            kubectl(CLUSTER, "delete", "--wait=false", *members())
        left = eventually(members, until=lambda left: not left, seconds=20)
        for name in left:
            # The finalizer of a CRD deleted right after it was made backs off for minutes; an edit wakes it.
            kubectl(CLUSTER, "annotate", name, "lab.meshform.io/nudged=true")
        assert eventually(members, until=lambda left: not left, seconds=120) == []

    remove()
    yield
    remove()


def gateway(namespace: str, kind: str) -> dict[str, Any]:
    listeners = [
        {"name": name, "port": port, "protocol": protocol, "tls": {"mode": "Passthrough"}}
        for name, port, protocol in (("cross-network", 15008, "HBONE"), ("xds-tls", 15012, "TLS"))
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": "one",
            "namespace": namespace,
            "labels": {"topology.istio.io/network": "net1", "topology.istio.io/cluster": "cluster1"},
            "annotations": {"gateway.istio.io/trust-domain": "cluster1.local"},
        },
        "spec": {
            "gatewayClassName": kind,
            "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}],
            "listeners": listeners,
        },
    }


def gateway_changes(body: Mapping[str, Any]) -> Iterator[Manifest]:
    """One change of each field that a gateway or link sets."""
    meta, spec = body["metadata"], body["spec"]
    first, second = spec["listeners"]

    def changed(**parts: Any) -> Manifest:
        return Manifest(MESH, {**body, **parts})

    yield changed(metadata={**meta, "labels": {**meta["labels"], "topology.istio.io/network": "net2"}})
    yield changed(metadata={**meta, "labels": {"topology.istio.io/network": "net1"}})
    yield changed(metadata={**meta, "labels": {**meta["labels"], "topology.kubernetes.io/region": "r1"}})
    yield changed(metadata={**meta, "annotations": {"gateway.istio.io/trust-domain": "other"}})
    yield changed(spec={**spec, "addresses": [{"type": "Hostname", "value": "a.example.org"}]})
    yield changed(spec={**spec, "listeners": [first, {**second, "port": 31012}]})
    yield changed(spec={**spec, "listeners": [first]})


@pytest.fixture
def gateway_case(namespace: str, gateway_api: None) -> Case:
    body = gateway(namespace, "istio-eastwest")
    key, where = Key("gateway", CLUSTER, "one"), Place(namespace, "one")
    return Case(
        GatewayProvider(), key, where, Manifest(MESH, body), tuple(gateway_changes(body)), alone=False
    )


@pytest.fixture
def link_case(namespace: str, gateway_api: None) -> Case:
    body = gateway(namespace, "istio-remote")
    key, where = Key("link", CLUSTER, "one"), Place(namespace, "one")
    return Case(LinkProvider(), key, where, Manifest(MESH, body), tuple(gateway_changes(body)), alone=False)


@pytest.fixture
def namespace_case(kubectl: Tool) -> Iterator[Case]:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "contract-made"}}
    key, where = Key("namespace", CLUSTER, "contract-made"), Place("", "contract-made")
    yield Case(NamespaceProvider(), key, where, Manifest(MESH, body))
    kubectl(CLUSTER, "delete", "namespace", "contract-made", "--ignore-not-found")


@pytest.fixture
def label_case(namespace: str) -> Case:
    spec, where = LabelSpec(MESH, namespace, {LABEL: "one"}), Place("", namespace, LabelLocator(LABEL))
    other = replace(spec, labels={LABEL: "two"})
    return Case(LabelProvider(), Key("label", CLUSTER, namespace), where, spec, (other,), owned=False)


@pytest.fixture
def secret_case(namespace: str) -> Case:
    key = Key("secret", CLUSTER, "licence")
    spec = SecretSpec(MESH, key, namespace, "licence", Sensitive("one"))
    changes = (replace(spec, value=Sensitive("two")),)
    return Case(SecretProvider(), key, place(MESH, namespace, "licence"), spec, changes)


@pytest.fixture
def crds_case(no_gateway_api: None) -> Case:
    spec = CrdsSpec(MESH, GatewayAPI("v1.0.0", str(gateway_api_crds())))
    key, where = Key("crds", CLUSTER, "gateway-api"), Place("", "gateway-api")
    return Case(CrdsProvider(), key, where, spec, owned=False)


CHART = {
    "Chart.yaml": "apiVersion: v2\nname: base\nversion: 1.0.0\n",
    "values.yaml": "a: 0\nmap: {}\n",
    "templates/map.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n"
        "data: {a: {{ .Values.a | quote }}, map: {{ .Values.map | toJson | quote }}}\n"
    ),
}


@pytest.fixture
def chart_case(namespace: str, tmp_path: Path) -> Case:
    for name, text in CHART.items():
        path = tmp_path / "base" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    job = HelmJob("one", namespace, str(tmp_path / "base"), "", "", {"a": 1, "map": {"x": True, "y": "z"}})
    spec = ChartSpec(MESH, "base", job)
    values: tuple[dict[str, Any], ...] = (
        {"a": 2, "map": {"x": True, "y": "z"}},
        {"a": 1, "map": {"x": True}},
        {"a": 1, "map": {"x": True, "y": "z", "list": [1, 2]}},
        {"a": 1, "map": {"x": 1, "y": "z"}},
    )
    changes = tuple(replace(spec, job=replace(job, values=each)) for each in values)
    key, where = Key("chart", CLUSTER, "base"), Place(namespace, "one")
    return Case(ChartProvider(), key, where, spec, changes, owned=False)


KINDS = ("namespace", "label", "secret", "crds", "gateway", "link", "chart")
QUICK = tuple(name for name in KINDS if name != "crds")
"""Without the kind whose cases begin with the removal of all CRDs, where that proves nothing more."""

CHANGING = tuple(name for name in KINDS if name not in {"namespace", "crds"})
"""Without the kinds of which nothing ever changes."""


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.getfixturevalue(f"{request.param}_case")
    return found


def test_what_is_not_there_reads_as_none_and_what_was_made_is_as_wanted(
    case: Case, world: World, eventually: Eventually
) -> None:
    assert case.look(world) is None
    case.kind.create(case.spec, case.key, world)
    if case.alone:
        assert eventually(lambda: case.kind.ready(case.spec, case.live(world)))
    live = case.live(world)
    assert case.fields(case.spec, world) == ()
    assert live.uid
    assert live.token == case.live(world).token
    case.kind.create(case.spec, case.key, world)
    again = case.live(world)
    assert (again.attrs, case.fields(case.spec, world)) == (live.attrs, ())
    if not isinstance(case.kind, ChartProvider):
        assert (again.uid, again.token) == (live.uid, live.token)
    if case.owned:
        assert case.kind.owned(MESH, Snapshot(CLUSTER, world)) == {case.key: case.place}


@pytest.mark.parametrize("case", CHANGING, indirect=True)
def test_each_change_is_seen_carried_out_and_taken_back(case: Case, world: World) -> None:
    assert case.changes
    case.kind.create(case.spec, case.key, world)
    for change in case.changes:
        for before, after in ((case.spec, change), (change, case.spec)):
            last, live = case.last(before, world), case.live(world)
            seen = case.fields(after, world, last)
            assert seen, change
            assert case.kind.preview(after, case.key, live, world).held == ()
            case.kind.update(after, case.key, live, last, world)
            assert case.fields(after, world, last) == ()
            assert case.live(world).token != live.token
            case.kind.update(after, case.key, case.live(world), last, world)
            assert case.fields(after, world, last) == ()


def test_what_is_deleted_is_gone_and_can_be_deleted_again(
    case: Case, world: World, eventually: Eventually
) -> None:
    case.kind.create(case.spec, case.key, world)
    live, last = case.live(world), case.last(case.spec, world)
    assert case.kind.delete(case.key, case.place, live, last, world) == ()
    assert eventually(lambda: case.look(world), until=lambda found: found is None, seconds=120) is None
    if not isinstance(case.kind, LabelProvider):
        assert case.kind.delete(case.key, case.place, live, last, world) == ()
    case.kind.create(case.spec, case.key, world)
    assert case.fields(case.spec, world) == ()


@pytest.mark.parametrize("case", QUICK, indirect=True)
def test_a_preview_writes_nothing(case: Case, world: World) -> None:
    preview = case.kind.preview(case.spec, case.key, None, world)
    assert (preview.refusals, preview.held) == ((), ())
    assert case.look(world) is None


@pytest.mark.parametrize("case", QUICK, indirect=True)
def test_what_may_not_be_read_is_unread_and_says_why(case: Case, world: World) -> None:
    found = case.look(without_rights(world))
    assert isinstance(found, Unread)
    assert "nobody" in found.why
