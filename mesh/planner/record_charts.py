"""Releases whose own record may hold a chart that creates more than the cluster has; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mesh.errors import UsageError
from mesh.istio.addresses import is_release
from mesh.model import Key, Resource
from mesh.providers.chart import ChartSpec


def with_new_objects(
    resources: Mapping[Key, Resource[object]], keys: frozenset[Key]
) -> Mapping[Key, Resource[object]]:
    """Return the resources; the releases with these keys may do it. Raises UsageError for another kind."""
    if strange := next((key for key in sorted(keys) if not is_release(key)), None):
        raise UsageError(
            f"{strange} is not a release", hint="--allow-new-objects takes an address chart/CLUSTER/NAME"
        )
    return {
        key: replace(each, spec=replace(each.spec, new_objects=True))
        if key in keys and isinstance(each.spec, ChartSpec)
        else each
        for key, each in resources.items()
    }
