"""The simulated API server: what mesh relies on, in a few calls each. `tests.sim.compare` has the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sim.api import Api
from tests.sim.compare import APPLY, MERGE, calls, modelled, transcript
from tests.sim.threads import BEGIN

PATH = "/api/v1/namespaces/n/configmaps"


@pytest.fixture
def api() -> Api:
    one = Api("c", lambda: BEGIN)
    send(one, "POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
    return one


def send(api: Api, method: str, url: str, body: Any = None, media: str = "") -> tuple[int, dict[str, Any]]:
    return api.handle(method, url, json.dumps(body).encode() if body is not None else None, media)


def named(**data: str) -> dict[str, Any]:
    return {"metadata": {"name": "m", "namespace": "n"}, "data": data}


def test_a_name_is_created_once(api: Api) -> None:
    assert send(api, "POST", PATH, named(a="1"))[0] == 201
    status, answer = send(api, "POST", PATH, named(a="1"))
    assert (status, answer["reason"]) == (409, "AlreadyExists")


def test_a_field_of_another_manager_is_a_conflict_unless_forced(api: Api) -> None:
    send(api, "PATCH", f"{PATH}/m?fieldManager=one", named(a="1"), APPLY)
    status, answer = send(api, "PATCH", f"{PATH}/m?fieldManager=two", named(a="2"), APPLY)
    assert status == 409
    assert [each["field"] for each in answer["details"]["causes"]] == [".data.a"]
    status, answer = send(api, "PATCH", f"{PATH}/m?fieldManager=two&force=true", named(a="2"), APPLY)
    assert (status, answer["data"]) == (200, {"a": "2"})


def test_what_a_manager_no_longer_applies_goes_unless_another_holds_it(api: Api) -> None:
    send(api, "PATCH", f"{PATH}/m?fieldManager=one", named(a="1", b="1"), APPLY)
    send(api, "PATCH", f"{PATH}/m?fieldManager=two", named(a="1"), APPLY)
    status, answer = send(api, "PATCH", f"{PATH}/m?fieldManager=one", named(), APPLY)
    assert (status, answer["data"]) == (200, {"a": "1"})


def test_a_delete_with_another_uid_deletes_nothing(api: Api) -> None:
    _, made = send(api, "POST", PATH, named(a="1"))
    assert send(api, "DELETE", f"{PATH}/m", {"preconditions": {"uid": "other"}})[0] == 409
    assert send(api, "DELETE", f"{PATH}/m", {"preconditions": {"uid": made["metadata"]["uid"]}})[0] == 200
    assert send(api, "GET", f"{PATH}/m")[0] == 404


def test_what_has_finalizers_stays_until_they_are_gone(api: Api) -> None:
    body = {**named(), "metadata": {"name": "m", "namespace": "n", "finalizers": ["a/b"]}}
    send(api, "POST", PATH, body)
    send(api, "DELETE", f"{PATH}/m", {})
    assert "deletionTimestamp" in send(api, "GET", f"{PATH}/m")[1]["metadata"]
    send(api, "PATCH", f"{PATH}/m", {"metadata": {"finalizers": None}}, MERGE)
    assert send(api, "GET", f"{PATH}/m")[0] == 404


def test_an_older_version_is_not_replaced(api: Api) -> None:
    _, made = send(api, "POST", PATH, named(a="1"))
    assert send(api, "PUT", f"{PATH}/m", {**made, "data": {"a": "2"}})[0] == 200
    status, answer = send(api, "PUT", f"{PATH}/m", {**made, "data": {"a": "3"}})
    assert (status, answer["reason"]) == (409, "Conflict")


def test_a_dry_run_stores_nothing(api: Api) -> None:
    assert send(api, "POST", f"{PATH}?dryRun=All", named(a="1"))[0] == 201
    assert send(api, "GET", f"{PATH}/m")[0] == 404


def test_a_transcript_repeats_itself() -> None:
    import random

    first, again = (transcript(modelled(Api("c", lambda: BEGIN)), 3, 40) for _ in range(2))
    assert first == again
    assert len(list(calls(random.Random(3), 40))) == 40
