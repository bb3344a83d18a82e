"""Fingerprints of hidden values: keyed, equal for equal values, and silent without their key."""

from hypothesis import given
from hypothesis import strategies as st

from mesh.model import Key, Sensitive, Unknown
from mesh.model.fingerprint import HIDDEN, fingerprint, is_same, key_id

ONE, OTHER = b"1" * 32, b"2" * 32
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN)
def test_a_hidden_value_has_the_fingerprint_of_the_value_itself(value: object) -> None:
    assert fingerprint(ONE, Sensitive(value)) == fingerprint(ONE, value)
    assert fingerprint(ONE, {"a": [Sensitive(value)]}) == fingerprint(ONE, {"a": [value]})


def test_two_values_and_two_keys_have_different_fingerprints() -> None:
    found = {fingerprint(key, value) for key in (ONE, OTHER) for value in ("a", "b", 1, True, None, ["a"])}
    assert len(found) == 12


def test_numbers_that_json_calls_equal_are_equal() -> None:
    assert fingerprint(ONE, 1.0) == fingerprint(ONE, 1)
    assert fingerprint(ONE, 1) != fingerprint(ONE, True)


def test_without_a_key_nothing_is_told() -> None:
    assert fingerprint(b"", "hunter2") == HIDDEN
    assert key_id(b"") == ""


def test_fingerprints_are_compared_only_under_one_key() -> None:
    mine = fingerprint(ONE, "a")
    assert is_same(mine, fingerprint(ONE, "a")) is True
    assert is_same(mine, fingerprint(ONE, "b")) is False
    assert is_same(mine, fingerprint(OTHER, "a")) is None
    assert is_same(mine, HIDDEN) is None
    assert is_same(HIDDEN, HIDDEN) is None


def test_a_fingerprint_names_its_key_and_holds_neither_key_nor_value() -> None:
    text = fingerprint(ONE, "hunter2-hunter2")
    assert text.startswith(f"hmac:{key_id(ONE)}:")
    assert "hunter2" not in text
    assert ONE.hex() not in text


def test_a_value_that_is_not_known_yet_has_the_fingerprint_of_its_source() -> None:
    after = Unknown(Key("secret", "one", "licence"))
    assert fingerprint(ONE, after) == fingerprint(ONE, Unknown(Key("secret", "one", "licence")))
    assert fingerprint(ONE, after) != fingerprint(ONE, Unknown(Key("secret", "two", "licence")))
