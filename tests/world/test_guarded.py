"""The last net: what cannot be understood is unread, with a reason that quotes no value."""

from __future__ import annotations

from mesh.errors import KubeError
from mesh.model import Unread
from mesh.world.guarded import guarded


def test_what_can_be_read_is_returned() -> None:
    assert guarded("cluster east: its pods", lambda: 5) == 5


def test_an_error_of_mesh_keeps_its_words() -> None:
    def denied() -> int:
        raise KubeError("cluster east: cannot list pods")

    assert guarded("cluster east: its pods", denied) == Unread("cluster east: cannot list pods")


def test_any_other_exception_names_the_cluster_and_no_value() -> None:
    def odd() -> int:
        held: dict[str, int] = {}
        return held["hunter2"]

    found = guarded("cluster east: its pods", odd)
    assert isinstance(found, Unread)
    assert found.why.startswith("cluster east: its pods cannot be understood (KeyError)")
    assert "hunter2" not in found.why
