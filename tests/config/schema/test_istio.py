"""The models of the mesh-wide parts: strict types, known keys, defaults."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mesh.config.schema.istio import (
    CAPart,
    GeneratePart,
    IntermediatePart,
    IstioPart,
    LicensePart,
    Part,
    one_key,
)


@pytest.mark.parametrize(
    ("part", "data"),
    [
        (IstioPart, {"version": "1.30.2-solo", "hub": "x"}),
        (IstioPart, {"version": "latest"}),
        (IstioPart, {"version": "1.30.2-solo", "distribution": "other"}),
        (IstioPart, {"version": "1.30.2-solo", "mesh_id": "x"}),
        (GeneratePart, {"key": "rsa-2048"}),
        (GeneratePart, {"validity": 3650}),
        (CAPart, {"existing": False}),
        (CAPart, {"command": []}),
        (LicensePart, {"env": "not-a-variable"}),
    ],
)
def test_a_value_that_is_not_valid_is_rejected(part: type[Part], data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        part.model_validate(data)


def test_keys_of_the_file_are_in_camel_case() -> None:
    found = IstioPart.model_validate({"version": "1.29.1", "repoKey": "0" * 12, "meshID": "x"})
    assert (found.repo_key, found.mesh_id, found.distribution) == ("0" * 12, "x", "solo")
    assert IntermediatePart.model_validate({"renewBefore": "30d"}).renew_before == "30d"


def test_absent_parts_are_empty_parts() -> None:
    found = IstioPart.model_validate({"version": "1.29.1"})
    assert (found.charts.istiod.version, found.images.hub, found.through) == (None, None, [])


def test_exactly_one_source_is_in_the_json_schema() -> None:
    schema: dict[str, Any] = {"type": "object"}
    one_key(schema)
    assert schema == {"type": "object", "minProperties": 1, "maxProperties": 1}
    for part in (CAPart, LicensePart):
        assert schema.items() <= part.model_json_schema().items()
