"""What an API server can answer instead of what was asked for.

::

    KubeError
    ├── Unreachable      no answer, or none that makes sense: down, TLS, timeout, proxy
    ├── Unauthorized     it does not know who we are (401)
    ├── Forbidden        it knows, and we may not (403)
    ├── Missing          nothing of that name, or its resource is not served (404)
    ├── AlreadyExists    something of that name is there (409)
    ├── Conflict         somebody else holds the fields, or the object has moved (409)
    ├── Gone             what was asked for is too old (410)
    ├── Invalid          the object is not valid (400, 413, 422)
    ├── WebhookDenied    an admission webhook or policy says no
    └── Failed           any other answer

The words of a server about a Secret that was sent are never repeated: they may hold its values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mesh.errors import KubeError


@dataclass(frozen=True, slots=True)
class Call:
    """One request as people speak of it: `list secrets in istio-system` of which cluster.

    `secret`: it carries a Secret.
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
        """The API server, by its name in the file and in the kubeconfig."""
        return f"cluster {self.cluster} (context {self.context})"

    def __str__(self) -> str:
        inside = f" in {self.namespace}" if self.namespace else ""
        return " ".join(part for part in (self.verb, self.resource, self.name) if part) + inside


class Cause(NamedTuple):
    """One field that somebody else holds; `path` as managedFields write it, without the first dot."""

    manager: str
    path: str
    message: str


class Unreachable(KubeError):  # noqa: N818  # reads as the answer it is, like its siblings
    """No answer, or none that makes sense.

    `sent`: a write may have been carried out all the same. `untrusted`: the CA does not vouch for it.
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
    """An answer that says no; `call` is what was asked, `status` the HTTP status."""

    hint_text = ""
    status = 0

    def __init__(self, call: Call, what: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(f"{call.place}: cannot {call}: {what}", hint=hint or self.hint_text)
        self.call = call
        self.status = status or self.status


class Unauthorized(Refusal):
    """The server does not know who we are."""

    hint_text = "log in again, or mend the user of that context in the kubeconfig"
    status = 401


class Forbidden(Refusal):
    """The identity of the context may not do this."""

    hint_text = "ask for a role that allows it; `kubectl auth can-i` shows what this context may do"
    status = 403

    @property
    def verb(self) -> str:
        """What was not allowed: list, get, patch, …"""
        return self.call.verb

    @property
    def resource(self) -> str:
        """What it was not allowed on: the plural, with its group."""
        return self.call.resource


class Missing(Refusal):
    """Nothing of that name is there, or the resource is not served."""

    hint_text = "check the name, and that the CRD of its kind is installed"
    status = 404


class AlreadyExists(Refusal):
    """Something of that name is there already."""

    hint_text = "read it, and decide whether it is ours"
    status = 409


class Conflict(Refusal):
    """Others hold the fields (`causes`), or the object moved since it was read (no causes)."""

    hint_text = "plan again: somebody changed the object, or holds fields of it"
    status = 409

    def __init__(self, call: Call, what: str, *, hint: str = "", causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(call, what, hint=hint)
        self.causes = causes


class Gone(Refusal):
    """The position in a paged list, or the version asked for, is too old."""

    hint_text = "run the command again"
    status = 410


class Invalid(Refusal):
    """The server does not accept the object as it is; `fields` are the paths it complains of."""

    hint_text = "the object does not fit this cluster's API; see `mesh show --manifests`"
    status = 422

    def __init__(
        self, call: Call, what: str, *, hint: str = "", status: int = 0, fields: tuple[str, ...] = ()
    ) -> None:
        super().__init__(call, what, hint=hint, status=status)
        self.fields = fields


class WebhookDenied(Refusal):
    """An admission webhook or policy of the cluster says no."""

    hint_text = "an admission webhook or policy of the cluster decides this; ask whoever runs it"
    status = 403


class Failed(Refusal):
    """Any other answer that is no success."""

    hint_text = "look at the logs of the API server"
