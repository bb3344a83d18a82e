"""Who owns a live object: this mesh, or another owner to whom it may be left; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from mesh.errors import InputError, Problem, UsageError
from mesh.model import ABSENT, NO_CLUSTER, Found, Key, Left, Live, Origin, Resource
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


def unproven(kind: Provider[Any], key: Key, found: Live, last: Last, mesh: str) -> str:
    """Return why a live object cannot be proven to be one that this mesh may remove; "" if it is proven.

    Everything that deletes, uninstalls, replaces or gives back asks this, when it is planned and again right
    before it is done. The state alone proves nothing: a person who can write it could name any object there.
    """
    if key.cluster == NO_CLUSTER or ask.awaited(kind, key):
        return ""  # a file of this machine; or what another program deletes
    if not _is_marked(kind, found, mesh) and not _is_witnessed(kind, last):
        return f"it carries no mark of this mesh ({found.owner or 'its owner is unknown'})"
    # After an interrupted step only the cluster knows what was made: the uid in the state may be an old one.
    if last.status != OPEN and is_another(kind, found, last):
        return f"it is another object than the one in the state (uid {found.uid or 'none'}, not {last.uid})"
    return ""


def is_another(kind: Provider[Any], found: Live, last: Last) -> bool:
    """Whether the live object is another one of that name than the state has."""
    return kind.keeps_uid and last.uid not in {"", found.uid}


def _is_marked(kind: Provider[Any], found: Live, mesh: str) -> bool:
    """Whether the object itself says that this mesh made or changed it: by its label, or by its writer."""
    return found.owner in {mesh, f"field manager mesh/{kind.kind}"}


def _is_witnessed(kind: Provider[Any], last: Last) -> bool:
    """Whether it was adopted, and a run from this folder saw it: a mark is not needed to be its user."""
    return ask.is_adoptable(kind) and not last.created and not last.told


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
        f"in {few([each.dotted for each in fields])}: {ways_out(kind, key)}"
    )


def few(paths: list[str]) -> str:
    """Return the first paths of a list."""
    return ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")


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
