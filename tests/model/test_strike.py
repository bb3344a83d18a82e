"""Secrets are struck out of texts, in whatever form and however broken over lines."""

from __future__ import annotations

import base64
import json
import textwrap

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mesh.model.strike import STRUCK, holds, strike, strike_known

SECRET = "S3cr3t canary with words & 'quotes' in it, longer than one line of base64"
PACKED = base64.b64encode(f"user:{SECRET}:end".encode()).decode()
WRAPPED = "\n".join(textwrap.wrap(PACKED, 24))
BROKEN = {
    "wrapped": WRAPPED,
    "indented": textwrap.indent(WRAPPED, "      "),
    "in a diff": textwrap.indent(WRAPPED, "    + "),
    "in JSON": json.dumps(WRAPPED),
    "in JSON in JSON": json.dumps(json.dumps(WRAPPED)),
    "with CRLF": WRAPPED.replace("\n", "\r\n"),
    "hex": "\n".join(textwrap.wrap(SECRET.encode().hex(), 20)),
    "folded": yaml.dump({"a": SECRET}, width=20),
    "folded in quotes": yaml.dump({"a": SECRET}, default_style='"', width=20),
    "folded block": yaml.dump({"a": SECRET}, default_style=">", width=20),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_form_that_is_broken_over_lines_is_found(broken: str) -> None:
    text = strike(f"before\n{broken}\nafter", [SECRET])
    assert STRUCK in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert "canary" not in text


def test_what_surrounds_a_secret_stays() -> None:
    assert strike("a=hunter2-x; b=2", ["hunter2-x"]) == "a=***; b=2"
    assert strike("nothing to hide here", ["hunter2-x"]) == "nothing to hide here"
    assert strike("", ["hunter2-x"]) == ""


def test_a_short_secret_is_struck_out_as_a_word_only() -> None:
    assert (
        strike("cluster-admin, admin and administrator", ["admin"]) == "cluster-admin, *** and administrator"
    )
    assert strike("port 15012 and 150123", ["15012"]) == "port *** and 150123"
    assert strike("a no b", ["no"]) == "a no b"


def test_overlapping_secrets_leave_one_mark() -> None:
    assert strike("x secret-one-two y", ["secret-one", "one-two", "secret-one-two"]) == "x *** y"


@given(st.text(), st.text(min_size=8), st.text())
def test_no_known_secret_survives(before: str, secret: str, after: str) -> None:
    struck = strike_known(before + secret + after, [secret])
    assert secret not in struck or not secret.strip() or secret in STRUCK * 3 or secret.isdigit()


@given(st.text(), st.lists(st.text(min_size=4), max_size=3))
def test_a_text_without_the_secrets_stays_the_same_when_it_is_struck_again(
    text: str, known: list[str]
) -> None:
    once = strike(text, known)
    assert holds(text, known) == (once != text)
