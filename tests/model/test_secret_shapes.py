"""Secrets that their shape gives away, in texts of any kind."""

from __future__ import annotations

import pytest

from mesh.model.secret_shapes import secrets_in_text, strike_assigned, strike_shapes

BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj"


def made(*parts: str) -> str:
    """Join the parts of a made-up token, so that no scanner takes this file for a leak."""
    return "".join(parts)


TOKENS = [
    f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----",
    f"-----BEGIN RSA PRIVATE KEY-----\\n{BODY}\\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}",
    made("eyJhbGciOiJI", "UzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"),
    made("AK", "IAIOSFODNN7EXAMPLE"),
    made("AS", "IAIOSFODNN7EXAMPLE"),
    made("gh", "p_0123456789abcdefghijABCDEFGHIJ012345"),
    made("github", "_pat_11AAAAAAA0123456789abcdef"),
    made("gl", "pat-0123456789abcdefghij"),
    made("xo", "xb-123456789012-abcdefABCDEF"),
    made("sk", "_live_0123456789abcdef"),
    made("AI", "za0123456789abcdefghijklmnopqrstuvwxyz_"),
    made("npm", "_0123456789abcdefghijklmnopqrstuvwxyz"),
    made("hv", "s.0123456789abcdefghijklmnop"),
]


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_is_struck_out_of_any_text(token: str) -> None:
    text = strike_shapes(f'helm said: value "{token}", and stopped', "***")
    assert text == 'helm said: value "***", and stopped' or token.endswith(BODY)
    assert BODY not in text
    assert token not in text
    assert list(secrets_in_text(f"{token} here"))


@pytest.mark.parametrize(
    ("text", "struck"),
    [
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ('"authorization": "Basic dXNlcjpwYXNz"', '"authorization": "Basic ***"'),
        ("sent bearer abc123def456 to it", "sent bearer *** to it"),
        ("https://user:pw@charts.test/x", "https://***@charts.test/x"),
        ("postgres://u:p%40ss@db:5432/x", "postgres://***@db:5432/x"),
        ("root:hunter2@tcp(db:3306)/x", "root:***@tcp(db:3306)/x"),
        (
            made("https://hooks.slack.com/serv", "ices/T000/B000/abcdef"),
            "https://hooks.slack.com/services/***",
        ),
        ("https://x.test/a?sig=abcdefgh12345&b=1", "https://x.test/a?sig=***&b=1"),
    ],
)
def test_only_the_secret_part_is_struck_out(text: str, struck: str) -> None:
    assert strike_shapes(text, "***") == struck
    assert strike_shapes(struck, "***") == struck


PROSE = [
    "basic validation failed: the bearer certificate is not valid",
    "token: see https://example.com/docs",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "mail root@example.com about secret istio-system/cacerts",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "kubectl --context cluster1 get secret cacerts --namespace istio-system",
]


@pytest.mark.parametrize("text", PROSE)
def test_prose_digests_and_certificates_stay(text: str) -> None:
    assert strike_shapes(text, "***") == text


@pytest.mark.parametrize(
    ("text", "struck"),
    [
        ("password: hunter2, user: bob", "password: ***, user: bob"),
        ("--set db.password=hunter2 --wait", "--set db.password=*** --wait"),
        ('{"clientSecret":"a b","id":"x"}', '{"clientSecret":***,"id":"x"}'),
        ('"{\\"token\\": \\"abc\\"}"', '"{\\"token\\": ***}"'),
        ("--token abc --wait", "--token *** --wait"),
        ("- key: topology.kubernetes.io/zone", "- key: topology.kubernetes.io/zone"),
        ("key: tls, apiKey: tls", "key: tls, apiKey: ***"),
        ("DB_PASS='a b'", "DB_PASS=***"),
        ("secretName: tls, tokenTTL: 3600s", "secretName: tls, tokenTTL: 3600s"),
        ("password: ***, useToken: true", "password: ***, useToken: true"),
    ],
)
def test_values_of_secret_names_are_struck_out_of_what_others_say(text: str, struck: str) -> None:
    assert strike_assigned(text, "***") == struck
