"""The peer object of a link as kubectl commands, with the address of its target filled in by the shell."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from mesh.model import Key, Place, Resource
from mesh.model.refs import Ref
from mesh.model.spec import EastWest
from mesh.providers.link.commands import link_commands
from mesh.sdk.kube_object import Manifest
from mesh.sdk.script import Commands
from mesh.world.yaml_documents import read
from tests.support.meshes import mesh_of

GATEWAY = Key("gateway", "b", "eastwest")


def part(name: str) -> Ref:
    return Ref(GATEWAY, f"endpoint.{name}")


BODY: dict[str, Any] = {
    "kind": "Gateway",
    "metadata": {"name": "peer-b", "annotations": {"note": "a $word of `text`"}},
    "spec": {
        "addresses": ({"type": part("type"), "value": part("value")},),
        "listeners": [{"name": "xds-tls", "port": part("xdsPort")}, {"name": "hbone", "port": 15008}],
    },
}


def commands(body: dict[str, Any] = BODY, *, east: EastWest | None = None) -> Commands:
    mesh = mesh_of("solo")
    if east:
        clusters = (mesh.cluster("a"), replace(mesh.cluster("b"), name="b.x", eastwest=east))
        mesh = replace(mesh, clusters=clusters)
    target = mesh.clusters[1].name
    spec = Manifest(mesh="demo", body=body)
    return link_commands(mesh, Resource(Key("link", "a", target), Place("edge", "peer-b"), spec))


def applied(body: dict[str, Any], endpoint: str, folder: Path) -> Any:
    """What kubectl gets on stdin when the shell runs the commands."""
    kubectl = folder / "kubectl"
    kubectl.write_text("#!/bin/sh\ncat\n")
    kubectl.chmod(0o700)
    env = {"PATH": f"{folder}:/usr/bin:/bin", "endpoint_b": endpoint}
    script = commands(body).create
    done = subprocess.run(["bash", "-euc", script], env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return read(done.stdout)


def test_the_shell_fills_in_the_address_and_the_port_is_a_number(tmp_path: Path) -> None:
    found = applied(BODY, "IPAddress 192.0.2.2 15012", tmp_path)
    assert found["spec"] == {
        "addresses": [{"type": "IPAddress", "value": "192.0.2.2"}],
        "listeners": [{"name": "xds-tls", "port": 15012}, {"name": "hbone", "port": 15008}],
    }
    assert found["metadata"] == BODY["metadata"]


def test_a_text_that_looks_like_a_placeholder_is_left_as_it_is(tmp_path: Path) -> None:
    texts = {"a": "0wordvalue", "b": "word_type", "c": "wordxdsPort"}
    body = {**BODY, "metadata": {"name": "peer-b", "annotations": texts}}
    assert applied(body, "Hostname lb.example 15012", tmp_path)["metadata"]["annotations"] == texts


def test_the_endpoint_of_the_target_is_read_once_from_its_own_gateway() -> None:
    _, once = commands(east=EastWest(namespace="edge-ns", name="edge-gw")).once
    assert once == "endpoint_b_x=$(endpoint gateway/edge-gw --context=b --namespace=edge-ns)\n"


def test_both_conditions_of_the_peer_are_waited_for_in_the_source() -> None:
    wait = "kubectl --context=a --namespace=edge wait gateway/peer-b --for=condition="
    assert commands().check.splitlines() == [
        f"{wait}gloo.solo.io/PeerConnected --timeout=300s",
        f"{wait}gloo.solo.io/PeeringSucceeded --timeout=300s",
    ]


KUBECTL = """#!/bin/sh
case "$*" in
  *" wait "*) echo "$*" >>"$calls" ;;
  *addresses*) printf 'IPAddress 192.0.2.7\\nHostname lb.example\\n' ;;
  *) printf 15012 ;;
esac
"""


def test_the_function_prints_the_first_address_and_the_port_of_a_programmed_gateway(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o700)
    script = commands().once[0] + "endpoint gateway/x --context=b"
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "calls": str(tmp_path / "calls")}
    done = subprocess.run(["bash", "-euc", script], env=env, check=True, capture_output=True, text=True)
    assert done.stdout == "IPAddress 192.0.2.7 15012"
    assert "--for=condition=Programmed" in (tmp_path / "calls").read_text()
