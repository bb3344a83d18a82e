"""The remote secret of a link as kubectl commands, run with a kubectl that answers from memory."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.model import Key, Place, Resource
from mesh.providers.remote.commands import SYNCED, remote_commands
from mesh.providers.remote.secret import RemoteSpec
from mesh.sdk.remote_access import Access, of_remote_secret
from mesh.sdk.script import Commands
from mesh.world.yaml_documents import read
from tests.support.meshes import mesh_of

KEY = Key("remote", "a", "b")
READER = Place("istio-system", "reader")
SPEC = RemoteSpec("demo", KEY, "istio-system", "cluster-b", READER, "", "", "", "")
CA = base64.b64encode(b"pem").decode()

KUBECTL = f"""#!/bin/sh
echo "$*" >>"$calls"
case "$*" in
  *data.token*) printf %s dDBrZW4= ;;
  *data.ca*) printf %s {CA} ;;
  *"config view"*) printf %s https://context.example ;;
  *) cat >"$sent" ;;
esac
"""


def commands(api_server: str = "") -> Commands:
    mesh = mesh_of("upstream")
    clusters = (mesh.cluster("a"), replace(mesh.cluster("b"), api_server=api_server))
    return remote_commands(replace(mesh, clusters=clusters), Resource(KEY, Place("", ""), SPEC))


def run(folder: Path, api_server: str) -> tuple[Any, list[str]]:
    """What kubectl applied, and every call of it."""
    kubectl, sent, calls = (folder / name for name in ("kubectl", "sent", "calls"))
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o700)
    env = {"PATH": f"{folder}:/usr/bin:/bin", "sent": str(sent), "calls": str(calls)}
    script = commands(api_server).create + 'test -z "${token+set}"'
    done = subprocess.run(["bash", "-euc", script], env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return read(sent.read_text()), calls.read_text().splitlines()


@pytest.mark.parametrize(
    ("api_server", "server"),
    [("https://b.example:6443", "https://b.example:6443"), ("", "https://context.example")],
    ids=["named in the file", "of the context"],
)
def test_what_is_applied_is_a_kubeconfig_that_istiod_can_use(
    api_server: str, server: str, tmp_path: Path
) -> None:
    secret, calls = run(tmp_path, api_server)
    text = base64.b64encode(secret["stringData"]["cluster-b"].encode()).decode()
    found = of_remote_secret({"data": {"cluster-b": text}}, "cluster-b")
    assert found == Access(server, b"pem", "t0ken")
    assert any("config view" in call for call in calls) is not bool(api_server)


def test_the_token_is_never_an_argument_and_the_write_leaves_no_copy_of_it(tmp_path: Path) -> None:
    secret, calls = run(tmp_path, "https://b.example")
    assert not any("t0ken" in call for call in calls)
    assert calls[-1] == "--context=a apply --server-side --force-conflicts -f -"
    assert all(call.startswith("--context=b ") for call in calls[:-1])
    assert secret["metadata"]["labels"] == {"istio/multiCluster": "true"}
    assert secret["metadata"]["annotations"] == {"networking.istio.io/cluster": "cluster-b"}
    assert "data" not in secret


def test_the_gateways_of_both_ends_are_waited_for_first_and_the_check_is_left_to_a_person() -> None:
    made = commands()
    wait = "wait gateway/istio-eastwestgateway --for=condition=Programmed --timeout=300s\n"
    assert made.once == tuple(
        f"kubectl --context={name} --namespace=istio-system {wait}" for name in ("a", "b")
    )
    assert made.check == SYNCED
