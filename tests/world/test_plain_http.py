"""Servers without TLS: refused, unless they are allowed by name."""

from __future__ import annotations

import pytest

from mesh.world.plain_http import allowed_hosts, refusal

HOSTS = allowed_hosts({"MESH_ALLOW_HTTP": "127.0.0.1, mirror.Example:8080"})


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://a.example:6443", ""),
        ("http://127.0.0.1:8001", ""),
        ("http://mirror.example:8080/charts", ""),
        ("http://mirror.example:8081/charts", "has no TLS"),
        ("http://localhost:8001", "MESH_ALLOW_HTTP=localhost:8001"),
        ("http://127.0.0.1@evil.example/", "contains a user name or password"),
        ("https://user:hunter2@a.example", "https://***@a.example contains a user name or password"),
        ("ftp://a.example", "does not begin with https://"),
        ("file:///etc/passwd", "does not begin with https://"),
        ("a.example:6443", "does not begin with https://"),
        ("https://[::1", "is not a valid URL"),
        ("https://a.example:port", "is not a valid URL"),
    ],
)
def test_a_url_is_refused_with_the_reason(url: str, why: str) -> None:
    told = refusal(url, HOSTS)
    assert why in told
    assert bool(why) == bool(told)
    assert "hunter2" not in told


def test_nothing_is_allowed_by_default() -> None:
    assert "has no TLS" in refusal("http://127.0.0.1:1", allowed_hosts({}))
