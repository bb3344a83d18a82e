"""The file of a saved plan: the same plan in every format, and no other content is accepted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given

from mesh.cli.views.plan_file import plan_file, read_plan
from mesh.cli.views.plan_json import plan_json
from mesh.cli.views.plan_markdown import plan_markdown
from mesh.cli.views.plan_text import plan_text
from mesh.cli.views.saved_schema import saved_schema, schema_text
from mesh.errors import MeshError
from mesh.model import ABSENT, Action, Asked, Deferral, Field, Key, Plan, Recorded, Review, Sensitive, Step
from tests.cli.views.plans import FULL, HOSTILE, NOTHING, ONLY_READ, PLANS, RELAXED

SCHEMA_FILE = Path(__file__).parents[3] / "schemas" / "saved-plan.schema.json"
REVIEWED = replace(
    FULL,
    steps=(
        Step(
            Action.UPDATE,
            Key("chart", "a", "istiod"),
            fields=(Field(("p",), Recorded(), {"z": [1, {"b": 2, "a": 1.5}], "a": None}),),
            needs=frozenset({Key("chart", "a", "base")}),
            review=Review({"ConfigMap x": "sha256:1"}, {"values.p": "hmac:a:b"}, {"istiod": "s"}, "u", "t"),
            pause=1.5,
            gate=("b",),
        ),
    ),
    config="sha256:cc",
    tools={"mesh": "0.1", "helm": "4.2.4"},
    key="hmac:k",
    asked=Asked(take=("link/a/b",), targets=("chart/*/istiod",), allow_deletes="all", ignore_enrolled=True),
    entries=25,
    recorded=(Key("secret", "a", "licence"),),
    confirm=("a",),
    skipped_checks=("P07",),
)
EXAMPLES = [FULL, HOSTILE, NOTHING, ONLY_READ, REVIEWED]


def same_in_every_format(one: Plan, other: Plan) -> bool:
    return (
        json.dumps(plan_json(one)) == json.dumps(plan_json(other))
        and plan_text(one, colour=True, width=80) == plan_text(other, colour=True, width=80)
        and plan_markdown(one) == plan_markdown(other)
    )


@pytest.mark.parametrize("plan", EXAMPLES)
def test_a_plan_that_was_read_back_prints_the_same_in_every_format(plan: Plan) -> None:
    found = read_plan(plan_file(plan), "plan.json")
    assert same_in_every_format(found, plan)
    assert plan_file(found) == plan_file(plan)


@RELAXED
@given(PLANS)
def test_any_plan_that_was_read_back_prints_the_same(plan: Plan) -> None:
    try:
        saved = plan_file(plan)
    except MeshError as error:
        assert "half of a surrogate pair" in error.message
        return
    assert same_in_every_format(read_plan(saved, "plan.json"), plan)


def test_a_plan_that_could_not_be_read_back_is_not_saved() -> None:
    plan = replace(NOTHING, deferred=(Deferral(Key("label", "a", "b"), "\ud800"),))
    with pytest.raises(
        MeshError, match="this plan cannot be saved: a text in it has half of a surrogate pair"
    ):
        plan_file(plan)


def test_every_fact_that_an_apply_compares_is_kept() -> None:
    found = read_plan(plan_file(REVIEWED), "plan.json")
    (step,), (kept,) = REVIEWED.steps, found.steps
    assert kept == replace(step, fields=kept.fields)
    assert replace(found, steps=()) == replace(REVIEWED, steps=())


def test_a_secret_is_not_in_the_file() -> None:
    hidden = Field(("password",), Sensitive("hunter2"), {"list": [Sensitive("hunter3")]})
    key = Field(("pem",), ABSENT, "-----BEGIN PRIVATE KEY-----\nhunter4")
    step = Step(Action.UPDATE, Key("chart", "a", "istiod"), fields=(hidden, key), expects="uid:hunter5")
    text = plan_file(replace(FULL, steps=(step,)))
    assert "hunter" not in text
    assert read_plan(text, "plan.json").steps[0].fields[0].after == {"list": [Sensitive(None)]}


def test_the_file_names_contexts_and_no_api_server() -> None:
    names = {"cluster": "cluster1", "context": "admin@one", "server": "https://10.0.0.1:6443"}
    plan = replace(FULL, fleet={"cluster1": names})
    assert "mesh prod: cluster1 (admin@one, https://10.0.0.1:6443)" in plan_text(
        plan, colour=False, width=200
    )
    text = plan_file(plan)
    assert "10.0.0.1" not in text
    assert "mesh prod: cluster1 (admin@one)" in plan_text(
        read_plan(text, "plan.json"), colour=False, width=200
    )


def test_the_bytes_are_canonical_and_act_on_no_terminal() -> None:
    text = plan_file(HOSTILE)
    assert text == plan_file(replace(HOSTILE, clusters=dict(reversed(HOSTILE.clusters.items()))))
    assert text.isascii()
    assert json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n" == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a saved plan: it is not JSON, or it is cut off"),
        (plan_file(FULL)[:-40], "not a saved plan: it is not JSON, or it is cut off"),
        ("[" * 100_000, "not a saved plan: it is not JSON, or it is cut off"),
        ("[]", "not a saved plan of mesh"),
        (json.dumps(plan_json(FULL)), "not a saved plan of mesh"),
        ('{"format_version": "1.2", "terraform_version": "1.9"}', "not a saved plan of mesh"),
        (
            plan_file(FULL).replace('"version": 1,', '"version": 2,'),
            "has format 2, this mesh reads format 1",
        ),
        (plan_file(FULL).replace("uid-1", "uid-3"), "damaged or was changed by hand"),
    ],
)
def test_what_is_no_saved_plan_is_told_with_the_reason_and_the_next_move(text: str, message: str) -> None:
    with pytest.raises(MeshError, match=message) as error:
        read_plan(text, "plan.json")
    assert error.value.exit_code == 1
    assert error.value.message.startswith("plan.json ")
    assert error.value.hint


def test_a_file_that_shows_one_plan_and_holds_another_is_damaged() -> None:
    """Even with a right checksum, which anyone can compute."""
    from mesh.cli.views.plan_file import CHECKSUM, _checksum

    body = json.loads(plan_file(FULL))
    other = json.loads(plan_file(REVIEWED))
    body["saved_plan"] = other["saved_plan"]
    del body[CHECKSUM]
    with pytest.raises(MeshError, match="damaged"):
        read_plan(json.dumps({**body, CHECKSUM: _checksum(body)}), "plan.json")


@pytest.mark.parametrize("part", ["steps", "asked", "clusters", "left"])
def test_a_part_of_another_type_is_damage_and_no_crash(part: str) -> None:
    from mesh.cli.views.plan_file import CHECKSUM, _checksum

    body = json.loads(plan_file(FULL))
    del body[CHECKSUM]
    for wrong in (5, [7], {"a": 1}, "x", None):
        body["saved_plan"][part] = wrong
        with pytest.raises(MeshError, match="damaged"):
            read_plan(json.dumps({**body, CHECKSUM: _checksum(body)}), "plan.json")


def test_the_schema_file_is_the_generated_one_and_files_fit_it() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()
    jsonschema.Draft7Validator.check_schema(saved_schema())
    for plan in EXAMPLES:
        jsonschema.Draft7Validator(saved_schema()).validate(json.loads(plan_file(plan)))
