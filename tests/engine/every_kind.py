"""A mesh of every kind that mesh writes, in memory: what a file may want of it, and what is found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from mesh.config.decode import load_mesh
from mesh.engine import plan as planning
from mesh.engine.registry import all_kinds
from mesh.engine.result import RunResult
from mesh.engine.run_options import RunOptions
from mesh.engine.session import Planned, Session
from mesh.engine.verbs import apply
from mesh.model import Key, Place, Resource, Sensitive
from mesh.model.spec import GatewayAPI, GenerateCA, Intermediate
from mesh.planner.inputs import PlanOptions
from mesh.providers.cert import ISSUER, ROOT, IntermediateSpec, RootSpec, cacerts_place, root_place
from mesh.providers.chart import ChartSpec
from mesh.providers.crds import CrdsSpec
from mesh.providers.gateway import GatewaySpec
from mesh.providers.label import LabelLocator, LabelSpec
from mesh.providers.link import LinkSpec
from mesh.providers.secret import SecretSpec
from mesh.sdk.kube_object import Manifest, ManifestProvider
from mesh.sdk.kube_secret import place as secret_place
from mesh.state.store import Store
from mesh.world import HelmJob, World
from mesh.world.resources import CRD, NAMESPACE, SECRET, ResourceType
from tests.engine.toy import EXAMPLE, Ticking
from tests.support.memory import FAILS, GROUP, Killed, Memory, MemoryHelm, release_secret

MESH, CLUSTER, SPACE = "demo", "cluster1", "istio-system"
BUDGET = ResourceType("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
NETWORK = "topology.istio.io/network"
USERS = {"owner": {"keeps": True}}
"""Values of a release that existed before mesh."""

Wish = Mapping[str, Any]
"""What the file says: settings by the address of the resource; a resource without settings is not wanted."""


class Budgets(ManifestProvider):
    """A kind of another package."""

    kind = "budget"
    resource = BUDGET


def key(kind: str, name: str) -> Key:
    return Key(kind, CLUSTER, name)


def open_session(folder: Path) -> Session:
    kube = Memory(CLUSTER, types=(BUDGET,))
    kube.put(NAMESPACE, {"metadata": {"name": "istio-eastwest"}})
    kube.put(SECRET, release_secret(HelmJob("base", SPACE, "base", "", "1.0.0", USERS), 1))
    world = World({CLUSTER: kube}, {CLUSTER: MemoryHelm(kube)}, Ticking(), {"HOME": str(folder)}, folder)
    store = Store(folder / "mesh.lock")
    store.prepare()
    for version in ("v1.3.0", "v1.4.0"):
        _bundle(folder / f"{version}.yaml", version)
    mesh = load_mesh(EXAMPLE)
    mesh = replace(mesh, clusters=mesh.clusters[:1])
    return Session(mesh, world, {**all_kinds(), "budget": Budgets()}, store)


def _bundle(path: Path, version: str) -> None:
    meta = {f"{GROUP}/bundle-version": version, f"{GROUP}/channel": "standard"}
    crds = [
        {
            "apiVersion": CRD.api_version,
            "kind": CRD.kind,
            "metadata": {"name": f"{plural}.{GROUP}", "annotations": meta},
            "spec": {"group": GROUP},
        }
        for plural in ("gatewayclasses", "gateways")
    ]
    path.write_text("\n---\n".join(map(json.dumps, crds)))


def memory(session: Session) -> Memory:
    kube = session.world.kube(CLUSTER)
    assert isinstance(kube, Memory)
    return kube


values = st.fixed_dictionaries(
    {"a": st.integers(0, 1)},
    optional={
        "b": st.fixed_dictionaries({}, optional={"c": st.just(1), "d": st.just(2)}),
        FAILS: st.just(True),
    },
)
texts = st.dictionaries(st.sampled_from(["one", "two", FAILS]), st.sampled_from(["x", "y"]), max_size=2)
objects = st.fixed_dictionaries({"labels": texts, "annotations": texts, "port": st.integers(1, 2)})

wishes = st.fixed_dictionaries(
    {
        "label": st.sampled_from(["net1", "net2"]),
        "secret": st.sampled_from(["licence one", "licence two"]),
        "crds": st.sampled_from(["v1.3.0", "v1.4.0"]),
        "cacerts": st.sampled_from([365, 180]),
        "istiod": values,
        "base": values,
    },
    optional={"cni": values, "gateway": objects, "link": objects, "budget": objects},
)


def healthy(wish: Wish) -> Wish:
    """The same without what never becomes ready."""

    def without(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: without(item) for name, item in value.items() if name != FAILS}

    return {name: without(value) for name, value in wish.items()}


def resources(wish: Wish, folder: Path) -> dict[Key, Resource[Any]]:
    space = key("namespace", SPACE)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    found = [Resource(space, Place("", SPACE), Manifest(MESH, body))]
    api = GatewayAPI(wish["crds"], str(folder / f"{wish['crds']}.yaml"))
    found.append(Resource(key("crds", "gateway-api"), Place("", "gateway-api"), CrdsSpec(MESH, api)))
    needs = frozenset(each.key for each in found)
    ca = GenerateCA()
    root = RootSpec(MESH, ca, "ecdsa-p256", timedelta(days=3650), {CLUSTER: SPACE})
    found.append(Resource(ROOT, root_place(MESH, ca), root))
    profile = Intermediate(timedelta(days=wish["cacerts"]))
    signed = IntermediateSpec(MESH, CLUSTER, SPACE, profile, ca, ISSUER)
    found.append(Resource(key("cert", "cacerts"), cacerts_place(SPACE), signed, needs))
    label = LabelSpec(MESH, SPACE, {NETWORK: wish["label"]})
    found.append(Resource(key("label", SPACE), Place("", SPACE, LabelLocator(NETWORK)), label, needs))
    licence = key("secret", "licence")
    held = SecretSpec(MESH, licence, SPACE, "licence", Sensitive(wish["secret"]))
    found.append(Resource(licence, secret_place(MESH, SPACE, "licence"), held, needs))
    found += [_chart(name, wish[name], needs) for name in ("istiod", "base", "cni") if name in wish]
    found += [_object(name, wish[name], needs) for name in ("gateway", "link", "budget") if name in wish]
    return {each.key: each for each in found}


def _chart(name: str, wanted: Mapping[str, Any], needs: frozenset[Key]) -> Resource[Any]:
    labels = {"meshform.io/mesh": MESH}
    job = HelmJob(name, SPACE, name, "", "1.0.0", wanted, labels)
    spec = ChartSpec(MESH, name, job, adopt=name == "base")
    return Resource(key("chart", name), Place(SPACE, name), spec, needs, adopt=name == "base")


KINDS = {
    "gateway": ("gateway.networking.k8s.io/v1", "Gateway", "istio-eastwest"),
    "link": ("gateway.networking.k8s.io/v1", "Gateway", "istio-remote"),
    "budget": ("policy/v1", "PodDisruptionBudget", ""),
}


def _object(name: str, wanted: Mapping[str, Any], needs: frozenset[Key]) -> Resource[Any]:
    version, kind, of_class = KINDS[name]
    meta = {"name": name, "namespace": "istio-eastwest"}
    for part in ("labels", "annotations"):
        meta |= {part: dict(wanted[part])} if wanted[part] else {}
    listener = {"name": "xds-tls", "port": wanted["port"], "protocol": "TLS"}
    spec = {"gatewayClassName": of_class, "listeners": [listener]} if of_class else {"max": wanted["port"]}
    body = {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}
    made = {"gateway": GatewaySpec, "link": LinkSpec}.get(name, Manifest)(MESH, body)
    return Resource(key(name, name), Place("istio-eastwest", name), made, needs)


def plan(session: Session, wish: Wish) -> Planned:
    return planning.plan(session, resources(wish, session.world.folder), PlanOptions())


def carry_out(session: Session, wish: Wish, troubles: Mapping[int, str] | None = None) -> RunResult | None:
    """Apply; None if the program was killed."""
    planned, kube = plan(session, wish), memory(session)
    kube.troubles = dict(troubles or {})
    try:
        return apply(session, planned, RunOptions(timeout=5, parallelism=1))
    except Killed:
        return None
    finally:
        kube.troubles = {}


def found(session: Session, wish: Wish) -> dict[str, Any]:
    """What exists of everything that may be wanted, without what another run makes otherwise."""
    every = {**wish, **{name: wish.get(name, SHAPE[name]) for name in SHAPE}}
    planned = plan(session, every)
    attrs = {str(each): getattr(live, "attrs", live) for each, live in planned.inputs.found.items()}
    return {name: _plain(value) for name, value in attrs.items()}


SHAPE: Wish = {
    "cni": {"a": 0},
    "gateway": {"labels": {}, "annotations": {}, "port": 1},
    "link": {"labels": {}, "annotations": {}, "port": 1},
    "budget": {"labels": {}, "annotations": {}, "port": 1},
}


def _plain(attrs: Any) -> Any:
    """Without the fingerprint of the root, which each folder has its own."""
    if not isinstance(attrs, Mapping):
        return attrs
    return {name: value for name, value in attrs.items() if name != "issuer"}


OLD: Wish = {
    "label": "net1",
    "secret": "licence one",
    "crds": "v1.3.0",
    "cacerts": 365,
    "istiod": {"a": 0},
    "base": {"a": 0},
    **SHAPE,
}
