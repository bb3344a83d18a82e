"""What a command could not read: it says so, and ends with 6, so that no script takes it for an answer."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.errors import MeshError, PartialError
from mesh.model import Plan

CODE = PartialError.exit_code


def refuse_blind(plan: Plan) -> None:
    """Raise MeshError if no cluster could be read: such a plan says nothing."""
    if plan.blind:
        reasons = "".join(f"\n{name}: {why}" for name, why in sorted(plan.unread.items()))
        raise MeshError(
            f"no cluster could be read, so there is no plan:{reasons}",
            hint="check the contexts in the mesh file, and that the API servers can be reached",
        )


def refuse_incomplete(plan: Plan) -> None:
    """Raise PartialError if a part of the mesh could not be read, and is not in the plan."""
    if not plan.complete:
        names = sorted({*plan.unread, *(each.key.cluster for each in plan.deferred)} - {"-"})
        count = len(plan.deferred)
        deferred = f"{count} deferred" if count else "what mesh has there is not known"
        where = f"cluster {', '.join(names)}" if names else "the mesh"
        raise PartialError(
            f"the plan is incomplete: {where} could not be read completely ({deferred})",
            hint="fix the cause named above, then plan again; an apply changes the rest of the mesh only",
        )


def refuse_unread(unread: Mapping[str, str]) -> None:
    """Raise PartialError if something could not be read; `unread` says why, by what it is."""
    if unread:
        by_reason: dict[str, list[str]] = {}
        for what, why in sorted(unread.items()):
            by_reason.setdefault(why, []).append(what)
        said = "; ".join(f"{', '.join(what)}: {why}" for why, what in by_reason.items())
        raise PartialError(
            f"could not be read: {said}", hint="fix the cause, then run the same command again"
        )
