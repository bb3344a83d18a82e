"""What was changed outside helm in the objects of a release, which helm does not notice.

Every object that the release renders is compared with the live one. What no writer accounts for (a removed
field, a value that the API server may have put into another form) is confirmed by a dry run of helm's write:
the API server alone knows its defaults, and which fields it drops.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.errors import KubeError
from mesh.model import ABSENT, Action, Field, Live, ManifestChange, Path, Sensitive, Touch
from mesh.model.diff import dotted, named
from mesh.model.mask import secrets_in
from mesh.model.spec import COMPONENTS, Ignore
from mesh.providers.chart.compare import Difference, compare
from mesh.providers.chart.ignored import rule_for
from mesh.providers.chart.rendered import Rendered, rendered
from mesh.sdk.chart_diff import HANDS, HELM, as_helm, shown, struck
from mesh.world import HelmJob, Object
from mesh.world import yaml_documents as documents
from mesh.world.helm.releases import Release
from mesh.world.kube.errors import Missing
from mesh.world.resources import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, ResourceType
from mesh.world.snapshot import Snapshot

MANAGED = "app.kubernetes.io/managed-by=Helm"
"""The label that helm puts on every object of a release."""

IN_BULK = frozenset({DEPLOYMENT, DAEMON_SET, CONFIG_MAP})
"""Types that are read for other reasons as well, all of their namespace."""

EXISTS = ("exists",)


@dataclass(frozen=True, slots=True)
class Drift:
    """One path of an object of a release that is not as rendered; either side may be ABSENT."""

    object: Rendered
    path: Path
    live: Any = field(repr=False)
    wanted: Any = field(repr=False)
    touch: Touch | None = None

    shown: tuple[Any, Any] = field(default=(None, None), repr=False)
    """Both sides without secrets."""

    @property
    def at(self) -> Path:
        """The path in the attributes of the release."""
        return ("objects", self.object.label, dotted(self.path))

    @property
    def said(self) -> str:
        """The object and the path, as people write them."""
        return f"{self.object.label}: {Field(self.path, None, None).dotted}"

    def ignored_by(self, rules: Iterable[Ignore]) -> Ignore | None:
        """Return the rule of the mesh file that lets others change it; None if none does."""
        return rule_for(rules, self.object.resource.kind, self.object.place.name, self.path)


@dataclass(frozen=True, slots=True)
class Drifts:
    """What differs in the objects of a release, and which types could not be read, with the reason."""

    found: tuple[Drift, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    def sides(self, secrets: Collection[str] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what is live and what was rendered, by object and path; what is absent is left out.

        `secrets` are values that the mesh file calls sensitive: no text shows them.
        """
        live: dict[str, Any] = {}
        wanted: dict[str, Any] = {}
        for each in self.found:
            texts = _as_lines(each.shown)
            if texts[0] == texts[1]:  # they differ in a secret only
                texts = Sensitive(each.live), Sensitive(each.wanted)
            clean = struck(Field(each.path, *texts), secrets)
            for side, value in ((live, clean.before), (wanted, clean.after)):
                if value is not ABSENT:
                    side.setdefault(each.object.label, {})[dotted(each.path)] = value
        return live, wanted

    def touches(self) -> tuple[Touch, ...]:
        """Return who wrote what differs, by the paths of the attributes."""
        return tuple(Touch(each.at, each.touch.manager, each.touch.time) for each in self.found if each.touch)

    def remarks(self) -> tuple[str, ...]:
        """Return which types were not compared, and why."""
        return tuple(
            f"{plural} of its releases were not compared with what helm rendered: {why}"
            for plural, why in sorted(self.unread.items())
        )


def _as_lines(sides: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return lists of objects as YAML: a plan then shows the lines that change, not every later item."""
    lists = [side for side in sides if isinstance(side, list)]
    if not any(isinstance(item, Mapping) for each in lists for item in each):
        return sides
    live, wanted = (documents.write(_texts(side)) if isinstance(side, list) else side for side in sides)
    return live, wanted


def _texts(value: Any) -> Any:
    """Return plain data with words in place of secrets."""
    if isinstance(value, Mapping):
        return {name: _texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return repr(value) if isinstance(value, Sensitive) else value


def drifts(release: Release, snapshot: Snapshot) -> Drifts:
    """Compare every object of a release with the live one.

    A release that is not a part of Istio, such as a management plane, has controllers that mesh does not
    know: of its workloads and ConfigMaps, what people changed counts.
    """
    is_known = release.chart in COMPONENTS
    found: list[Drift] = []
    unread: dict[str, str] = {}
    try:
        wanted = list(rendered(release, lambda obj: _type_of(obj, snapshot)))
    except ValueError as error:
        return Drifts((), {"objects": f"its manifest is not valid YAML: {error}"})
    for each in wanted if is_known else (one for one in wanted if one.resource in IN_BULK):
        try:
            found += [one for one in _of(each, release, snapshot) if is_known or _is_by_hand(one)]
        except KubeError as error:
            unread[each.resource.plural] = error.message
    return Drifts(tuple(found), unread)


def _is_by_hand(one: Drift) -> bool:
    return one.path == EXISTS or (one.touch is not None and one.touch.manager.startswith(HANDS))


def _type_of(obj: Object, snapshot: Snapshot) -> ResourceType:
    """Return the API resource of an object; of a type that is no longer served, one that has no objects."""
    try:
        return snapshot.world.kube(snapshot.cluster).resource_of(obj)
    except Missing:
        group, _, version = obj["apiVersion"].rpartition("/")
        return ResourceType(group, version, f"{obj['kind'].lower()}s", obj["kind"])


def _of(each: Rendered, release: Release, snapshot: Snapshot) -> Iterable[Drift]:
    live = live_object(each, snapshot)
    if live is None:
        return [Drift(each, EXISTS, live=False, wanted=True, shown=(False, True))]
    differing: Iterable[Difference] = compare(each.body, live)
    if not all(one.touch for one in differing):
        differing = _confirmed(each, differing, live, release, snapshot)
    if not differing:
        return []
    safe = shown(live), shown({**each.body, "kind": each.resource.kind})
    return [
        Drift(
            each,
            one.path,
            one.live,
            one.wanted,
            one.touch,
            (_safe(one.live, safe[0], one), _safe(one.wanted, safe[1], one)),
        )
        for one in differing
    ]


def _safe(value: Any, safe: Object, one: Difference) -> Any:
    """Return a side as its object shows it without secrets."""
    return value if value is ABSENT else at(safe, one.path)


def _confirmed(
    each: Rendered,
    differing: Iterable[Difference],
    live: Object,
    release: Release,
    snapshot: Snapshot,
) -> list[Difference]:
    """Leave out what helm's own write would not change."""
    predicted = _predicted(each, release, snapshot)
    if predicted is None:
        return list(differing)
    return [one for one in differing if one.touch or at(predicted, one.path) != at(live, one.path)]


def _predicted(each: Rendered, release: Release, snapshot: Snapshot) -> Object | None:
    """Dry-run helm's write of an object; None if that is not possible."""
    job = HelmJob(release.name, release.namespace, "", "", "", {})
    meta = dict(each.body.get("metadata") or {})
    meta |= {"namespace": each.place.namespace} if each.place.namespace else {}
    body = as_helm({**each.body, "metadata": meta}, job)

    def ask() -> Object:
        return snapshot.world.kube(snapshot.cluster).apply(body, manager=HELM, force=True, dry_run=True)

    try:
        found: Object = snapshot.remember(("helm's write", each.resource, each.place), ask)
    except KubeError:
        return None  # without that right, or if the server refuses it, the comparison stands for itself
    return found


def live_object(each: Rendered, snapshot: Snapshot) -> Object | None:
    """Return the live object of a rendered one, None if it is missing."""
    space, resource = each.place.namespace, each.resource
    labels = "" if resource in IN_BULK else MANAGED
    key = ("by name", resource, space, labels)
    listed: Mapping[str, Object] = snapshot.remember(key, lambda: _by_name(resource, space, labels, snapshot))
    if (found := listed.get(each.place.name)) is not None or not labels:
        return found
    # It has lost helm's label, or is gone.
    kube = snapshot.world.kube(snapshot.cluster)
    return snapshot.remember(  # type: ignore[no-any-return]
        ("get", resource, each.place), lambda: kube.get(resource, space, each.place.name)
    )


def _by_name(resource: ResourceType, space: str, labels: str, snapshot: Snapshot) -> dict[str, Object]:
    listed = snapshot.list(resource, namespace=space, labels=labels)
    return {str(obj["metadata"]["name"]): obj for obj in listed}


def at(obj: Any, path: Path) -> Any:
    """Return the value at a path of an object; None if there is none."""
    for part in path:
        obj = named(obj).get(part) if isinstance(obj, Mapping | list) else None
    return obj


def objects(side: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attribute for the objects that are not as rendered; none if all are."""
    return {"objects": side} if side else {}


def drifted(live: Live, ignore: Iterable[Ignore] = ()) -> tuple[Drift, ...]:
    """Return what differs in the objects of a release and is not ignored.

    () if its record could not be read.
    """
    return tuple(each for each in _all(live) if not each.ignored_by(ignore))


def ignored(live: Live, ignore: Iterable[Ignore]) -> Iterator[tuple[Drift, Ignore]]:
    """Yield what differs and is ignored, each with its rule."""
    for each in _all(live):
        if rule := each.ignored_by(ignore):
            yield each, rule


def rewritten(live: Live, ignore: Iterable[Ignore]) -> tuple[str, ...]:
    """Return a note for each ignored field that helm's upgrade sets again: it writes whole objects."""
    return tuple(
        f"{each.said} is ignored, but helm writes it again now"
        for each, _ in ignored(live, ignore)
        if each.wanted is not ABSENT
    )


def _all(live: Live) -> tuple[Drift, ...]:
    found: Drifts = live.status.get("drifts", Drifts())
    return found.found


def sides(live: Live, values: Any, ignore: Iterable[Ignore] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both sides of what differs and is not ignored, without the secrets among the values."""
    return Drifts(drifted(live, ignore)).sides(secrets_in(values))


def as_changes(live: Live, ignore: Iterable[Ignore] = ()) -> tuple[ManifestChange, ...]:
    """Return what differs as the changes that put it back."""
    return tuple(
        ManifestChange(each.object.label, Action.UPDATE, (Field(each.path, each.live, each.wanted),))
        for each in drifted(live, ignore)
    )


def others(live: Live, ignore: Iterable[Ignore] = ()) -> tuple[str, ...]:
    """Return a note for each controller that wrote what an apply takes back: it may write it again."""
    managers = {each.touch.manager for each in drifted(live, ignore) if each.touch}
    return tuple(
        f"{manager} wrote some of these fields, and may write them again"
        for manager in sorted(managers)
        if not manager.startswith(HANDS)
    )
