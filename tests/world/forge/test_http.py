"""Requests are bounded, repeated where that is safe, and never lead the token to another server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.world.forge.http import ForgeError, Http
from tests.support.forges import TOKEN, ForgeServer, serving

PATH = "/repos/o/r/issues/5/comments"


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with serving("gitea") as found:
        yield found


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def http(server: ForgeServer, waits: list[float]) -> Http:
    return Http(
        server.api, {"Authorization": f"token {TOKEN}"}, {"/issues/": "the scope `write:issue`"}, waits.append
    )


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_a_read_is_repeated(server: ForgeServer, http: Http, waits: list[float], code: int) -> None:
    server.faults = [(code, {}), (code, {"Retry-After": "7"})]
    assert http.get(PATH) == []
    assert waits == [1.0, 7.0]


def test_a_creation_is_not_repeated_after_an_error_of_the_server(server: ForgeServer, http: Http) -> None:
    server.faults = [(502, {})]
    with pytest.raises(ForgeError, match="502: no"):
        http.send("POST", PATH, {"body": "x"})
    assert len(server.asked) == 1


def test_a_creation_is_repeated_after_a_rate_limit(server: ForgeServer, http: Http) -> None:
    server.faults = [(429, {}), (403, {"X-RateLimit-Remaining": "0"})]
    http.send("POST", PATH, {"body": "x"})
    assert [post.body for post in server.posts] == ["x"]


def test_a_wait_that_is_too_long_is_an_error(server: ForgeServer, http: Http, waits: list[float]) -> None:
    server.faults = [(429, {"Retry-After": "1000000000"})]
    with pytest.raises(ForgeError, match="429"):
        http.get(PATH)
    assert waits == []


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (401, "missing, wrong or expired"),
        (403, "needs the scope `write:issue`"),
        (404, "check --repo and --pr"),
    ],
)
def test_a_refusal_names_what_is_missing_and_never_the_token(
    server: ForgeServer, http: Http, code: int, hint: str
) -> None:
    server.faults = [(code, {})]
    with pytest.raises(ForgeError) as caught:
        http.get(PATH)
    assert hint in caught.value.hint
    assert f"refuses GET {PATH}: {code}: no" in caught.value.message
    assert TOKEN not in caught.value.message + caught.value.hint
    assert caught.value.status == code


def test_a_redirect_is_not_followed(server: ForgeServer, http: Http) -> None:
    server.faults = [(302, {"Location": "http://192.0.2.1/"})]
    with pytest.raises(ForgeError, match="302"):
        http.get(PATH)


def test_a_next_page_on_another_server_is_refused(http: Http) -> None:
    with pytest.raises(ForgeError, match="another server"):
        http.below("https://evil.example/next")


def test_a_server_that_does_not_answer_is_an_error(waits: list[float]) -> None:
    with pytest.raises(ForgeError, match=r"127\.0\.0\.1 does not answer"):
        Http("http://127.0.0.1:1", {}, {}, waits.append).get("/")
    assert len(waits) == 3
