"""Tokens, remote secrets, and what an API server says of a token."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from mesh.errors import KubeError
from mesh.model import Key
from mesh.sdk.remote_access import (
    SECONDS,
    Access,
    Judgement,
    judge,
    kubeconfig,
    of_remote_secret,
    of_token_secret,
    roots,
    salted,
)
from mesh.world import Object, pki
from mesh.world.kube.errors import Forbidden, Unauthorized, Unreachable
from tests.support.check_facts import NOW
from tests.support.check_server import CALL, Server, snapshot

ACCESS = Access("https://b", b"pem", "t0ken")
READER = Key("reader", "b", "istio-reader")


def coded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def remote(text: str, name: str = "b") -> Object:
    return {"data": {name: coded(text.encode())}}


def test_a_kubeconfig_is_read_back_as_it_was_written() -> None:
    assert of_remote_secret(remote(kubeconfig("b", ACCESS)), "b") == ACCESS


def test_the_current_context_of_a_kubeconfig_is_the_one_that_counts() -> None:
    other = kubeconfig("b", ACCESS).replace("current-context: b", "current-context: c")
    assert of_remote_secret(remote(other), "b") == Access()


@pytest.mark.parametrize(
    "obj",
    [
        {},
        {"data": None},
        {"data": {"b": "not base64!"}},
        {"data": {"b": coded(b"\xff")}},
        remote("text"),
        remote("[1]"),
        remote("a: [b"),
        remote("{current-context: b, contexts: [], clusters: [], users: []}"),
        remote(kubeconfig("b", ACCESS), name="another"),
        remote(kubeconfig("b", ACCESS).replace("users:", "people:")),
    ],
)
def test_what_is_not_a_kubeconfig_of_the_cluster_gives_no_access(obj: Object) -> None:
    assert of_remote_secret(obj, "b") == Access()


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        ({"ca.crt": coded(b"pem"), "token": coded(b"t0ken")}, True),
        ({"ca.crt": coded(b"pem")}, False),
        ({"token": coded(b"t0ken")}, False),
        ({"ca.crt": 5, "token": "%"}, False),
        (None, False),
    ],
)
def test_a_token_secret_is_complete_with_a_token_and_a_ca(data: Any, *, complete: bool) -> None:
    found = of_token_secret({"data": data})
    assert found.complete is complete
    assert not complete or (found.ca, found.token) == (b"pem", "t0ken")


def test_a_token_is_in_no_text_of_an_access() -> None:
    assert "t0ken" not in repr(ACCESS)
    assert "pem" not in repr(ACCESS)


def test_a_digest_differs_by_mesh_and_reader_and_is_the_same_for_text_and_bytes() -> None:
    others = {
        salted("demo", READER, "x"),
        salted("other", READER, "x"),
        salted("demo", Key("a", "b", "c"), "x"),
    }
    assert len(others | {salted("demo", READER, "y")}) == 4
    assert salted("demo", READER, "x") == salted("demo", READER, b"x")
    assert salted("demo", READER, "") == salted("demo", READER, b"") == ""


class Asked:
    """An API server that answers the question of a token, and keeps who asked."""

    cluster, server = "b", "https://b"

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def bearing(self, token: str, ca: bytes) -> Asked:
        self.asked.append((token, ca))
        return self

    def within(self, seconds: float) -> Asked:
        self.asked.append(seconds)
        return self

    def create(self, obj: Object, *, manager: str) -> Object:
        self.asked.append((obj["spec"]["resourceAttributes"], manager))
        if isinstance(self.answer, Exception):
            raise self.answer
        answer: Object = self.answer
        return answer


def judged(answer: Any, access: Access = ACCESS) -> Judgement:
    kube: Any = Asked(answer)
    return judge(kube, access, whose="its")


UNTRUSTED = Unreachable(CALL, "bad certificate", untrusted=True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": {"allowed": True}}, {}),
        ({"status": {"allowed": False}}, {"denied": "cluster b does not let its token list its services"}),
        ({}, {"denied": "cluster b does not let its token list its services"}),
        (Unauthorized(CALL, "no"), {"refused": "its token is no longer accepted by cluster b"}),
        (Forbidden(CALL, "no"), {}),
        (UNTRUSTED, {"refused": "its CA does not verify the API server of cluster b"}),
        (KubeError("odd answer"), {"unknown": "odd answer"}),
    ],
)
def test_an_access_is_judged_by_the_answer_of_the_server(answer: Any, said: dict[str, str]) -> None:
    assert judged(answer).told() == said


def test_a_server_that_does_not_answer_says_nothing_of_the_token() -> None:
    (said,) = judged(Unreachable(CALL, "no route")).told().items()
    assert said[0] == "unknown"
    assert said[1].startswith("cluster b did not say whether the token is good: ")


def test_the_ca_is_judged_only_if_the_access_names_the_server_that_mesh_uses() -> None:
    elsewhere = Access("https://another", b"pem", "t0ken")
    assert judged(UNTRUSTED, elsewhere).told().keys() == {"unknown"}
    for access, ca in ((ACCESS, b"pem"), (elsewhere, b"")):
        kube: Any = Asked({"status": {"allowed": True}})
        judge(kube, access, whose="its")
        question = {"verb": "list", "resource": "services"}
        assert kube.asked == [("t0ken", ca), SECONDS, (question, "mesh/remote")]


def root_map(pem: str, name: str = "istio-ca-root-cert", namespace: str = "istio-system") -> Object:
    return {"metadata": {"name": name, "namespace": namespace}, "data": {"root-cert.pem": pem}}


def test_published_roots_are_sorted_fingerprints_without_what_is_no_certificate() -> None:
    pems = [
        pki.issue_root(pki.new_key("ecdsa-p256"), name, validity=timedelta(days=1), now=NOW) for name in "xyz"
    ]
    broken = "".join(
        f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n" for text in ("%", "abc")
    )
    server = Server(
        {
            "configmaps": [
                root_map(pems[0] + broken + pems[1] + pems[0]),
                root_map(pems[2], name="another"),
                root_map(pems[2], namespace="elsewhere"),
            ]
        }
    )
    expected = ",".join(sorted(pki.describe(pem).fingerprint for pem in pems[:2]))
    assert roots(snapshot(server), "istio-system") == expected


def test_roots_that_cannot_be_read_are_empty() -> None:
    assert roots(snapshot(Server(fails={"configmaps": KubeError("no")})), "istio-system") == ""
