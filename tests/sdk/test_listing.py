"""The settings of a listed resource: checked by name and type."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.sdk.listing import SpecError, settings


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"namespace": "web"}, {"namespace": "web", "away": 1, "strict": False}),
        ({"namespace": "web", "away": 2, "strict": True}, {"namespace": "web", "away": 2, "strict": True}),
    ],
)
def test_settings_have_the_defaults_of_what_is_not_written(
    values: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert settings(values, {"namespace": str}, {"away": 1, "strict": False}) == expected


@pytest.mark.parametrize(
    ("values", "at", "message", "hint"),
    [
        ({}, ("spec",), "namespace is missing", "write it under spec"),
        ({"namespace": 1}, ("spec", "namespace"), "must be text", ""),
        ({"namespace": "a", "away": "1"}, ("spec", "away"), "must be a whole number", ""),
        ({"namespace": "a", "away": True}, ("spec", "away"), "must be a whole number", ""),
        ({"namespace": "a", "awaay": 1}, ("spec", "awaay"), "unknown key", "did you mean away?"),
        ({"namespace": "a", "x": 1}, ("spec", "x"), "unknown key", "valid keys are namespace, away"),
    ],
)
def test_a_wrong_setting_is_an_error_at_its_place(
    values: dict[str, Any], at: tuple[str, ...], message: str, hint: str
) -> None:
    with pytest.raises(SpecError) as caught:
        settings(values, {"namespace": str}, {"away": 1})
    assert (caught.value.at, caught.value.message, caught.value.hint) == (at, message, hint)
