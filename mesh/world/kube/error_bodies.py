"""Turns the body of a failed request into the error to raise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mesh.errors import KubeError
from mesh.model.bounded_text import SMALL, Unfit, loads
from mesh.world.kube.errors import (
    AlreadyExists,
    Call,
    Cause,
    Conflict,
    Failed,
    Forbidden,
    Gone,
    Invalid,
    Missing,
    Refusal,
    Unauthorized,
    WebhookDenied,
)
from mesh.world.shapes import fitted

_LONGEST = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_HOLDER = re.compile(r'conflict with "([^"]*)"')
_WEBHOOK = re.compile(
    r'(?:admission webhook|ValidatingAdmissionPolicy|failed calling webhook) "?([^"\s:]+)"?'
)
_SIMPLE: Mapping[int, type[Refusal]] = {401: Unauthorized, 403: Forbidden, 404: Missing, 410: Gone}


def refusal(call: Call, status: int, body: bytes) -> KubeError:
    """Return the error for a Status object, or for what a proxy sent in its place."""
    answer = _status(body)
    text = _words(call, answer, body)
    webhook = _WEBHOOK.search(str(answer.get("message", "")))
    if webhook and status != 409:
        return WebhookDenied(
            call, f"{webhook[1]} refuses (its message is not shown)" if call.secret else text
        )
    if status == 409:
        return _conflict(call, answer, text)
    if status in (400, 413, 422) or blames_object(status, body):
        fields = tuple(field for field, _ in _complaints(answer))
        if fields == ("metadata.uid",):
            return Conflict(call, "it is not the object that was read: another one has the name now")
        return Invalid(call, text, status=status, fields=fields)
    if status in _SIMPLE:
        return _SIMPLE[status](call, text)
    return Failed(call, f"{status}: {text}", status=status)


def blames_object(status: int, body: bytes) -> bool:
    """Whether a 500 is about the object: the Status then has a message and no reason."""
    answer = _status(body) if status == 500 else {}
    return answer.get("kind") == "Status" and not answer.get("reason")


def _conflict(call: Call, answer: Mapping[str, Any], text: str) -> KubeError:
    if answer.get("reason") == "AlreadyExists":
        return AlreadyExists(call, "it exists already")
    causes = tuple(_held(answer))
    if not causes:
        return Conflict(call, text)
    held = ", ".join(f"{cause.path} ({cause.manager})" for cause in causes)
    return Conflict(call, f"held by other field managers: {held}", causes=causes)


def _held(answer: Mapping[str, Any]) -> Iterable[Cause]:
    for cause in _causes(answer):
        if cause.get("reason") == "FieldManagerConflict":
            message = str(cause.get("message", ""))
            holder = _HOLDER.search(message)
            yield Cause(holder[1] if holder else "?", str(cause.get("field", "")).removeprefix("."), message)


def _words(call: Call, answer: Mapping[str, Any], body: bytes) -> str:
    """Return the message of the server in one line; for a Secret only the fields it names."""
    # A validation message quotes the value it refuses, which for a Secret is the secret.
    if call.secret:
        fields = ", ".join(f"{field}: {reason}" for field, reason in _complaints(answer))
        return f"{answer.get('reason') or 'refused'} ({fields or 'the message of the server is not shown'})"
    text = str(answer.get("message") or "") or body[:_LONGEST].decode("utf-8", "replace")
    return shown(text) or "no reason given"


def shown(text: str) -> str:
    """Return text of a server or program safe for a terminal: one line, no control characters, bounded."""
    line = _CONTROL.sub(" ", text).strip()
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _complaints(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(cause.get("field", "")), str(cause.get("reason", ""))) for cause in _causes(answer)]


def _causes(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = answer.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return [cause for cause in causes if isinstance(cause, dict)] if isinstance(causes, list) else []


def _status(body: bytes) -> Mapping[str, Any]:
    try:
        return fitted(loads(body, SMALL), {"message": str, "reason": str, "kind": str})  # type: ignore[no-any-return]
    except Unfit:
        return {}
