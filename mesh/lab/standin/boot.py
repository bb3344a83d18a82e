"""What an istiod pod reads at its start, and what it reloads later.

An istiod reads CA and licence once per pod: a Secret created later has no effect until the pod is
replaced. A running istiod reloads some changes of the CA's mounted files, see `trust.may_replace`. The
stand-in notes what a pod read on the pod (`lab.meshform.io/boot`), so that it continues after a restart.
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus

from mesh.lab.standin import issue, objects, trust
from mesh.lab.standin.api import Api, ApiError, Json
from mesh.lab.standin.mirror import Copies
from mesh.lab.standin.objects import annotation, at
from mesh.lab.standin.trust import Authority, TrustError

log = logging.getLogger(__name__)

NOTE = "lab.meshform.io/boot"
#: Pods with this annotation are not ready, by the lab's kwok rules.
HOLD = "lab.meshform.io/hold"
HOLD_REASON, HOLD_MESSAGE = f"{HOLD}-reason", f"{HOLD}-message"
REASON = "CrashLoopBackOff"
LICENCE_KEYS = ("license-key", "gloo-mesh-license-key", "gloo-trial-license-key")

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Boot:
    """The CA and licence of one pod. `licence` is "" if it is valid, else what is wrong with it."""

    authority: Authority
    licence: str
    #: Digest of the files that were last checked, used or not: each change is checked once.
    files: str = ""


@dataclass(slots=True)
class Boots:
    """What the istiod pods of one cluster read at their start, by pod UID."""

    context: str
    api: Api
    _booted: dict[str, Boot] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)

    def of(self, pod: Json) -> Boot | None:
        """Return what `pod` runs with; None while it has not started."""
        return self._booted.get(pod["metadata"]["uid"])

    def settle(self, pods: Copies, cacerts: Copies, now: datetime) -> None:
        """Start scheduled pods, hold those that cannot start, and reload running ones."""
        for pod in pods.values():
            if at(pod, "metadata", "deletionTimestamp") or not at(pod, "spec", "nodeName"):
                continue
            if boot := self.of(pod):
                self._reload(pod, boot, cacerts, now)
            else:
                self._start(pod, now)
        alive = {pod["metadata"]["uid"] for pod in pods.values()}
        for uid in self._booted.keys() - alive:
            del self._booted[uid]

    def _start(self, pod: Json, now: datetime) -> None:
        uid, (namespace, name) = pod["metadata"]["uid"], objects.name(pod)
        try:
            boot = self._remembered(pod, now) or self._fresh(pod, now)
        except TrustError as error:
            # Like a container in a crash loop: each attempt reads the files again.
            if self._refused.get(uid) != str(error) or not annotation(pod, HOLD):
                log.warning("%s: pod %s/%s does not start: %s", self.context, namespace, name, error)
                self._refused[uid] = str(error)
                self._annotate(pod, {HOLD: "true", HOLD_REASON: REASON, HOLD_MESSAGE: str(error)})
            return
        log.info("%s: pod %s/%s runs with %s", self.context, namespace, name, _described(boot))
        self._booted[uid] = boot
        held = self._is_refused(pod)
        self._refused.pop(uid, None)
        notes: dict[str, str | None] = {NOTE: _note(boot)}
        if held:
            notes |= {HOLD: None, HOLD_REASON: None, HOLD_MESSAGE: None}
        if held or annotation(pod, NOTE) != notes[NOTE]:
            self._annotate(pod, notes)

    def _is_refused(self, pod: Json) -> bool:
        return pod["metadata"]["uid"] in self._refused or annotation(pod, HOLD_REASON) == REASON

    def _fresh(self, pod: Json, now: datetime) -> Boot:
        namespace = objects.name(pod)[0]
        files = self._secret(namespace, "cacerts")
        if trust.is_plugged_in(files) or self._is_refused(pod):
            # A Secret that is briefly absent while it is replaced does not count as missing.
            return Boot(trust.plugged_in(files, now), self._licence(pod), _digest(files))
        return Boot(self._own_authority(namespace, now), self._licence(pod))

    def _remembered(self, pod: Json, now: datetime) -> Boot | None:
        """Return what the pod's note records, with the matching CA; None without a note."""
        if not (text := annotation(pod, NOTE)):
            return None
        note, namespace = json.loads(text), objects.name(pod)[0]
        if note["authority"] == "self-signed":
            return Boot(self._own_authority(namespace, now), note["licence"])
        files = self._secret(namespace, "cacerts")
        if sha256(files.get("root-cert.pem") or files.get("ca.crt", b"")).hexdigest() == note["root"]:
            with suppress(TrustError):
                return Boot(trust.plugged_in(files, now), note["licence"], _digest(files))
        # The Secret changed to a CA that the pod does not reload; the root it distributed still exists.
        handed_out = self._object(f"/api/v1/namespaces/{namespace}/configmaps/istio-ca-root-cert")
        root = str(at(handed_out, "data", "root-cert.pem", default="")).encode()
        if sha256(root).hexdigest() == note["root"]:
            return Boot(trust.remembered(root, "cacerts"), note["licence"], _digest(files))
        return None

    def _reload(self, pod: Json, boot: Boot, cacerts: Copies, now: datetime) -> None:
        files = _decoded(cacerts.get((objects.name(pod)[0], "cacerts"), {}))
        if boot.authority.source != "cacerts" or not files or _digest(files) == boot.files:
            return
        after = replace(boot, files=_digest(files))
        try:
            found = trust.plugged_in(files, now)
        except TrustError as error:
            log.warning("%s: new CA files are not used: %s", self.context, error)
        else:
            if trust.may_replace(
                boot.authority, found, multiroot=environment(pod).get("ISTIO_MULTIROOT_MESH") == "true"
            ):
                log.info("%s: Istiod has detected the newly added intermediate CA", self.context)
                after = replace(after, authority=found)
            else:
                log.warning("%s: Multi root is disabled, updating new ROOT-CA not supported", self.context)
        self._booted[pod["metadata"]["uid"]] = after
        if _note(after) != annotation(pod, NOTE):
            self._annotate(pod, {NOTE: _note(after)})

    def _licence(self, pod: Json) -> str:
        env = environment(pod)
        if where := env.get("SOLO_LICENSE_SECRET"):
            namespace, _, name = where.partition("/")
            secret = self._secret(namespace, name)
            if not secret:
                return f"licence Secret {where} not found"
            key = next((secret[key] for key in LICENCE_KEYS if key in secret), None)
            if key is None:
                return f"licence Secret {where} has none of the keys {', '.join(LICENCE_KEYS)}"
            return _judged(key.decode(errors="replace"))
        return _judged(env.get("SOLO_LICENSE_KEY", ""))

    def _own_authority(self, namespace: str, now: datetime) -> Authority:
        files = self._secret(namespace, "istio-ca-secret")
        if not files:
            files = issue.self_signed(now)
            self.api.apply(
                f"/api/v1/namespaces/{namespace}/secrets/istio-ca-secret",
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": "istio-ca-secret", "namespace": namespace},
                    "type": "istio.io/ca-root",
                    "data": {key: b64encode(value).decode() for key, value in files.items()},
                },
                manager="pilot-discovery",
            )
        return trust.self_signed(files, now)

    def _secret(self, namespace: str, name: str) -> Files:
        return _decoded(self._object(f"/api/v1/namespaces/{namespace}/secrets/{name}"))

    def _object(self, path: str) -> Json:
        try:
            return self.api.get(path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return {}
            raise

    def _annotate(self, pod: Json, notes: Mapping[str, str | None]) -> None:
        namespace, name = objects.name(pod)
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        # With the UID, the write fails for a later pod of the same name.
        about = {"uid": pod["metadata"]["uid"], "annotations": dict(notes)}
        self.api.merge(path, {"metadata": about}, manager="pilot-discovery")


def environment(pod: Json) -> dict[str, str]:
    """Return the plain environment variables of a pod's first container."""
    listed = at(pod, "spec", "containers", 0, "env", default=())
    return {one["name"]: one.get("value", "") for one in listed if "valueFrom" not in one}


def _judged(key: str) -> str:
    if not key.strip():
        return "no licence key"
    return "the licence key is invalid" if "invalid" in key.lower() else ""


def _decoded(secret: Json) -> Files:
    return {key: b64decode(value) for key, value in at(secret, "data", default={}).items()}


def _digest(files: Mapping[str, bytes]) -> str:
    return sha256(b"".join(key.encode() + b"\0" + files[key] + b"\0" for key in sorted(files))).hexdigest()


def _note(boot: Boot) -> str:
    root = sha256(boot.authority.root_pem).hexdigest()
    return json.dumps({"authority": boot.authority.source, "licence": boot.licence, "root": root})


def _described(boot: Boot) -> str:
    return f"a {boot.authority.source} CA and {boot.licence or 'a good licence'}"
