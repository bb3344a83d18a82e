"""The answers of an API server as values, or the error for one that does not fit."""

from __future__ import annotations

import time
from threading import Lock

from mesh.model.bounded_text import ANSWER, NotJson, Unfit, loads
from mesh.world import Object
from mesh.world.kube.errors import Call, Malformed, Unreachable
from mesh.world.kube.objects import typed
from mesh.world.resources import ResourceType
from mesh.world.shapes import fitted

Objects = list[Object]

MINUTE = 60.0


class Meter:
    """Counts the values of several texts, such as all answers of a server; used from several threads.

    It begins again every minute, so that a run that looks again and again for an hour may do so.
    """

    def __init__(self, most: int) -> None:
        self._most, self._counted, self._lock = most, 0, Lock()
        self._began = time.monotonic()

    def add(self, count: int) -> None:
        """Add what one text holds; raise Unfit if those of this minute hold too much together."""
        with self._lock:
            now = time.monotonic()
            if now - self._began > MINUTE:
                self._began, self._counted = now, 0
            self._counted += count
            if self._counted > self._most:
                raise Unfit(f"the answers of a minute have more than {self._most:,} values together")


def parsed(call: Call, body: bytes, heard: Meter) -> Object:
    """Return the map that a body holds; raise Malformed, or Unreachable for what is not JSON at all."""
    try:
        answer: Object = fitted(loads(body, ANSWER, heard.add), dict)
    except NotJson:
        hint = "is a proxy or a login page in front of the API server?"
        raise Unreachable(call, f"its answer to {call} is not valid JSON", hint=hint) from None
    except Unfit as error:
        raise Malformed(call, error) from None
    return answer


def items_of(call: Call, page: Object, size: int) -> tuple[Objects, str]:
    """Return the items of a page, and where the next one begins."""
    if "items" not in page:
        raise Malformed(call, "it is not a list of objects")
    if isinstance(items := page.get("items"), list) and len(items) > size:
        raise Malformed(call, f"a page of {size} objects was asked for, and holds {len(items):,}")
    try:
        fit = fitted(page, {"items": list, "metadata": {"continue": str}})
    except Unfit as error:
        raise Malformed(call, error) from None
    return fit.get("items", []), fit.get("metadata", {}).get("continue", "")


def typed_as(call: Call, obj: object, resource: ResourceType) -> Object:
    """Return an object of a resource; raise Malformed."""
    try:
        return typed(obj, resource.kind)
    except Unfit as error:
        raise Malformed(call, error) from None


def names(resource: ResourceType) -> Object:
    """Return what the items of a list omit."""
    return {"apiVersion": resource.api_version, "kind": resource.kind}
