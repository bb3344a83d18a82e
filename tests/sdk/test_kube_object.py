"""One Kubernetes object as a resource: its attrs, its marks, and what a dry run says."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.model import Key, Live, Place, Unread
from mesh.sdk.kube_object import Manifest, attrs_of, dry_run, find, place_of, stamped, token
from mesh.world.kube.errors import Call, Cause, Conflict, Forbidden, Missing

KEY = Key("budget", "a", "one")
CALL = Call("a", "a", "list", "pods")


def obj(name: str = "one", namespace: str = "x", **parts: Any) -> dict[str, Any]:
    return {"kind": "A", "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}"}, **parts}


def read(objects: list[dict[str, Any]] | Exception) -> list[dict[str, Any]]:
    if isinstance(objects, Exception):
        raise objects
    return objects


def test_each_place_is_found_by_namespace_and_name_or_missing() -> None:
    other = Key("budget", "a", "two")
    places = {KEY: Place("x", "one"), other: Place("y", "one")}
    found = find(places, lambda: read([obj()]), lambda _key, each: Live({}, token=each["metadata"]["uid"]))
    assert found == {KEY: Live({}, token="uid-one"), other: None}


def test_an_error_is_unread_and_never_missing() -> None:
    places = {KEY: Place("x", "one")}
    denied, down = Forbidden(CALL, "no rights"), Missing(CALL, "no such type")
    for error in (denied, down):
        found = find(places, lambda error=error: read(error), lambda _key, _obj: None)  # type: ignore[misc]
        assert found == {KEY: Unread(error.message)}


@pytest.mark.parametrize(
    ("written", "attrs"),
    [
        (obj(), {}),
        (obj(spec={"a": 1}, status={"b": 2}), {"spec": {"a": 1}}),
        (
            {"metadata": {"name": "one", "labels": {"team": "web", "meshform.io/mesh": "demo"}}},
            {"metadata": {"labels": {"team": "web"}}},
        ),
        ({"metadata": {"name": "one", "annotations": {"meshform.io/address": "a/b/c"}}}, {}),
    ],
)
def test_attrs_are_what_a_person_writes_without_the_marks(
    written: dict[str, Any], attrs: dict[str, Any]
) -> None:
    assert attrs_of(written) == attrs


def test_the_token_changes_with_the_attrs_and_with_the_object_only() -> None:
    one = token(obj(), {"a": 1})
    assert token(obj(status={"x": 1}), {"a": 1}) == one
    assert len({one, token(obj(), {"a": 2}), token(obj("two"), {"a": 1})}) == 3


def test_what_is_sent_carries_the_marks_and_the_uid_that_was_read() -> None:
    spec = Manifest("demo", obj(spec={"a": 1}))
    new = stamped(spec, KEY, None)["metadata"]
    assert new["labels"] == {"meshform.io/mesh": "demo"}
    assert new["annotations"] == {"meshform.io/address": "budget/a/one"}
    assert stamped(spec, KEY, Live({}, token="t", uid="u"))["metadata"]["uid"] == "u"
    assert place_of(spec.body) == Place("x", "one")


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (Forbidden(CALL, "no rights"), "not checked by the API server"),
        (Missing(CALL, "no such type"), "checked by the API server at apply, when its namespace and type"),
    ],
)
def test_a_write_that_cannot_be_tried_is_noted(error: Exception, note: str) -> None:
    def apply(_force: bool) -> None:
        raise error

    (said,) = dry_run(apply).notes
    assert said.startswith(note)


def test_a_field_of_a_controller_is_held_and_one_of_a_person_is_taken() -> None:
    causes = (Cause("kubectl-edit", "spec.a", ""), Cause("operator", "spec.b", ""))

    def apply(_force: bool) -> None:
        raise Conflict(CALL, "conflict", causes=causes)

    found = dry_run(apply)
    assert found.notes == ("takes spec.a from kubectl-edit", "takes spec.b from operator")
    assert found.held == ("spec.b is held by operator",)
