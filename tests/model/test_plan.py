"""A field's path as people read it."""

from __future__ import annotations

import pytest

from mesh.model.diff import dotted
from mesh.model.plan import ABSENT, Absent, Field


@pytest.mark.parametrize(
    ("path", "shown", "recorded"),
    [
        (("a",), "a", "a"),
        (
            ("spec", "listeners", "[xds-tls]", "port"),
            "spec.listeners[xds-tls].port",
            "spec.listeners.[xds-tls].port",
        ),
        (("metadata", "labels", "a.b/c"), 'metadata.labels."a.b/c"', 'metadata.labels."a.b/c"'),
        (("ports", "[0]", "[1]"), "ports[0][1]", "ports.[0].[1]"),
        (("[a.b]", "c"), "[a.b].c", '"[a.b]".c'),
        ((), "", ""),
    ],
)
def test_a_path_is_shown_as_people_write_it_and_recorded_with_a_dot_before_each_part(
    path: tuple[str, ...], shown: str, recorded: str
) -> None:
    assert (Field(path, 1, 2).dotted, dotted(path)) == (shown, recorded)


def test_there_is_one_absent_value() -> None:
    assert Absent() is ABSENT
