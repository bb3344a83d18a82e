from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

import mesh
from mesh.cli.views.plan_json import json_text, plan_json
from mesh.cli.views.plan_schema import plan_schema, schema_text
from mesh.model import Action, Field, Key, Plan, Reason, Step, Unknown
from tests.cli.views.golden import expect
from tests.cli.views.plans import CREATE_LINK, DELETE_LINK, FULL, HOSTILE, NOTHING, ONLY_READ, PLANS, RELAXED

SCHEMA_FILE = Path(__file__).parents[3] / "schemas" / "plan.schema.json"


def strict(schema: Any) -> Any:
    """Return the schema with every record closed: what we print is exactly what it says."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(each) for key, each in schema.items()}
    return {"additionalProperties": False, **closed} if "required" in schema else closed


VALIDATOR = jsonschema.Draft7Validator(strict(plan_schema()))


def test_the_schema_file_is_the_generated_one() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()
    jsonschema.Draft7Validator.check_schema(plan_schema())


def test_a_plan_is_told_as_agreed() -> None:
    told = {**plan_json(FULL), "mesh_version": "0"}
    expect("full.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("plan", [FULL, HOSTILE, NOTHING, ONLY_READ])
def test_told_plans_fit_the_schema(plan: Plan) -> None:
    VALIDATOR.validate(plan_json(plan))


@RELAXED
@given(PLANS)
def test_any_plan_fits_the_schema_and_is_plain_data(plan: Plan) -> None:
    data = plan_json(plan)
    VALIDATOR.validate(data)
    text = json_text(data)
    assert json.loads(text) == data
    assert text.replace("\n", "").isprintable()


def test_unknown_values_are_true_in_after_unknown_and_absent_from_after() -> None:
    producer = Key("gateway", "c", "g")
    fields = (
        Field(("a",), 1, [Unknown(producer), {"b": Unknown(producer)}, 2]),
        Field(("c", "d"), 1, Unknown(producer)),
    )
    step = Step(Action.UPDATE, Key("x", "c", "n"), Reason.CONFIG, fields)
    change = plan_json(replace(NOTHING, steps=(step,)))["resource_changes"][0]["change"]
    assert change["after"] == {"a": [None, {}, 2]}
    assert change["after_unknown"] == {"a": [True, {"b": True}, False], "c": {"d": True}}
    assert change["known_after"] == ["gateway/c/g"]


def test_creation_has_no_before_and_deletion_no_after() -> None:
    created, deleted = plan_json(replace(NOTHING, steps=(CREATE_LINK, DELETE_LINK)))["resource_changes"]
    assert (created["change"]["before"], created["change"]["actions"]) == (None, ["create"])
    assert (deleted["change"]["after"], deleted["change"]["actions"]) == (None, ["delete"])


def test_a_plan_with_deferrals_is_incomplete() -> None:
    assert plan_json(FULL)["complete"] is False
    assert plan_json(NOTHING)["complete"] is True
    assert plan_json(NOTHING)["applyable"] is False
    assert plan_json(NOTHING)["mesh_version"] == mesh.__version__
