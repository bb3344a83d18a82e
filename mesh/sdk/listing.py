"""What a kind needs to read its settings from the mesh file (`spec.resources[].spec`)."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from mesh.errors import MeshError

WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a map",
}


class SpecError(MeshError):
    """A mistake in a listed resource; `at` is the path of the value inside the resource."""

    def __init__(self, message: str, *, at: tuple[str | int, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.at = at


def settings(
    values: Mapping[str, Any], required: Mapping[str, type], optional: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the settings of a listed resource, checked.

    `required` maps each required key to its type, `optional` each other key to its default, which has the
    type. Raises SpecError for an unknown key, a missing key or a wrong type.
    """
    defaults = optional or {}
    types = {**required, **{name: type(default) for name, default in defaults.items()}}
    for name, value in values.items():
        if name not in types:
            raise SpecError("unknown key", at=("spec", name), hint=_meant(name, list(types)))
        if type(value) is not types[name]:
            raise SpecError(f"must be {WORDS[types[name]]}", at=("spec", name))
    for name in required:
        if name not in values:
            raise SpecError(f"{name} is missing", at=("spec",), hint="write it under spec")
    return {**defaults, **values}


def _meant(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"valid keys are {', '.join(known) or 'none'}"
