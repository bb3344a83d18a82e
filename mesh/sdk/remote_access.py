"""How one istiod reads another cluster: the token of a reader, and the remote secret that holds it.

A token is compared, sent and digested; attrs, outputs, messages and state never hold it. Source of the
format: `istioctl create-remote-secret`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.errors import KubeError
from mesh.istio.names import ROOT_CONFIG_MAP
from mesh.model import Key
from mesh.model.bounded_text import SMALL, from_base64
from mesh.world import Kube, Object
from mesh.world.kube.errors import Forbidden, Unauthorized, Unreachable
from mesh.world.resources import ACCESS_REVIEW, CONFIG_MAP
from mesh.world.snapshot import Snapshot
from mesh.world.yaml_documents import read, write

FILLED = ("{.data.token}", "{.data.ca\\.crt}")
"""The values that Kubernetes writes to a service account's token Secret, as JSONPath of kubectl."""

SECONDS = 5.0
"""Timeout of the question whether an API server accepts a token."""

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Access:
    """Access to an API server: the CA (PEM) that verifies it, and a token that it accepts."""

    server: str = ""
    ca: bytes = field(default=b"", repr=False)
    token: str = field(default="", repr=False)

    @property
    def complete(self) -> bool:
        """Whether it has both: Kubernetes adds the token a moment after it creates the Secret."""
        return bool(self.ca and self.token)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an API server says of an access: at most one is set, none if the access works.

    `refused` is fixed by other credentials and `denied` by rights; `unknown` is why the answer is not known.
    """

    refused: str = ""
    denied: str = ""
    unknown: str = ""

    def told(self) -> dict[str, str]:
        """Return what is set, by name, for the status of a live object."""
        said = {"refused": self.refused, "denied": self.denied, "unknown": self.unknown}
        return {name: text for name, text in said.items() if text}


def salted(mesh: str, reader: Key, value: str | bytes) -> str:
    """Return the digest of a CA or token of a reader, "" for none; the same in whichever object it is."""
    if not value:
        return ""
    raw = value if isinstance(value, bytes) else value.encode()
    return hashlib.sha256(f"{mesh}\0{reader}\0".encode() + raw).hexdigest()[:16]


def of_token_secret(obj: Object) -> Access:
    """Return the access that a service account's token Secret gives."""
    data = obj.get("data") or {}
    return Access(
        ca=_decoded(data.get("ca.crt")), token=_decoded(data.get("token")).decode("ascii", "replace")
    )


def of_remote_secret(obj: Object, cluster: str) -> Access:
    """Return the access that a remote secret holds for a cluster; an empty one if it is not valid."""
    try:
        config = read(_decoded((obj.get("data") or {}).get(cluster)), SMALL)
        chosen = _named(config, "contexts", config["current-context"])["context"]
        about = _named(config, "clusters", chosen["cluster"])["cluster"]
        user = _named(config, "users", chosen["user"])["user"]
        ca = from_base64(about.get("certificate-authority-data") or "", SMALL)
        return Access(str(about.get("server", "")), ca, str(user.get("token", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Access()


def kubeconfig(cluster: str, access: Access) -> str:
    """Return the kubeconfig that a remote secret holds under the cluster's name."""
    ca = base64.b64encode(access.ca).decode()
    return write(document(cluster, access.server, ca=ca, token=access.token))


def document(cluster: str, server: str, *, ca: str, token: str) -> Object:
    """Return a kubeconfig with one cluster, user and context; `ca` is base64 of PEM."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"certificate-authority-data": ca, "server": server}}],
        "users": [{"name": cluster, "user": {"token": token}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
    }


def judge(kube: Kube, access: Access, *, whose: str) -> Judgement:
    """Ask a cluster's own API server, with the token, whether the token may list services.

    One request. It verifies the CA as well if the access names the server that mesh uses.
    """
    ca = access.ca if access.server == kube.server else b""
    review = {
        "apiVersion": ACCESS_REVIEW.api_version,
        "kind": ACCESS_REVIEW.kind,
        "spec": {"resourceAttributes": {"verb": "list", "resource": "services"}},
    }
    try:
        answer = kube.bearing(access.token, ca).within(SECONDS).create(review, manager="mesh/remote")
    except Unauthorized:
        return Judgement(refused=f"{whose} token is no longer accepted by cluster {kube.cluster}")
    except Forbidden:
        return Judgement()  # a valid token that may not ask: its rights are the owner's choice
    except Unreachable as error:
        if error.untrusted and ca:
            return Judgement(refused=f"{whose} CA does not verify the API server of cluster {kube.cluster}")
        return Judgement(
            unknown=f"cluster {kube.cluster} did not say whether the token is good: {error.message}"
        )
    except KubeError as error:
        return Judgement(unknown=error.message)
    if (answer.get("status") or {}).get("allowed") is not True:
        return Judgement(denied=f"cluster {kube.cluster} does not let {whose} token list its services")
    return Judgement()


def roots(snapshot: Snapshot, namespace: str) -> str:
    """Return the sorted fingerprints of the roots that istiod publishes; "" if they cannot be read."""
    try:
        found = snapshot.list(CONFIG_MAP, namespace=namespace)  # the same LIST finds the copy of the state
    except KubeError:
        return ""
    kept = [obj.get("data") or {} for obj in found if obj["metadata"]["name"] == ROOT_CONFIG_MAP]
    pem = "".join(data.get("root-cert.pem", "") for data in kept)
    return ",".join(sorted({_fingerprint(each) for each in _CERTIFICATE.findall(pem)} - {""}))


def _fingerprint(pem: str) -> str:
    """Return the fingerprint of a PEM block; "" if it holds no bytes, which is not an error of `ssl`."""
    try:
        der = ssl.PEM_cert_to_DER_cert(pem)
    except ValueError:
        return ""
    return "sha256:" + hashlib.sha256(der).hexdigest() if der else ""


def _named(config: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(each for each in [*config[section], {}] if each.get("name", name) == name)
    return found


def _decoded(text: Any) -> bytes:
    try:
        return from_base64(text or "", SMALL)
    except (TypeError, ValueError):
        return b""
