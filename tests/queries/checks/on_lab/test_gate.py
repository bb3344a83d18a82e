"""`spec.rollout.gate: check`: the next cluster is left alone until the checks of the one before pass."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lab.standin.guide import EDGE, SYSTEM
from tests.lab.standin.hand import eventually
from tests.queries.checks.on_lab.changes import PEER, gone, made
from tests.queries.checks.on_lab.conftest import Rig

pytestmark = pytest.mark.long

STRANGER: dict[str, Any] = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {
        "name": "stranger",
        "namespace": EDGE,
        "labels": {"topology.istio.io/network": "elsewhere", "topology.istio.io/cluster": "elsewhere"},
    },
    "spec": {
        "gatewayClassName": "istio-remote",
        "addresses": [{"type": "IPAddress", "value": "203.0.113.9"}],
        "listeners": [{"name": "xds-tls", "port": 15012, "protocol": "TLS", "tls": {"mode": "Passthrough"}}],
    },
}
"""A peer of a network that the mesh knows nothing of."""


def told(rig: Rig, cluster: str) -> list[str]:
    found = rig.hand.get(cluster, "daemonset", "ztunnel")["spec"]["template"]["spec"]["containers"][0]
    return [each["name"] for each in found["env"]]


def gated(spec: Any) -> None:
    spec["defaults"] = {"values": {"ztunnel": {"env": {"GATED": "yes"}}}}


def test_a_rollout_waits_at_the_gate_and_goes_on_once_it_is_fixed(rig: Rig, tmp_path: Path) -> None:
    """A peer that cannot be reached fails a mid-flight check of cluster1; no step of the plan is about it."""
    text = rig.mesh.file.read_bytes()
    rig.mesh.edit(gated)
    made(STRANGER)(rig)
    out = tmp_path / "out"
    try:
        with out.open("wb") as stream:
            apply = subprocess.Popen(
                [sys.executable, "-m", "mesh", "apply", "--yes", "--json"],
                cwd=rig.mesh.folder,
                env=dict(rig.mesh.env),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        try:
            eventually(
                out.read_text,
                lambda seen: "waiting for the checks of cluster1" in seen or apply.poll() is not None,
                within=120,
            )
            assert apply.poll() is None, out.read_text()
            assert "GATED" in told(rig, "cluster1")
            assert "GATED" not in told(rig, "cluster2")
            gone(STRANGER)(rig)
            assert apply.wait(180) == 0, out.read_text()
        finally:
            apply.kill()
            apply.wait()
        assert "GATED" in told(rig, "cluster2")
    finally:
        gone(STRANGER)(rig)
        rig.mesh.file.write_bytes(text)
        rig.mesh.mended()
    steps = [json.loads(line) for line in out.read_text().splitlines() if line.startswith("{")]
    assert any("S12 cluster1" in json.dumps(step) for step in steps)
    assert rig.hand.get("cluster1", "deployment", "istiod", SYSTEM)


def test_what_the_run_is_yet_to_make_does_not_hold_the_run_up(rig: Rig) -> None:
    """A link is made after the charts of both its ends: before that the checks cannot find a peer."""
    text = rig.mesh.file.read_bytes()
    rig.hand.kubectl("cluster1", "delete", "gateway", PEER, "-n", EDGE)
    rig.mesh.edit(gated)
    try:
        plan = rig.mesh("plan").out
        assert "waits until cluster1 is done and ready, and passes its checks" in plan
        assert "# link/cluster1/cluster2 will be created" in plan
        rig.mesh.applied()
        assert rig.mesh("plan", "--detailed-exitcode").code == 0
    finally:
        rig.mesh.file.write_bytes(text)
        rig.mesh.mended()


def test_a_check_that_is_left_out_does_not_hold_the_run_up(rig: Rig) -> None:
    text = rig.mesh.file.read_bytes()
    rig.mesh.edit(gated)
    made(STRANGER)(rig)
    try:
        rig.mesh.applied("--skip-check", "S12")
        assert "GATED" in told(rig, "cluster2")
    finally:
        gone(STRANGER)(rig)
        rig.mesh.file.write_bytes(text)
        rig.mesh.mended()


def trusting(word: str) -> Callable[[Any], None]:
    """Whether istiod of cluster2 takes certificates of other trust domains."""

    def edit(spec: Any) -> None:
        env = {"env": {"PILOT_SKIP_VALIDATE_TRUST_DOMAIN": word}}
        spec["clusters"][1]["values"] = {"istiod": env}

    return edit


def trusts(rig: Rig) -> str:
    pod = rig.hand.get("cluster2", "deployment", "istiod", SYSTEM)["spec"]["template"]["spec"]
    return next(
        each["value"] for each in pod["containers"][0]["env"] if each["name"].startswith("PILOT_SKIP")
    )


def test_an_apply_that_breaks_the_links_says_so_though_each_step_is_done(rig: Rig) -> None:
    """Only istiod of cluster2 is changed; the peer in cluster1, which was not touched, is reported too."""
    text = rig.mesh.file.read_bytes()
    rig.mesh.edit(trusting("false"))
    try:
        broken = rig.mesh("apply", "--yes", "--timeout", "45")
        assert broken.code == 6, broken
        assert "Apply incomplete! Resources: 0 added, 1 changed, 0 destroyed." in broken
        assert "checks/-/mid: the checks of cluster2 do not pass, though every step is done: " in broken
        assert f"S12 cluster1: peer {EDGE}/{PEER}" in broken
        assert f"S12 cluster2: peer {EDGE}/istio-remote-peer-cluster1" in broken
        assert "--skip-check" in broken
        assert trusts(rig) == "false"
        plan = rig.mesh("plan").out
        assert "PILOT_SKIP_VALIDATE_TRUST_DOMAIN" not in plan, "the step is recorded as done"
        assert "link/cluster2/cluster1" in plan
    finally:
        rig.mesh.file.write_bytes(text)
        rig.mesh.mended()
    assert trusts(rig) == "true"


def test_a_check_that_is_left_out_is_not_asked_in_the_end_either(rig: Rig) -> None:
    text = rig.mesh.file.read_bytes()
    rig.mesh.edit(trusting("false"))
    try:
        rig.mesh.applied("--skip-check", "S12")
        assert trusts(rig) == "false"
    finally:
        rig.mesh.file.write_bytes(text)
        rig.mesh.mended()


def test_where_the_gate_asks_no_checks_none_is_asked_in_the_end(rig: Rig) -> None:
    text = rig.mesh.file.read_bytes()
    rig.mesh.edit(lambda spec: (gated(spec), spec.update(rollout={"gate": "ready"})))
    made(STRANGER)(rig)
    try:
        assert "checks/-/mid" not in rig.mesh.applied()
    finally:
        gone(STRANGER)(rig)
        rig.mesh.file.write_bytes(text)
        rig.mesh.mended()
