"""Make a saved plan again, and refuse it if anything that matters has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mesh.engine.observe import read_uid
from mesh.engine.session import Planned, Session
from mesh.errors import KubeError, RefusedError, StalePlanError
from mesh.model import Plan
from mesh.planner.configuration import configuration
from mesh.planner.digest import sealed
from mesh.planner.saved import Difference, clusters, differences, refuse
from mesh.walk import fan


def recognisable(session: Session, plan: Plan) -> Plan:
    """Return the plan with what an apply recognises its configuration and key by.

    Only a plan that is saved needs them: the key may have to be made, and a plan for the eye writes nothing.
    """
    key = session.world.fingerprint("the key of this plan")
    return replace(plan, config=_sealed_configuration(session), key=key)


def plan_as_saved(session: Session, saved: Plan, plan: Callable[[], Planned]) -> Planned:
    """Return the plan made again if it is the saved one; raise StalePlanError with every difference."""
    # A wrong cluster is found before anything is planned against it: the plan itself would refuse it in other
    # words, and with another exit code.
    same_key = saved.key == session.world.fingerprint("the key of this plan")
    refuse((*_config(session, saved), *clusters(saved.clusters, _uids(session, saved))), same_key=same_key)
    try:
        planned = plan()
    except RefusedError as error:
        raise StalePlanError(
            f"the saved plan no longer holds, nothing was changed: {error.message}",
            hint=error.hint or "plan again, review it, and apply the new plan",
        ) from None
    refuse(differences(saved, recognisable(session, planned.plan)), same_key=same_key)
    return planned


def _sealed_configuration(session: Session) -> str:
    return sealed(configuration(session.mesh, session.world.folder), session.world.fingerprint)


def _config(session: Session, saved: Plan) -> tuple[Difference, ...]:
    now = _sealed_configuration(session)
    return (Difference("configuration", saved.config, now),) if now != saved.config else ()


def _uids(session: Session, saved: Plan) -> dict[str, str]:
    """Return the UID behind the context of each cluster of the plan; "" for one that does not answer."""

    def read(name: str) -> str:
        try:
            return read_uid(session.world.kube(name))
        except KubeError:
            return ""

    return fan(read, [name for name in saved.clusters if name in session.world.kubes])
