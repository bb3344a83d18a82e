"""Credential plugins: run once, with a deadline, and reported when they fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesh.world.kube.errors import Unauthorized
from mesh.world.kube.exec_plugin import Plugins
from tests.support.kubeconfigs import CALL, answers, counts, credentials, plugin, script


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
def test_a_plugin_that_fails_is_told_by_its_name_without_arguments(
    tmp_path: Path, body: str, words: str
) -> None:
    script(tmp_path / "login", body)
    plugins = Plugins({"PATH": f"{tmp_path}:/usr/bin:/bin"}, patience=0.3 if "sleep" in body else 30)
    with pytest.raises(Unauthorized, match=words) as error:
        credentials(
            tmp_path, plugin("login", args=["get-token", "-x"], interactiveMode="Never"), plugins
        ).login(CALL)
    assert "cluster east (context prod)" in error.value.message
    assert "`login`" in error.value.message
    assert "get-token" not in error.value.message


def test_a_plugin_that_is_not_installed_is_told_with_its_own_hint(tmp_path: Path) -> None:
    with pytest.raises(Unauthorized, match="is not installed") as error:
        credentials(tmp_path, plugin("nowhere-to-be-found", installHint="get it there")).login(CALL)
    assert error.value.hint == "get it there"
