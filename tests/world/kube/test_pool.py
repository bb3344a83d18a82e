"""The connections to an API server: proxies and TLS files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesh.world.kube import pool
from mesh.world.kube.auth import Login
from mesh.world.kube.client import connect
from mesh.world.kube.errors import Call, Unreachable
from mesh.world.kube.kubeconfig import Section, Target
from mesh.world.resources import POD
from tests.support.stumbling import HTTP, Stumbling, rig


def test_a_proxy_of_the_kubeconfig_is_used(server: Stumbling, tmp_path: Path) -> None:
    one = rig(tmp_path, "http://not-there.test:8080")
    config = json.loads((tmp_path / "config").read_text())
    config["clusters"][0]["cluster"]["proxy-url"] = server.url
    (tmp_path / "config").write_text(json.dumps(config))
    one.kube = connect([("east", "c", str(tmp_path / "config"))], HTTP)["east"]
    assert one.kube.list(POD) == []
    assert server.seen[0][1].startswith("http://not-there.test:8080/api/v1/pods")
    env = {**HTTP, "HTTP_PROXY": server.url}
    config["clusters"][0]["cluster"].pop("proxy-url")
    (tmp_path / "config").write_text(json.dumps(config))
    assert connect([("east", "c", str(tmp_path / "config"))], env)["east"].list(POD) == []
    direct = connect(
        [("east", "c", str(tmp_path / "config"))], {**env, "NO_PROXY": ".test"}, sleep=lambda _: None
    )
    with pytest.raises(Unreachable):
        direct["east"].list(POD)


@pytest.mark.parametrize(
    ("server", "env", "proxy"),
    [
        ("https://a.test", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.test", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("http://a.test", {"HTTPS_PROXY": "http://p:1"}, ""),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": "http://p:1"}, ""),
        ("https://a.test", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b.test, .test"}, ""),
        ("https://a.test", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "best"}, "http://p:1"),
        ("https://10.1.2.3", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, ""),
        ("https://a.test", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, ""),
    ],
)
def test_a_proxy_of_the_environment_is_chosen_as_gos_client_does(
    server: str, env: dict[str, str], proxy: str
) -> None:
    assert pool.proxy_of(server, env) == proxy


def test_certificates_that_cannot_be_loaded_are_an_error_before_anything_is_sent() -> None:
    section = Section({}, Path())
    target = Target("c", "x", "https://a.test", section, section, ca=b"nonsense")
    with pytest.raises(Unreachable, match="the certificates of the context cannot be used"):
        pool.open_pool(Call("c", "x", "list", "pods"), target, Login(), {}, 4)


def test_the_reason_of_an_error_is_its_innermost_message() -> None:
    try:
        try:
            raise OSError(111, "Connection refused")
        except OSError as inner:
            raise ValueError("HTTPConnectionPool(0x7f)") from inner
    except ValueError as error:
        assert pool.reason(error) == "Connection refused"
