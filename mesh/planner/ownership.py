"""Who owns a live object: this mesh, or another owner to whom it may be left; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from mesh.errors import InputError, Problem, UsageError
from mesh.model import ABSENT, Field, Found, Key, Left, Live, Origin, Resource
from mesh.model.diff import diff
from mesh.sdk import ask
from mesh.sdk.contract import OPEN, Last, Provider


def is_ours(found: Live, mesh: str) -> bool:
    """Whether a live object carries the mark of this mesh, or was written by this program."""
    return found.owner == mesh or found.owner.startswith("field manager mesh/")


def was_made(last: Last | None, found: Live, mesh: str) -> bool:
    """Whether mesh created the live object."""
    # The state says so, except after an interrupted step: the object may be another one that took the name
    # since, so only the same uid, or a mark on the object itself, proves it then.
    recorded = last is not None and last.created and (last.status != OPEN or last.uid == found.uid)
    return recorded or is_ours(found, mesh)


def is_theirs(last: Last | None, found: Live, mesh: str) -> bool:
    """Whether this very object is another owner's, whatever mesh had created in its place before."""
    same = last is not None and last.created and last.uid in {"", found.uid}
    return not same and not is_ours(found, mesh)


def foreign(kind: Provider[Any], spec: Any, resource: Resource[Any], found: Live, last: Last | None) -> str:
    """Return why another owner's object is not changed without --take; "" if nothing would be taken."""
    if resource.adopt and ask.is_adoptable(kind):
        return ""
    fields = diff(ask.seen(kind, spec, found), kind.wanted(spec, found, last))
    if not fields or (resource.adopt and all(each.before is ABSENT for each in fields)):
        return ""
    key = resource.key
    return (
        f"{key} exists and was not made by this mesh ({found.owner or 'owner unknown'}); it differs "
        f"in {_few(fields)}: {ways_out(kind, key)}"
    )


def _few(fields: tuple[Field, ...]) -> str:
    return ", ".join(each.dotted for each in fields[:3]) + (", …" if len(fields) > 3 else "")


def ways_out(kind: Provider[Any], key: Key) -> str:
    """Return what a user can do about another owner's object: take it, leave it, or change the file."""
    leave = "" if ask.is_adoptable(kind) else f"leave it as it is with `--leave {key}`, "
    return f"take it over with `--take {key}`, {leave}or change the file"


def left(kind: Provider[Any], spec: Any, resource: Resource[Any], found: Live) -> Left | str:
    """Return the owner that keeps it; or, as text, why it cannot be left."""
    if ask.is_adoptable(kind):
        return f"{resource.key} cannot be left to others: the rest of the mesh is built upon what it says"
    if why := ask.refuse_left(kind, spec, found):
        return why
    place = found.place or resource.place
    where = f"{place.namespace}/{place.name}".removeprefix("/")
    return Left(resource.key, found.owner or "an unknown owner", where)


def kept(found: Mapping[Key, Found], words: Iterable[Key], left: Mapping[Key, Left]) -> list[str]:
    """Warn about --leave addresses that this mesh already manages."""
    managed = sorted(key for key in words if isinstance(found.get(key), Live) and key not in left)
    return [f"{key} was made by this mesh: there is no other owner to leave it to" for key in managed]


def check_words(taken: Iterable[Key], left: Iterable[Key], resources: Iterable[Key]) -> None:
    """Reject unknown --leave addresses, and those that are given to --take as well."""
    both = sorted({*taken} & {*left})
    if both:
        raise UsageError(f"{both[0]} is to be taken and to be left", hint="choose one of the two")
    _check_known(left, {*resources}, "left to others")


def check_taken(taken: Iterable[Key], known: Iterable[Key]) -> None:
    """Reject --take addresses that are neither wanted nor recorded."""
    _check_known(taken, {*known}, "taken over")


def _check_known(asked: Iterable[Key], known: set[Key], what: str) -> None:
    for key in sorted({*asked} - known):
        raise UsageError(_no_resource(key, what), hint=nearest(key, known))


def check_file(leave: Mapping[Key, Origin], known: Iterable[Key]) -> None:
    """Reject every unknown address in spec.leave, with its line."""
    addresses = {*known}
    unknown = sorted(leave.keys() - addresses, key=lambda key: leave[key])
    problems = [
        Problem(at.file, at.line, at.col, "spec.leave", _no_resource(key, "left to others"), hint)
        for key in unknown
        for at, hint in [(leave[key], nearest(key, addresses))]
    ]
    if problems:
        raise InputError(tuple(problems))


def _no_resource(key: Key, what: str) -> str:
    return f"{key} cannot be {what}: it is not a resource of this mesh"


def nearest(key: Key, known: Iterable[Key]) -> str:
    """Name the addresses that may have been meant."""
    close = get_close_matches(str(key), sorted(map(str, known)), n=3)
    return f"did you mean {' or '.join(close)}?" if close else "`mesh show` lists the addresses"
