"""What reads text from outside, with the texts that it reads as they really are."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from mesh.errors import MeshError
from mesh.model import NO_CLUSTER
from mesh.model.bounded_text import SMALL, Unfit
from mesh.queries.checks.facts import MESH_CONFIG
from mesh.queries.checks.rules.upstream import public
from mesh.sdk.remote_access import Access, of_remote_secret
from mesh.sdk.remote_access import kubeconfig as remote_kubeconfig
from mesh.state import slices
from mesh.state.history import from_text as past_runs
from mesh.state.lease_holder import HOLDER, Holder, holder_of
from mesh.state.lockfile import _digest, from_text, slice_of, to_text
from mesh.state.merge import newer
from mesh.state.store import Store
from mesh.world import Object
from mesh.world.disk.json_lines import _encode
from mesh.world.helm.output import release_told, rendering
from mesh.world.helm.releases import chart_of, newest
from mesh.world.kube import error_bodies
from mesh.world.kube.answers import Meter, items_of, parsed, typed_as
from mesh.world.kube.auth import Credentials
from mesh.world.kube.errors import Call
from mesh.world.kube.exec_plugin import Plugins
from mesh.world.kube.kubeconfig import contexts, targets
from mesh.world.resources import TABLE
from mesh.world.shapes import fitted
from mesh.world.yaml_documents import read, read_all
from tests.support.fuzz import mutate
from tests.support.fuzz.mesh import HOSTILE, SANE, Applied

EXPECTED = (MeshError, Unfit)
"""What may be raised: a normal error, or that a text does not fit."""

CALL = Call(HOSTILE, HOSTILE, "list", "objects")
Target = Callable[[Random], None]


@dataclass(frozen=True)
class Targets:
    """Each target takes one mutated input; it may raise what is expected, and nothing else."""

    applied: Applied
    folder: Path

    def every(self) -> dict[str, tuple[int, Target]]:
        """Return the targets by name, each with its share of the inputs."""
        return {
            "slice": (20, self.slice),
            "release": (15, self.release),
            "lockfile": (10, self.lockfile),
            "kubeconfig": (10, self.kubeconfig),
            "object": (15, self.typed),
            "answer": (5, self.answer),
            "lease": (3, self.lease),
            "mesh configuration": (5, self.mesh_config),
            "helm output": (4, self.helm),
            "journal and history": (3, self.lines),
            "remote secret": (2, self.remote),
            "plan": (4, self.plan),
        }

    def objects(self) -> dict[tuple[str, str, str], Object]:
        return self.applied.kube(HOSTILE).objects

    def slice(self, draw: Random) -> None:
        """A mutated copy of the state of one cluster changes nothing of the other one."""
        state = self.applied.session.store.read("demo")
        text = _mutated_state(to_text(slice_of(state, HOSTILE)), draw)
        part = from_text(text, "the state in cluster1")
        after = newer(state, {HOSTILE: part, SANE: slice_of(state, SANE)})
        for key, entry in state.entries.items():
            assert key.cluster in {HOSTILE, NO_CLUSTER} or after.entries.get(key) == entry, key
        to_text(after)

    def release(self, draw: Random) -> None:
        names = [where for where in self.objects() if where[2].startswith("sh.helm")]
        secret = json.loads(json.dumps(self.objects()[draw.choice(names)]))
        secret["data"]["release"] = _mutated_release(secret["data"]["release"], draw)
        for view in newest([secret]).values():
            view.is_of("istiod")
            str(view.token)
            view.newest.objects()
        chart_of(secret)

    def lockfile(self, draw: Random) -> None:
        path = self.folder / "fuzzed" / "mesh.lock"
        path.parent.mkdir(exist_ok=True)
        text = to_text(self.applied.session.store.read("demo"))
        path.write_bytes(
            mutate.raw(text.encode(), draw) if draw.random() < 0.3 else _mutated_state(text, draw).encode()
        )
        Store(path).read("demo")

    def kubeconfig(self, draw: Random) -> None:
        path = self.folder / "fuzzed-config"
        config = json.dumps(KUBECONFIG).encode()
        if draw.random() < 0.5:
            path.write_bytes(mutate.raw(config, draw))
        else:
            path.write_text(json.dumps(mutate.data(KUBECONFIG, draw)))
        contexts({}, str(path))
        for target in targets([("a", "a", str(path)), ("b", "b", str(path))], {}).values():
            Credentials(target, Plugins({"PATH": "/nowhere"})).login(CALL)

    def typed(self, draw: Random) -> None:
        obj = draw.choice(list(self.objects().values()))
        resource = TABLE[obj["apiVersion"], obj["kind"]]
        body = json.dumps({"metadata": {}, "items": [mutate.data(obj, draw)]}).encode()
        items, _ = items_of(CALL, parsed(CALL, body, Meter(10**9)), 500)
        for item in items:
            typed_as(CALL, item, resource)

    def answer(self, draw: Random) -> None:
        status = {
            "kind": "Status",
            "message": "no",
            "reason": "Invalid",
            "details": {"causes": [{"field": "a"}]},
        }
        body = mutate.raw(json.dumps(mutate.data(status, draw)).encode(), draw)
        code = draw.choice((400, 401, 403, 404, 409, 410, 422, 429, 500, 503))
        assert isinstance(error_bodies.refusal(CALL, code, body), MeshError)
        parsed(CALL, body, Meter(10**9))

    def lease(self, draw: Random) -> None:
        holder = Holder("ann", "host", 5, "2026-01-01", "apply", "line", "place").to_text()
        held = (
            mutate.text(holder, draw)
            if draw.random() < 0.5
            else json.dumps(mutate.data(json.loads(holder), draw))
        )
        holder_of({"metadata": {"annotations": {HOLDER: held}}})

    def mesh_config(self, draw: Random) -> None:
        text = draw.choice((MESH_YAML, json.dumps(mutate.data(read(MESH_YAML), draw))))
        fitted(read(mutate.text(text, draw), SMALL), MESH_CONFIG)

    def helm(self, draw: Random) -> None:
        rendered = b"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n" * 3
        told = b'Pulled: x\n{"name": "istiod", "info": {"status": "deployed"}, "version": 3}'
        release_told(mutate.raw(told, draw)) if draw.random() < 0.5 else rendering(mutate.raw(rendered, draw))

    def lines(self, draw: Random) -> None:
        odd = [mutate.data(line, draw) if draw.random() < 0.3 else line for line in JOURNAL]
        lines = b"".join(map(_encode, odd))
        path = self.folder / "journal" / ".mesh" / "journal.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(mutate.raw(lines, draw) if draw.random() < 0.5 else lines)
        Store(self.folder / "journal" / "mesh.lock").read("demo")
        past_runs(mutate.text(HISTORY, draw), "cluster1")

    def remote(self, draw: Random) -> None:
        text = mutate.text(remote_kubeconfig("east", Access("https://x", b"pem", "a.eyJleHAiOjF9.b")), draw)
        secret = {"metadata": {"name": "x"}, "data": {"east": base64.b64encode(text.encode()).decode()}}
        of_remote_secret(secret, "east")
        public(secret)

    def plan(self, draw: Random) -> None:
        """A mutated object of one cluster leaves every step of the other one alone, but for its link."""
        where = draw.choice(self.applied.recorded)
        obj = self.objects()[where]
        if where[2].startswith("sh.helm") and draw.random() < 0.7:
            odd = json.loads(json.dumps(obj))
            odd["data"]["release"] = _mutated_release(odd["data"]["release"], draw)
        elif where[2] == slices.name_of("demo") and draw.random() < 0.8:
            odd = json.loads(json.dumps(obj))
            odd["data"][slices.DATA_KEY] = _mutated_state(odd["data"][slices.DATA_KEY], draw)
        else:
            odd = mutate.data(obj, draw)
        with self.applied.with_object(where, odd):
            planned = self.applied.planned()
        touched = [
            step.key for step in planned.plan.steps if step.key.cluster == SANE and step.key.kind != "link"
        ]
        assert touched == [], touched
        assert len(read_all(json.dumps(str(planned.plan)))) == 1


def _mutated_state(text: str, draw: Random) -> str:
    """Mutate a state; with a right digest most of the time, or nothing behind it would be reached."""
    if draw.random() < 0.2:
        return mutate.text(text, draw)
    body = json.loads(text)
    del body["digest"]
    odd = mutate.data(body, draw)
    if isinstance(odd, dict):
        odd["digest"] = _digest(odd)
    return json.dumps(odd)


def _mutated_release(packed: str, draw: Random) -> str:
    inner = base64.b64decode(base64.b64decode(packed))
    match draw.randrange(6):
        case 0:
            return mutate.text(packed, draw)
        case 1:
            changed = mutate.raw(inner, draw)
        case 2:
            changed = gzip.compress(mutate.raw(gzip.decompress(inner), draw))
        case _:
            changed = gzip.compress(
                json.dumps(mutate.data(json.loads(gzip.decompress(inner)), draw)).encode()
            )
    return base64.b64encode(base64.b64encode(changed)).decode()


KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "a",
    "clusters": [
        {"name": "a", "cluster": {"server": "https://a.test:6443", "certificate-authority-data": "YQ=="}},
        {
            "name": "b",
            "cluster": {"server": "https://b.test", "tls-server-name": "b", "proxy-url": "http://p"},
        },
    ],
    "users": [
        {
            "name": "a",
            "user": {"exec": {"command": "aws", "args": ["x"], "env": [{"name": "A", "value": "b"}]}},
        },
        {"name": "b", "user": {"token": "t", "client-certificate-data": "YQ==", "client-key-data": "YQ=="}},
    ],
    "contexts": [
        {"name": "a", "context": {"cluster": "a", "user": "a", "namespace": "x"}},
        {"name": "b", "context": {"cluster": "b", "user": "b"}},
    ],
}
MESH_YAML = """\
accessLogFile: /dev/stdout
defaultConfig:
  discoveryAddress: istiod.istio-system.svc:15012
  meshId: &id demo
  proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}
defaultProviders: {metrics: [prometheus]}
enablePrometheusMerge: true
rootNamespace: istio-system
trustDomain: cluster.local
extra: *id
"""
JOURNAL: tuple[dict[str, Any], ...] = (
    {"event": "begin", "run": "r", "serial": 4},
    {
        "event": "intent",
        "address": "chart/cluster1/istiod",
        "action": "UPDATE",
        "place": ["istio-system", "istiod"],
        "needs": ["chart/cluster1/base"],
    },
    {"event": "done", "address": "chart/cluster1/istiod"},
    {"event": "intent", "address": "x/cluster1/y", "action": "CREATE", "place": ["a", "b"], "needs": []},
)
HISTORY = (
    '{"began": "t", "deeds": [{"address": "chart/a/b", "done": true, "sign": "+"}], "digest": "d", '
    '"end": "complete", "ended": "t", "host": "h", "more": 0, "run": "r", "serial": 3, "verb": "apply", '
    '"who": "w"}\n'
) * 3
