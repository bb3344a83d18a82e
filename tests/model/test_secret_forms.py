"""Every form of a secret is one that the formats in use produce."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import yaml
from hypothesis import given
from hypothesis import strategies as st

from mesh.model.secret_forms import forms, is_worth_hiding

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40)


@given(TEXTS)
def test_each_format_writes_one_of_the_forms(secret: str) -> None:
    data = secret.encode()
    written = [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        quote(secret, safe=""),
        quote_plus(secret),
        data.hex(),
        data.hex().upper(),
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
    ]
    found = forms(secret)
    assert not [text for text in written if not any(form in text for form in found)]


@given(TEXTS, st.binary(max_size=5), st.binary(max_size=5))
def test_a_long_secret_is_found_inside_other_base64(secret: str, before: bytes, after: bytes) -> None:
    whole = before + secret.encode() + after
    if len(secret.encode()) >= 8:
        for text in (base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
            assert any(form in text.decode() for form in forms(secret))


def test_yaml_of_a_text_with_quotes_and_umlauts_is_a_form() -> None:
    secret = 'it\'s "quoted" \\ and ünusual'
    for style in ('"', "'"):
        text = yaml.dump(secret, default_style=style, width=1000)
        assert any(form in text for form in forms(secret))


def test_the_lines_of_a_secret_are_forms_but_not_its_boundaries() -> None:
    found = forms("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n")
    assert "MIIEvQIBADANBg" in found
    assert "-----END PRIVATE KEY-----" not in found


def test_short_and_common_words_blind_nothing() -> None:
    assert not [word for word in ("", "a", "abc", "true", "default", "    ") if is_worth_hiding(word)]
    assert is_worth_hiding("hunter2")
