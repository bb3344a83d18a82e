"""Text from outside is bounded before it takes memory: bytes, depth, values; and it is never quoted."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.model.bounded_text import (
    ANSWER,
    Limits,
    NotJson,
    Unfit,
    Unpacker,
    from_base64,
    from_base64_url,
    loads,
    unpacked,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet='[]{},:"\\a\n\u00e9'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('[]{},:"\\b', max_size=4), inner),
    max_leaves=30,
)


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(PLAIN, st.integers(0, 6), st.booleans())
def test_a_value_is_read_if_and_only_if_it_is_not_too_deep(value: object, most: int, ascii: bool) -> None:  # noqa: A002
    text = json.dumps(value, ensure_ascii=ascii)
    limits = Limits(depth=most)
    if depth(value) <= most or len(text.encode()) <= most:
        assert loads(text, limits) == loads(text.encode(), limits) == value
    else:
        with pytest.raises(Unfit, match=f"more than {most} levels"):
            loads(text, limits)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested more than 100 levels deep"),
        ("[" * 1_000_000, "nested more than 100 levels deep"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "nested more than 100 levels deep"),
        ('["]",' * 200 + "1" + "]" * 200, "nested more than 100 levels deep"),
        ("[" + "[]," * 2_000_000 + "1]", "more than 1,000,000 values"),
        ("1" * 5_000, "a number in it is too long"),
        ("NaN", "NaN is not a JSON value"),
        ("[-Infinity]", "-Infinity is not a JSON value"),
        ('"\\ud800"', "half of a surrogate pair"),
        ('{"\\uDFFF": 1}', "half of a surrogate pair"),
        ('{"hunter2": ', "line 1, column 13"),
        (b"\xff", "not UTF-8"),
        ("[1]".encode("utf-16"), "not UTF-8"),
        (b" " * (ANSWER.size + 1), "larger than 32 MiB"),
    ],
)
def test_what_does_not_fit_is_an_error_that_does_not_quote_it(text: str | bytes, why: str) -> None:
    with pytest.raises(Unfit, match=why) as error:
        loads(text)
    assert "hunter2" not in str(error.value)


def test_a_page_for_people_is_told_from_json_that_does_not_fit() -> None:
    with pytest.raises(NotJson):
        loads("<html>")
    with pytest.raises(Unfit) as error:
        loads("[" * 200 + "]" * 200)
    assert not isinstance(error.value, NotJson)


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert loads('"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


def test_gzip_is_unpacked_up_to_its_limit() -> None:
    packed = gzip.compress(b"x" * 1000)
    assert unpacked(packed, Limits(size=1000)) == b"x" * 1000
    assert unpacked(b"plain") == b"plain"
    for limits, data, why in (
        (Limits(size=999), packed, "unpacks to more than 999 bytes"),
        (ANSWER, gzip.compress(bytes(ANSWER.size + 1)), "more than 32 MiB"),
        (ANSWER, packed[:-9], "cut off"),
        (ANSWER, b"\x1f\x8b\x08" + b"?" * 20, "not valid gzip"),
    ):
        with pytest.raises(Unfit, match=why):
            unpacked(data, limits)


def test_a_stream_is_unpacked_part_by_part() -> None:
    packed = gzip.compress(b"x" * 1000)
    reader = Unpacker(1000)
    assert b"".join(reader.add(packed[at : at + 3]) for at in range(0, len(packed), 3)) == b"x" * 1000
    assert reader.is_whole


@given(st.binary())
def test_base64_is_read_and_anything_else_is_an_error(data: bytes) -> None:
    assert from_base64(base64.b64encode(data)) == data
    assert from_base64_url(base64.urlsafe_b64encode(data).decode().rstrip("=")) == data
    with pytest.raises(Unfit, match="not base64"):
        from_base64("a")
    with pytest.raises(Unfit, match="not base64"):
        from_base64("\u00e9")
