"""The errors of requests to an API server.

::

    KubeError
    ├── Unreachable      no valid answer: down, TLS, timeout, proxy
    ├── Unauthorized     the credentials are not accepted (401)
    ├── Forbidden        the identity is not allowed to do this (403)
    ├── Missing          the object does not exist, or its resource is not served (404)
    ├── AlreadyExists    an object with that name already exists (409)
    ├── Conflict         another field manager holds the fields, or the object has changed (409)
    ├── Gone             the version or page asked for is too old (410)
    ├── Invalid          the object is not valid (400, 413, 422)
    ├── WebhookDenied    an admission webhook or policy refuses
    ├── Malformed        the answer is too large, too deep, or not what the Kubernetes API defines
    └── Failed           any other answer

A server's message about a Secret that was sent is never repeated: it may hold its values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mesh.errors import KubeError


@dataclass(frozen=True, slots=True)
class Call:
    """One request in words, such as `list secrets in istio-system`, and its cluster.

    `secret`: its body is a Secret.
    """

    cluster: str
    context: str
    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    secret: bool = False

    @property
    def place(self) -> str:
        """The cluster, by its names in the mesh file and in the kubeconfig."""
        return f"cluster {self.cluster} (context {self.context})"

    def __str__(self) -> str:
        inside = f" in {self.namespace}" if self.namespace else ""
        return " ".join(part for part in (self.verb, self.resource, self.name) if part) + inside


class Cause(NamedTuple):
    """One field that another manager holds; `path` as in managedFields, without the first dot."""

    manager: str
    path: str
    message: str


class Unreachable(KubeError):  # noqa: N818  # reads as the answer it is, like its siblings
    """There was no valid answer.

    `sent`: a write may have been carried out all the same. `untrusted`: TLS does not trust the server.
    """

    def __init__(
        self, call: Call, what: str, *, hint: str = "", sent: bool = False, untrusted: bool = False
    ) -> None:
        super().__init__(
            f"{call.place}: {what}", hint=hint or "check that the API server runs and can be reached"
        )
        self.call = call
        self.sent = sent
        self.untrusted = untrusted


class Refusal(KubeError):  # noqa: N818  # reads as the answer it is, like its branches
    """The server refused; `call` is the request, `status` the HTTP status."""

    hint_text = ""
    status = 0

    def __init__(self, call: Call, what: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(f"{call.place}: cannot {call}: {what}", hint=hint or self.hint_text)
        self.call = call
        self.what = what
        self.status = status or self.status


class Unauthorized(Refusal):
    """The server does not accept the credentials."""

    hint_text = "log in again, or fix the user of that context in the kubeconfig"
    status = 401


class Forbidden(Refusal):
    """The identity of the context is not allowed to do this."""

    hint_text = "ask for a role that allows it; `kubectl auth can-i` shows what this context may do"
    status = 403

    @property
    def verb(self) -> str:
        """The verb that was denied: list, get, patch, …"""
        return self.call.verb

    @property
    def resource(self) -> str:
        """The resource it was denied on: the plural, with its group."""
        return self.call.resource


class Missing(Refusal):
    """The object does not exist, or its resource is not served."""

    hint_text = "check the name, and that the CRD of its kind is installed"
    status = 404


class AlreadyExists(Refusal):
    """An object with that name already exists."""

    hint_text = "look at the object; `mesh plan` tells who owns it"
    status = 409


class Conflict(Refusal):
    """Other managers hold the fields (`causes`), or the object has changed since it was read (no causes)."""

    hint_text = "plan again: the object was changed, or another manager holds fields of it"
    status = 409

    def __init__(self, call: Call, what: str, *, hint: str = "", causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(call, what, hint=hint)
        self.causes = causes


class Gone(Refusal):
    """The page of a list, or the version, is too old."""

    hint_text = "run the command again"
    status = 410


class Invalid(Refusal):
    """The server does not accept the object; `fields` are the paths that it names."""

    hint_text = "the object does not fit this cluster's API; see `mesh show --manifests`"
    status = 422

    def __init__(
        self, call: Call, what: str, *, hint: str = "", status: int = 0, fields: tuple[str, ...] = ()
    ) -> None:
        super().__init__(call, what, hint=hint, status=status)
        self.fields = fields


class WebhookDenied(Refusal):
    """An admission webhook or policy of the cluster refuses."""

    hint_text = "ask the owner of that admission webhook or policy"
    status = 403


class Malformed(KubeError):  # noqa: N818  # reads as the answer it is, like its siblings
    """The answer does not fit the limits of `mesh`, or the types of the Kubernetes API."""

    def __init__(self, call: Call, what: object) -> None:
        super().__init__(
            f"{call.place}: the answer to {call} cannot be used: {what}",
            hint="look at that object with kubectl: which program writes it, and is that an API server?",
        )
        self.call = call


class Failed(Refusal):
    """Any other unsuccessful answer."""

    hint_text = "look at the logs of the API server"
