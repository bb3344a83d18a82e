"""Which cluster a context means, and who we are there: files, merging, plugins."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from mesh.errors import MeshError
from mesh.world.kube.auth import Credentials
from mesh.world.kube.errors import Call, Unauthorized
from mesh.world.kube.exec_plugin import Plugins
from mesh.world.kube.kubeconfig import contexts, targets

CALL = Call("east", "prod", "list", "pods")


def config(name: str, user: Mapping[str, object] | None = None, **cluster: object) -> dict[str, object]:
    """One context, with a cluster and a user of the same name."""
    return {
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.test/", **cluster}}],
        "users": [{"name": name, "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }


def write(path: Path, body: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body))
    return path


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


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


def test_a_target_does_not_print_its_secrets(tmp_path: Path) -> None:
    env = {"KUBECONFIG": str(write(tmp_path / "one", config("a", {"token": "hunter2"})))}
    target = targets([("x", "a", "")], env)["x"]
    credentials = Credentials(target, Plugins({}))
    assert "hunter2" not in f"{target!r} {credentials!r} {credentials.login(CALL)!r}"
    assert credentials.login(CALL).headers == (("authorization", "Bearer hunter2"),)


def credentials(tmp_path: Path, user: Mapping[str, object], plugins: Plugins | None = None) -> Credentials:
    env = {"KUBECONFIG": str(write(tmp_path / "one", config("prod", user)))}
    target = targets([("east", "prod", "")], env)["east"]
    return Credentials(target, plugins or Plugins({"PATH": f"{tmp_path}:/usr/bin:/bin"}))


def test_users_are_understood_as_kubectl_understands_them(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    by_file = credentials(tmp_path, {"token": "old", "tokenFile": "token"})
    assert by_file.login(CALL).headers == (("authorization", "Bearer from-file"),)
    basic = credentials(tmp_path, {"username": "me", "password": "pw"})
    assert basic.login(CALL).headers == (("authorization", f"Basic {base64.b64encode(b'me:pw').decode()}"),)
    other = credentials(tmp_path, {"token": "t", "as": "ci", "as-groups": ["x", "y"]})
    assert other.login(CALL).headers[1:] == (
        ("impersonate-user", "ci"),
        ("impersonate-group", "x"),
        ("impersonate-group", "y"),
    )


def plugin(command: str, **more: object) -> dict[str, object]:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, **more}}


def answers(**status: str) -> str:
    """The shell line of a plugin that gives these credentials."""
    return f"echo '{json.dumps({'kind': 'ExecCredential', 'status': status})}'"


def counts(folder: Path) -> str:
    return f"echo ran >> {folder}/count; "


def test_a_plugin_runs_once_for_all_clusters_that_share_it(tmp_path: Path) -> None:
    script(tmp_path / "login", counts(tmp_path) + answers(token="t1"))
    plugins = Plugins({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    for _ in range(3):
        login = credentials(tmp_path, plugin("login", args=["a"]), plugins).login(CALL)
        assert login.headers == (("authorization", "Bearer t1"),)
    credentials(tmp_path, plugin("login", args=["b"]), plugins).login(CALL)
    assert (tmp_path / "count").read_text().splitlines() == ["ran", "ran"]


def test_a_plugin_sees_its_variables_and_the_cluster_if_it_asks(tmp_path: Path) -> None:
    sees = f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; '
    script(tmp_path / "login", sees + answers(token="$MINE").replace("'", "").replace('"', '\\"'))
    user = plugin(
        "./login", env=[{"name": "MINE", "value": "v"}], provideClusterInfo=True, interactiveMode="Never"
    )
    assert credentials(tmp_path, user).login(CALL).headers == (("authorization", "Bearer v"),)
    info = json.loads((tmp_path / "info").read_text())
    assert info["spec"] == {"interactive": False, "cluster": {"server": "https://prod.test"}}


def test_an_expired_answer_of_a_plugin_is_asked_for_again(tmp_path: Path) -> None:
    old = answers(token="t", expirationTimestamp="2020-01-01T00:00:00Z")
    script(tmp_path / "login", counts(tmp_path) + old)
    holder = credentials(tmp_path, plugin("login"))
    holder.login(CALL)
    holder.login(CALL)
    assert (tmp_path / "count").read_text().splitlines() == ["ran", "ran"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "echo; echo 'token has expired' >&2; echo more >&2; exit 3",
            r"failed \(exit code 3\): token has expired",
        ),
        ("exit 1", r"failed \(exit code 1\): it printed no error"),
        ("echo hello", "returned no valid ExecCredential"),
        (answers(), "returned neither a token nor a certificate"),
        ("sleep 60", "no answer within 0.3 seconds"),
    ],
)
def test_a_plugin_that_fails_is_told_with_its_command_and_first_words(
    tmp_path: Path, body: str, words: str
) -> None:
    script(tmp_path / "login", body)
    plugins = Plugins({"PATH": f"{tmp_path}:/usr/bin:/bin"}, patience=0.3 if "sleep" in body else 30)
    with pytest.raises(Unauthorized, match=words) as error:
        credentials(
            tmp_path, plugin("login", args=["get-token", "-x"], interactiveMode="Never"), plugins
        ).login(CALL)
    assert "cluster east (context prod)" in error.value.message
    assert "`login get-token -x`" in error.value.message


def test_a_plugin_that_is_not_installed_is_told_with_its_own_hint(tmp_path: Path) -> None:
    with pytest.raises(Unauthorized, match="is not installed") as error:
        credentials(tmp_path, plugin("nowhere-to-be-found", installHint="get it there")).login(CALL)
    assert error.value.hint == "get it there"


def test_an_auth_provider_that_nobody_knows_any_more_is_told(tmp_path: Path) -> None:
    user = {"auth-provider": {"name": "azure", "config": {"x": "y"}}}
    with pytest.raises(Unauthorized, match="auth-provider azure gave no token"):
        credentials(tmp_path, user).login(CALL)
