"""The simulated API server held to a real one: the same calls go to both, and the answers are compared.

`python -m tests.sim.compare --kubeconfig FILE --context NAME --calls 5000` compares with any server, in
namespaces that it makes and removes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.world.kube.client import connect
from mesh.world.kube.errors import Call
from tests.sim.api import Api, Object
from tests.sim.threads import BEGIN

Send = Callable[[str, str, Object | None, str], tuple[int, Object]]
"""Method, URL, body, media type; returns status and answer."""

APPLY, MERGE, JSON = "application/apply-patch+yaml", "application/merge-patch+json", "application/json"
KINDS = {
    "configmaps": ("v1", "ConfigMap", "/api/v1"),
    "secrets": ("v1", "Secret", "/api/v1"),
    "leases": ("coordination.k8s.io/v1", "Lease", "/apis/coordination.k8s.io/v1"),
}
MANAGERS = ("mesh/a", "mesh/b", "helm", "kubectl-edit")
NAMES = ("one", "two")
KEYS = ("a", "b", "c.d/e")
VALUES = ("x", "y", "")


@dataclass
class Side:
    """One of the two servers, and what was seen of its objects: their uids and versions differ."""

    send: Send
    seen: dict[tuple[str, str], list[Object]] = field(default_factory=dict)

    def last(self, kind: str, name: str, back: int = 0) -> Object:
        """Return the metadata of an object as it was seen last, or some answers ago."""
        found = self.seen.get((kind, name), [])
        return found[max(-len(found), -1 - back)] if found else {}

    def call(self, call: Drawn, namespace: str) -> tuple[int, Object]:
        """Make one call."""
        api, what, prefix = KINDS[call.kind]
        place = f"{prefix}/namespaces/{namespace}/{call.kind}"
        path = place if call.verb in ("create", "list") else f"{place}/{call.name}"
        url = f"{path}?{call.query}" if call.query else path
        body = None
        if call.verb not in ("get", "list"):
            body = self._body(call, namespace, api, what)
        status, answer = self.send(call.method, url, body, call.media)
        if (
            status < 300
            and "metadata" in answer
            and "uid" in answer["metadata"]
            and "dryRun" not in call.query
        ):
            self.seen.setdefault((call.kind, call.name), []).append(answer["metadata"])
        return status, answer

    def _body(self, call: Drawn, namespace: str, api: str, what: str) -> Object:
        pins: Object = {}
        there = self.last(call.kind, call.name, call.back)
        if "uid" in call.pins:
            pins["uid"] = (
                there.get("uid", "0") if "wrong" not in call.pins else "00000000-0000-0000-0000-000000000000"
            )
        if "version" in call.pins and "resourceVersion" in there:
            pins["resourceVersion"] = there["resourceVersion"]
        if call.verb == "delete":
            return {"apiVersion": "v1", "kind": "DeleteOptions", **({"preconditions": pins} if pins else {})}
        meta = {"name": call.name, "namespace": namespace, **pins, **call.meta}
        if call.verb == "merge":
            return {"metadata": {**pins, **call.meta}, **call.fields}
        return {"apiVersion": api, "kind": what, "metadata": meta, **call.fields}


@dataclass(frozen=True)
class Drawn:
    """One call, as the seed gives it; `pins` are the preconditions that it carries."""

    verb: str
    kind: str
    name: str
    query: str = ""
    pins: frozenset[str] = frozenset()
    back: int = 0
    meta: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> str:
        verbs = {"create": "POST", "apply": "PATCH", "merge": "PATCH", "replace": "PUT", "delete": "DELETE"}
        return verbs.get(self.verb, "GET")

    @property
    def media(self) -> str:
        return {"apply": APPLY, "merge": MERGE}.get(self.verb, JSON)


def calls(draw: random.Random, count: int) -> Iterator[Drawn]:
    """Draw so many calls on a few objects, so that they get into each other's way."""
    verbs = ("create", "apply", "apply", "apply", "merge", "replace", "delete", "get", "list")
    for _ in range(count):
        verb, kind, name = draw.choice(verbs), draw.choice(sorted(KINDS)), draw.choice(NAMES)
        if verb == "list":
            yield Drawn(
                verb,
                kind,
                "-",
                draw.choice(
                    (
                        "",
                        "labelSelector=a%3Dx",
                        "labelSelector=a%21%3Dx",
                        "fieldSelector=metadata.name%3Done",
                        "labelSelector=a",
                    )
                ),
            )
            continue
        yield Drawn(
            verb,
            kind,
            name,
            _query(draw, verb),
            _pins(draw, verb),
            draw.choice((0, 0, 0, 1)),
            _meta(draw, verb) if verb not in ("get", "delete") else {},
            _fields(draw, kind, verb) if verb not in ("get", "delete") else {},
        )


def _query(draw: random.Random, verb: str) -> str:
    if verb in ("get", "delete"):
        return ""
    parts = [f"fieldManager={draw.choice(MANAGERS).replace('/', '%2F')}"]
    parts += ["force=true"] if verb == "apply" and draw.random() < 0.4 else []
    parts += ["dryRun=All"] if draw.random() < 0.15 else []
    return "&".join(parts)


def _pins(draw: random.Random, verb: str) -> frozenset[str]:
    if verb in ("get", "create"):
        return frozenset()
    chosen = set()
    if draw.random() < 0.35:
        chosen |= {"uid"} if draw.random() < 0.7 else {"uid", "wrong"}
    if verb in ("replace", "delete", "merge") and draw.random() < 0.4:
        chosen.add("version")
    return frozenset(chosen)


def _meta(draw: random.Random, verb: str) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    for section in ("labels", "annotations"):
        if draw.random() < 0.5:
            meta[section] = _some(draw, may_be_none=verb == "merge")
    if draw.random() < 0.12:
        meta["finalizers"] = draw.choice(([], ["sim.test/a"], ["sim.test/a", "sim.test/b"]))
    return meta


def _some(draw: random.Random, *, may_be_none: bool) -> dict[str, Any]:
    values: tuple[Any, ...] = (*VALUES, None) if may_be_none else VALUES
    return {key: draw.choice(values) for key in KEYS if draw.random() < 0.5}


def _fields(draw: random.Random, kind: str, verb: str) -> dict[str, Any]:
    if draw.random() < 0.2:
        return {}
    if kind == "leases":
        spec = {"holderIdentity": draw.choice(VALUES[:2]), "leaseDurationSeconds": draw.choice((30, 90))}
        return {"spec": {name: value for name, value in spec.items() if draw.random() < 0.7}}
    data = _some(draw, may_be_none=verb == "merge")
    data = {name.replace("/", "-"): value for name, value in data.items()}
    if kind == "secrets":
        data = {name: value and "eA==" if value == "x" else value and "eQ==" for name, value in data.items()}
    return {"data": data}


# --- what is compared ------------------------------------------------------------------------------------


def plain(status: int, answer: Object) -> Object:
    """Return what must be equal of an answer: no times, uids, versions and words."""
    if status >= 300:
        causes = (answer.get("details") or {}).get("causes") or []
        conflicts = sorted(
            str(each.get("field")) for each in causes if each.get("reason") == "FieldManagerConflict"
        )
        return {"status": status, "reason": answer.get("reason"), "conflicts": conflicts}
    if "items" in answer:
        ours = [each for each in answer["items"] if each["metadata"]["name"] in NAMES]
        return {"status": status, "items": [_object(each) for each in ours]}
    return {
        "status": status,
        "object": _object(answer) if "metadata" in answer and "uid" in answer["metadata"] else "-",
    }


def _object(obj: Object) -> Object:
    left = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "namespace", "selfLink")
    meta = {name: value for name, value in obj["metadata"].items() if name not in left}
    meta = {name: "(a time)" if name == "deletionTimestamp" else value for name, value in meta.items()}
    meta.pop("deletionGracePeriodSeconds", None)
    owners = {
        f"{each['manager']} {each['operation']}": each.get("fieldsV1", {})
        for each in obj["metadata"].get("managedFields", [])
    }
    body = {name: value for name, value in obj.items() if name not in ("metadata", "kind", "apiVersion")}
    return {
        **{name: value for name, value in body.items() if value not in ({}, None)},
        "metadata": meta,
        "owners": owners,
    }


def transcript(send: Send, seed: int, count: int) -> list[Object]:
    """Make the calls of a seed on a server, in one namespace; return what must be equal of each."""
    side, namespace = Side(send), f"sim-{os.getpid()}-{seed}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    send("POST", "/api/v1/namespaces", body, JSON)
    try:
        return [plain(*side.call(call, namespace)) for call in calls(random.Random(seed), count)]
    finally:
        for kind, (_, _, prefix) in KINDS.items():
            for name in NAMES:
                url = f"{prefix}/namespaces/{namespace}/{kind}/{name}"
                send("PATCH", url, {"metadata": {"finalizers": None}}, MERGE)
        send("DELETE", f"/api/v1/namespaces/{namespace}", {}, JSON)


def difference(real: list[Object], seed: int) -> str:
    """Return the first call of a seed that the model answers otherwise; what follows may only come of it."""
    model = transcript(modelled(Api("model", lambda: BEGIN)), seed, len(real))
    for number, call in enumerate(calls(random.Random(seed), len(real))):
        if real[number] != model[number]:
            there, here = (json.dumps(each[number], sort_keys=True) for each in (real, model))
            return f"seed {seed}, call {number}: {call}\n  real:  {there}\n  model: {here}"
    return ""


def modelled(api: Api) -> Send:
    """Return how the simulated server is asked."""

    def send(method: str, url: str, body: Object | None, media: str) -> tuple[int, Object]:
        return api.handle(method, url, json.dumps(body).encode() if body is not None else None, media)

    return send


def asked(kubeconfig: str, context: str) -> Send:
    """Return how a real server is asked: through the client of mesh, below its verbs."""
    server = connect([("real", context, kubeconfig)], {"KUBECONFIG": kubeconfig})["real"]
    wire = server._wire

    def send(method: str, url: str, body: Object | None, media: str) -> tuple[int, Object]:
        sent = json.dumps(body).encode() if body is not None else None
        headers = {"accept": JSON, "content-type": media}
        reply = wire.ask(Call("real", context, "call", url), method, url, body=sent, headers=headers)
        return reply.status, json.loads(reply.body)

    return send


def main() -> int:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.compare", description=__doc__)
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--context", required=True)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--each", type=int, default=40, help="calls of one seed, in a namespace of its own")
    parser.add_argument("--record", default="", metavar="FILE", help="write down what the server answers")
    args = parser.parse_args()
    send, found, count = asked(args.kubeconfig, args.context), [], -(-args.calls // args.each)
    with open(args.record or os.devnull, "w", encoding="utf-8") as file:  # noqa: PTH123
        for seed in range(count):
            real = transcript(send, seed, args.each)
            file.write(json.dumps(real) + "\n")
            found += [each] if (each := difference(real, seed)) else []
    sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.stdout.write(f"{count * args.each} calls, {len(found)} of {count} sequences differ\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
