"""From the body of a failed request to an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesh.world.kube.error_bodies import refusal
from mesh.world.kube.errors import (
    AlreadyExists,
    Call,
    Conflict,
    Failed,
    Forbidden,
    Gone,
    Invalid,
    Missing,
    Unauthorized,
    WebhookDenied,
)
from mesh.world.resources import POD
from tests.support.stumbling import OBJECT, Stumbling, answer, rig


def test_a_500_about_the_object_is_not_tried_again(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(500, {"kind": "Status", "message": "failed to create typed patch object"})]
    with pytest.raises(Exception, match="typed patch"):
        rig(tmp_path, server.url).kube.apply(OBJECT, manager="m")
    assert len(server.seen) == 1


def test_foreign_words_are_cut_and_cleaned(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(400, b"\x1b[31mred\n" + b"x" * 5000)]
    with pytest.raises(Exception, match=r"\[31mred x") as error:
        rig(tmp_path, server.url).kube.list(POD)
    assert "\x1b" not in str(error.value)
    assert len(str(error.value)) < 1200


CALL = Call("c", "x", "apply", "configmaps", "ns", "one")
SECRET_CALL = Call("c", "x", "apply", "secrets", "ns", "one", secret=True)


def status(**body: object) -> bytes:
    return json.dumps({"kind": "Status", **body}).encode()


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (401, status(), Unauthorized),
        (403, status(message="no"), Forbidden),
        (404, status(), Missing),
        (409, status(reason="AlreadyExists"), AlreadyExists),
        (409, status(message="the object has been modified"), Conflict),
        (410, status(), Gone),
        (422, status(message="spec.x: wrong"), Invalid),
        (403, status(message='admission webhook "w.example" denied the request: no'), WebhookDenied),
        (502, b"<html>", Failed),
    ],
)
def test_each_answer_has_its_error(code: int, body: bytes, kind: type[Exception]) -> None:
    assert type(refusal(CALL, code, body)) is kind


def test_a_field_conflict_names_each_field_and_its_manager() -> None:
    causes = [
        {"reason": "FieldManagerConflict", "field": ".data.a", "message": 'conflict with "kubectl" using v1'},
        {"reason": "Other", "field": ".data.b", "message": "no"},
    ]
    error = refusal(CALL, 409, status(details={"causes": causes}))
    assert isinstance(error, Conflict)
    assert [(cause.manager, cause.path) for cause in error.causes] == [("kubectl", "data.a")]


def test_an_object_with_another_uid_is_a_conflict_and_not_invalid() -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "metadata.uid", "message": "x"}]
    assert type(refusal(CALL, 422, status(details={"causes": causes}))) is Conflict


def test_a_message_about_a_secret_names_fields_and_no_value() -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "data[a]", "message": "hunter2 is wrong"}]
    error = refusal(SECRET_CALL, 422, status(reason="Invalid", message="hunter2", details={"causes": causes}))
    assert "hunter2" not in error.message
    assert "Invalid (data[a]: FieldValueInvalid)" in error.message
    hook = refusal(SECRET_CALL, 403, status(message='admission webhook "w" denied: hunter2'))
    assert "w refuses (its message is not shown)" in hook.message
