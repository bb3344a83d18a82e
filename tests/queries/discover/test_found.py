"""What a cluster runs, as values."""

from __future__ import annotations

from tests.support.discovered import gateway


def test_a_gateway_is_written_as_people_write_it() -> None:
    assert gateway("n", namespace="a", name="b").where == "a/b"
