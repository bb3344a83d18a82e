"""Which cluster a context means: files and merging."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.errors import MeshError
from mesh.world.kube.kubeconfig import contexts, targets
from tests.support.kubeconfigs import config, write


def test_files_are_merged_and_the_first_to_name_a_context_wins(tmp_path: Path) -> None:
    one = write(tmp_path / "one", config("a"))
    two = write(tmp_path / "two", {**config("b")})
    three = write(tmp_path / "three", config("a", server="https://other.test"))
    env = {"KUBECONFIG": f"{one}:{tmp_path / 'gone'}:{two}:{three}"}
    assert contexts(env) == ("a", "b")
    found = targets([("x", "a", ""), ("y", "b", "")], env)
    assert [target.server for target in found.values()] == ["https://a.test", "https://b.test"]


def test_a_relative_certificate_is_looked_for_beside_its_own_file(tmp_path: Path) -> None:
    write(tmp_path / "one", config("a"))
    write(tmp_path / "deep" / "two", config("b", **{"certificate-authority": "ca.pem"}))
    (tmp_path / "deep" / "ca.pem").write_bytes(b"the CA of b")
    env = {"KUBECONFIG": f"{tmp_path / 'one'}:{tmp_path / 'deep' / 'two'}"}
    assert targets([("x", "b", "")], env)["x"].ca == b"the CA of b"


def test_without_kubeconfig_the_file_in_the_home_folder_is_read(tmp_path: Path) -> None:
    write(tmp_path / ".kube" / "config", config("a"))
    assert contexts({"HOME": str(tmp_path)}) == ("a",)


def test_a_cluster_may_name_its_own_kubeconfig(tmp_path: Path) -> None:
    own = write(tmp_path / "own", config("b", **{"proxy-url": "http://p:1", "tls-server-name": "n"}))
    target = targets([("x", "b", str(own))], {"KUBECONFIG": str(write(tmp_path / "one", config("a")))})["x"]
    assert (target.proxy, target.tls_server_name) == ("http://p:1", "n")


def test_every_missing_context_is_told_at_once_with_what_was_meant(tmp_path: Path) -> None:
    one = write(tmp_path / "one", config("prod-east"))
    env = {"KUBECONFIG": str(one)}
    with pytest.raises(MeshError) as error:
        targets([("east", "prod-esat", ""), ("west", "zzz", ""), ("ok", "prod-east", "")], env)
    assert error.value.message.splitlines() == [
        f"cluster east: context prod-esat is not in {one}; did you mean prod-east?; it has: prod-east",
        f"cluster west: context zzz is not in {one}; it has: prod-east",
    ]


@pytest.mark.parametrize("context", ["", "current-context"])
def test_the_current_context_is_never_used(tmp_path: Path, context: str) -> None:
    env = {"KUBECONFIG": str(write(tmp_path / "one", config("a")))}
    with pytest.raises(MeshError, match="is not in"):
        targets([("x", context, "")], env)


def test_skipping_tls_verification_is_refused_unless_asked_for(tmp_path: Path) -> None:
    env = {"KUBECONFIG": str(write(tmp_path / "one", config("a", **{"insecure-skip-tls-verify": True})))}
    with pytest.raises(MeshError, match="insecure-skip-tls-verify"):
        targets([("x", "a", "")], env)
    assert targets([("x", "a", "")], {**env, "MESH_ALLOW_INSECURE_TLS": "1"})["x"].insecure


@pytest.mark.parametrize("text", ["a: [", "[1]", "a: b: c", "\0"])
def test_a_file_that_is_no_kubeconfig_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    (tmp_path / "one").write_text(f"{text} # hunter2")
    with pytest.raises(MeshError, match=r"kubeconfig .*one") as error:
        targets([("x", "a", "")], {"KUBECONFIG": str(tmp_path / "one")})
    assert "hunter2" not in error.value.message


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ("http://127.0.0.1:1", "has no TLS"),
        ("ftp://a.test", "does not begin with https://"),
        ("https://user:hunter2@a.test", "contains a user name or password"),
    ],
)
def test_a_server_that_would_get_the_token_in_the_open_is_refused_at_once(
    tmp_path: Path, server: str, why: str
) -> None:
    path = write(tmp_path / "one", config("a", {"token": "t"}, server=server))
    with pytest.raises(MeshError, match=why) as caught:
        targets([("east", "a", "")], {"KUBECONFIG": str(path)})
    assert "hunter2" not in caught.value.message


def test_a_server_without_tls_is_allowed_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "one", config("a", server="http://127.0.0.1:1"))
    env = {"KUBECONFIG": str(path), "MESH_ALLOW_HTTP": "127.0.0.1:1"}
    assert targets([("east", "a", "")], env)["east"].server == "http://127.0.0.1:1"
