"""One value in a plan: one line, safe for a terminal, without secrets."""

from __future__ import annotations

import pytest

from mesh.cli.views.values import MASKED, inline, is_text, leaves, masked, shown_path
from mesh.model import SENSITIVE, Field, Key, Sensitive, Unknown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        (None, "null"),
        (True, "true"),
        (3, "3"),
        ({"a": [1, "x"]}, '{"a": [1, "x"]}'),
        (Sensitive("hunter-2"), MASKED),
        ({"key": Sensitive("hunter-2")}, f'{{"key": {MASKED}}}'),
        (Unknown(Key("gateway", "c", "g")), "(known after gateway/c/g)"),
        ("\x1b[31m", '"\\u001b[31m"'),
    ],
)
def test_a_value_is_one_safe_line(value: object, text: str) -> None:
    assert inline(value) == text


def test_a_path_shows_named_items_in_brackets() -> None:
    assert shown_path(("spec", "listeners", "hbone.x")) == 'spec.listeners."hbone.x"'


def test_nested_data_has_one_line_per_leaf_and_a_plain_list_stays_whole() -> None:
    value = {"a": {"b": 1}, "c": [1, 2], "d": {}, "e": [{"name": "x", "v": 1}]}
    assert list(leaves((), value)) == [
        (("a", "b"), 1),
        (("c",), [1, 2]),
        (("d",), {}),
        (("e", "[x]", "name"), "x"),
        (("e", "[x]", "v"), 1),
    ]


@pytest.mark.parametrize(
    ("path", "value", "holder"),
    [
        (("data", "key"), "aHVudGVy", "Secret ns/name"),
        (("stringData", "key"), "hunter", "Secret ns/name"),
        (("spec", "pem"), "-----BEGIN EC PRIVATE KEY-----\n", "ConfigMap ns/name"),
        (("spec", "raw"), b"bytes", ""),
    ],
)
def test_a_secret_is_masked_although_its_kind_did_not(
    path: tuple[str, ...], value: object, holder: str
) -> None:
    found = masked(Field(path, value, value), holder)
    assert (found.before, found.after) == (SENSITIVE, SENSITIVE)


def test_data_of_another_object_is_not_masked() -> None:
    assert masked(Field(("data", "key"), "a", "b"), "ConfigMap ns/name") == Field(("data", "key"), "a", "b")


def test_only_several_lines_are_text() -> None:
    assert [is_text(value) for value in ("a\nb", "a\n", "a", 1)] == [True, False, False, False]
