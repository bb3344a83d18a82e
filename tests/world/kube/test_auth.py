"""What the user of a context adds to a request: tokens, files, basic authentication, impersonation."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from mesh.world.kube.auth import Credentials
from mesh.world.kube.errors import Unauthorized
from mesh.world.kube.exec_plugin import Plugins
from mesh.world.kube.kubeconfig import targets
from tests.support.kubeconfigs import CALL, config, credentials, write


def test_a_target_does_not_print_its_secrets(tmp_path: Path) -> None:
    env = {"KUBECONFIG": str(write(tmp_path / "one", config("a", {"token": "hunter2"})))}
    target = targets([("x", "a", "")], env)["x"]
    credentials = Credentials(target, Plugins({}))
    assert "hunter2" not in f"{target!r} {credentials!r} {credentials.login(CALL)!r}"
    assert credentials.login(CALL).headers == (("authorization", "Bearer hunter2"),)


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


def test_an_auth_provider_that_nobody_knows_any_more_is_told(tmp_path: Path) -> None:
    user = {"auth-provider": {"name": "azure", "config": {"x": "y"}}}
    with pytest.raises(Unauthorized, match="auth-provider azure gave no token"):
        credentials(tmp_path, user).login(CALL)
