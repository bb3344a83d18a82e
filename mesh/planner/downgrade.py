"""Downgrade to an older minor version: components change in the opposite order of an upgrade; pure.

cni and ztunnel may be as old as istiod or one version older, never newer, so they are downgraded first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mesh.istio.addresses import chart_key
from mesh.istio.versions import Version
from mesh.model import Action, Key, Resource, Step
from mesh.model.spec import COMPONENTS
from mesh.providers.chart import ChartSpec

VERSION = ("version",)


def allowed(resources: Mapping[Key, Resource[object]]) -> dict[Key, Resource[object]]:
    """Return the resources; the charts among them may be downgraded."""
    return {
        key: replace(each, spec=replace(each.spec, downgrade=True))
        if isinstance(each.spec, ChartSpec)
        else each
        for key, each in resources.items()
    }


def backwards(steps: Mapping[Key, Step], clusters: Iterable[str]) -> dict[Key, Step]:
    """Return the steps; in a cluster with a downgrade, all charts change from ztunnel to base."""
    turned = dict(steps)
    for cluster in clusters:
        keys = [chart_key(cluster, part) for part in COMPONENTS]
        if not any(key in steps and _is_downgrade(steps[key]) for key in keys):
            continue
        back = [key for key in keys if key in steps]
        for key, after in zip(back, [*back[1:], None], strict=True):
            needs = steps[key].needs - frozenset(back)
            note = (f"downgraded after {after}",) if after else ()
            turned[key] = replace(
                steps[key], needs=needs | ({after} if after else frozenset()), notes=steps[key].notes + note
            )
    return turned


def _is_downgrade(step: Step) -> bool:
    if step.action is not Action.UPDATE:
        return False
    for each in step.fields:
        if each.path == VERSION:
            before, after = Version.parse(str(each.before)), Version.parse(str(each.after))
            return before is not None and after is not None and after.line < before.line
    return False
