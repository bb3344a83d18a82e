"""Every kind of bad answer ends in an error that names the cluster, within the bounds of a request."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mesh.errors import KubeError, UsageError
from mesh.world.kube.answers import Meter, items_of, parsed
from mesh.world.kube.errors import Call, Malformed, Unreachable
from mesh.world.kube.exchange import FACTOR, TIMEOUT, Patience
from mesh.world.resources import GATEWAY, NODE
from tests.support.hostile import KINDS, hostile
from tests.support.stumbling import rig

CALL = Call("east", "c", "list", "nodes")


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_answer_is_an_error_that_names_the_cluster(kind: str, tmp_path: Path) -> None:
    before = threading.active_count()
    with hostile(kind) as url:
        kube = rig(tmp_path, url, total=0.6, read=0.5, answer=0.6, first_connect=0.5).kube
        for resource in (NODE, GATEWAY):
            with pytest.raises(KubeError, match=r"cluster east \(context c\)") as error:
                kube.list(resource)
            assert len(error.value.message) < 1_500
            assert error.value.hint
    assert threading.active_count() <= before
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


def test_answers_are_counted_together() -> None:
    heard = Meter(20)
    assert parsed(CALL, b'{"a": [1, 2, 3]}', heard) == {"a": [1, 2, 3]}
    with pytest.raises(Malformed, match="more than 20 values together"):
        for _ in range(9):
            parsed(CALL, b'{"a": [' + b"1," * 60 + b"1]}", heard)


def test_what_is_not_json_is_not_an_api_server() -> None:
    with pytest.raises(Unreachable, match="is not valid JSON"):
        parsed(CALL, b"<html>", Meter(9))
    with pytest.raises(Malformed, match="it is not a map"):
        parsed(CALL, b"[]", Meter(9))


def test_a_page_holds_no_more_than_was_asked_for() -> None:
    assert items_of(CALL, {"items": None, "metadata": {"continue": "x"}}, 2) == ([], "x")
    assert items_of(CALL, {"items": [1, 2]}, 2) == ([1, 2], "")
    with pytest.raises(Malformed, match="a page of 2 objects was asked for, and holds 3"):
        items_of(CALL, {"items": [1, 2, 3]}, 2)


def test_the_bounds_can_be_set_and_must_be_numbers() -> None:
    usual = Patience()
    assert usual.of({}) == usual
    assert usual.of({TIMEOUT: "5"}).total == usual.of({TIMEOUT: "5"}).read == 5
    assert usual.of({FACTOR: "2"}).most == 2 * usual.most
    for name in (TIMEOUT, FACTOR):
        for text in ("x", "0", "-1", "nan", "inf"):
            with pytest.raises(UsageError, match=f"{name} is '{text}'"):
                usual.of({name: text})
