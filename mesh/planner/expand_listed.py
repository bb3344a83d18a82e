"""The resources that the mesh file lists (`spec.resources`): each kind reads its own settings; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from mesh.errors import InputError, Problem
from mesh.istio.addresses import namespace_key
from mesh.model import Key, Resource
from mesh.model.spec import ListedResource, Mesh
from mesh.sdk import ask
from mesh.sdk.contract import Registry
from mesh.sdk.listing import SpecError

Resources = Mapping[Key, Resource[Any]]


def with_listed(mesh: Mesh, resources: Resources, kinds: Registry) -> Resources:
    """Return the resources and the listed ones; raise InputError with every mistake in the list."""
    problems: list[Problem] = []
    found = dict(resources)
    for listed in mesh.resources:
        try:
            found[listed.key] = _resource(mesh, listed, resources, kinds)
        except SpecError as error:
            problems.append(_problem(listed, error))
    for listed in mesh.resources:
        problems += _unknown_needs(listed, found)
    if problems:
        raise InputError(tuple(sorted(problems)))
    return found


def _resource(mesh: Mesh, listed: ListedResource, known: Resources, kinds: Registry) -> Resource[Any]:
    key = listed.key
    if key.kind not in kinds:
        hint = f"the kinds that can be listed are {_names(kinds)}; a package can bring more"
        raise SpecError(f"there is no kind {key.kind}", at=("kind",), hint=hint)
    if key in known:
        raise SpecError(f"{key} is already a resource of this mesh", hint="remove it from the list")
    place, spec = ask.listed(kinds[key.kind], mesh.name, key, listed.values)
    here = namespace_key(key.cluster, place.namespace)
    needs = frozenset(listed.needs) | ({here} & known.keys())
    return Resource(key, place, spec, needs, listed.origin())


def _names(kinds: Registry) -> str:
    return ", ".join(sorted(name for name, kind in kinds.items() if ask.is_listable(kind))) or "none"


def _problem(listed: ListedResource, error: SpecError) -> Problem:
    at = listed.origin(error.at)
    path = listed.path + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.at)
    return Problem(at.file, at.line, at.col, path, error.message, error.hint)


def _unknown_needs(listed: ListedResource, known: Iterable[Key]) -> Iterator[Problem]:
    for index, need in enumerate(listed.needs):
        if need not in set(known):
            close = get_close_matches(str(need), sorted(map(str, known)), n=1)
            hint = f"did you mean {close[0]}?" if close else "`mesh show` lists the addresses"
            error = SpecError(f"there is no resource {need}", at=("needs", index), hint=hint)
            yield _problem(listed, error)
