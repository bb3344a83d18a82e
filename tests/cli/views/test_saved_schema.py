"""The schema of a saved plan names every part of it."""

from __future__ import annotations

from dataclasses import fields

from mesh.cli.views.plan_schema import plan_schema
from mesh.cli.views.saved_schema import saved_schema, schema_text
from mesh.model import Asked, Review


def test_it_is_the_schema_of_a_plan_with_the_saved_part() -> None:
    found = saved_schema()
    assert {*found["properties"]} == {*plan_schema()["properties"], "saved_plan", "checksum"}
    assert {*found["required"]} == {*found["properties"]}
    assert schema_text().endswith("}\n")


def test_every_option_and_every_digest_is_in_it() -> None:
    saved = saved_schema()["properties"]["saved_plan"]["properties"]
    assert {*saved["asked"]["properties"]} == {each.name for each in fields(Asked)}
    review = saved["steps"]["items"]["properties"]["review"]
    assert {*review["properties"]} == {each.name for each in fields(Review)}
