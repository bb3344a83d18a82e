"""RBAC rights as values: what a kind says that its reads and writes need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mesh.model import Action
from mesh.world.resources import ResourceType


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One permitted request; `group` is "" for the core group, `namespace` "" for the whole cluster."""

    group: str
    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what}" + (f" in {self.namespace}" if self.namespace else "")


@dataclass(frozen=True, slots=True, order=True)
class ApiResource:
    """An API resource as RBAC knows it: without a version."""

    group: str
    plural: str
    namespaced: bool = True

    @classmethod
    def of(cls, resource: ResourceType) -> ApiResource:
        """Return what RBAC knows of an API resource."""
        return cls(resource.group, resource.plural, resource.namespaced)


READ = ("get", "list")

APPLIED = ("create", "patch")
"""Server-side apply is a patch; it needs the right to create too, even where the object exists."""

VERBS: Mapping[Action, tuple[str, ...]] = {
    Action.CREATE: APPLIED,
    Action.UPDATE: APPLIED,
    Action.REPLACE: (*APPLIED, "delete"),
    Action.DELETE: ("delete",),
}
"""The verbs by which server-side apply carries an action out; other actions write nothing."""


def rights(
    resource: ApiResource | ResourceType, verbs: Iterable[str], namespace: str = ""
) -> Iterator[Right]:
    """Yield one right per verb, in a namespace if the resource has one."""
    for verb in verbs:
        yield Right(resource.group, resource.plural, verb, namespace if resource.namespaced else "")


def applied(resource: ApiResource | ResourceType, action: Action, namespace: str = "") -> Iterator[Right]:
    """Yield the rights to carry an action out on one object by server-side apply."""
    yield from rights(resource, VERBS.get(action, ()), namespace)
