"""Releases whose own record may hold a chart that creates more than the cluster has."""

from __future__ import annotations

import pytest

from mesh.errors import UsageError
from mesh.model import Key, Place, Resource
from mesh.planner.record_charts import with_new_objects
from mesh.providers.chart import ChartSpec
from mesh.world import HelmJob

ONE, TWO = Key("chart", "a", "one"), Key("chart", "a", "two")


def release(key: Key) -> Resource[object]:
    return Resource(
        key, Place("ns", key.name), ChartSpec("demo", key.name, HelmJob(key.name, "ns", "", "", "", {}))
    )


def test_only_the_releases_that_are_named_may_create_it() -> None:
    found = with_new_objects({key: release(key) for key in (ONE, TWO)}, frozenset({ONE}))
    assert {
        key: each.spec.new_objects for key, each in found.items() if isinstance(each.spec, ChartSpec)
    } == {ONE: True, TWO: False}


def test_what_is_not_a_release_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="secret/a/x is not a release"):
        with_new_objects({}, frozenset({Key("secret", "a", "x")}))
