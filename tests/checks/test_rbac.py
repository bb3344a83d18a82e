"""The identities of `mesh rbac` on real API servers: they can do what they are for, and nothing else."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import pytest

from tests.checks.conftest import Rig
from tests.standin.guide import EDGE, SYSTEM
from tests.standin.hand import eventually

CLUSTERS = ("cluster1", "cluster2")
DRIFT = "topology.istio.io/network"


@contextmanager
def identity(rig: Rig, name: str, *options: str) -> Iterator[dict[str, str]]:
    """The environment of somebody who holds a token of the account that the manifests make.

    What was granted holds once the API servers have heard of it.
    """
    config = json.loads(rig.hand.kubectl("cluster1", "config", "view", "--raw", "-o", "json"))
    users = {each["name"]: each["context"]["user"] for each in config["contexts"]}
    granted = {cluster: rig.mesh("rbac", *options, "--cluster", cluster) for cluster in CLUSTERS}
    for cluster, answer in granted.items():
        assert answer.code == 0, answer
        rig.hand.kubectl(cluster, "apply", "--server-side", "-f", "-", stdin=answer.out)
        token = rig.hand.kubectl(cluster, "create", "token", name, "-n", "kube-system").strip()
        for user in config["users"]:
            if user["name"] == users[cluster]:
                user["user"] = {"token": token}
    path = rig.folder / f"{name}.kubeconfig"
    path.write_text(json.dumps(config))
    env = {"KUBECONFIG": str(path)}
    try:
        for cluster in CLUSTERS:
            for right in (("list", "nodes"), ("list", "pods", "-n", SYSTEM), ("list", "pods", "-n", EDGE)):
                asked = partial(tried, rig, env, "auth", "can-i", *right, cluster=cluster)
                eventually(asked, lambda seen: seen[0] == 0)
        yield env
    finally:
        kinds = "validatingadmissionpolicybinding,validatingadmissionpolicy,clusterrolebinding,clusterrole"
        for cluster in CLUSTERS:
            rig.hand.kubectl(cluster, "delete", "--ignore-not-found", kinds, name)
            for namespace in (SYSTEM, EDGE, "kube-system"):
                beside = ("delete", "--ignore-not-found", "-n", namespace)
                rig.hand.kubectl(cluster, *beside, "rolebinding,role,serviceaccount", name)


def tried(rig: Rig, env: dict[str, str], *args: str, cluster: str = "cluster1") -> tuple[int, str]:
    """What kubectl says to somebody."""
    done = subprocess.run(
        [str(rig.hand.lab.bin / "kubectl"), "--context", cluster, *args],
        env={**rig.mesh.env, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


def write(rig: Rig, env: dict[str, str], *more: str) -> tuple[int, str]:
    """Annotate a namespace with what it does not have yet: kubectl sends nothing that changes nothing."""
    return tried(rig, env, "annotate", "ns", SYSTEM, "--overwrite", f"a={uuid4()}", *more)


@pytest.fixture
def drift(rig: Rig) -> Iterator[str]:
    """The plan of an admin, with a label changed by hand and a gateway without one."""
    rig.hand.kubectl("cluster1", "label", "ns", SYSTEM, f"{DRIFT}-")
    rig.hand.kubectl(
        "cluster2", "label", "gateway", "istio-eastwest", "-n", EDGE, f"{DRIFT}=other", "--overwrite"
    )
    yield rig.mesh("plan").out
    rig.mesh.mended()


def lines(text: str, wanted: Callable[[str], bool] = lambda line: bool(line.strip())) -> list[str]:
    return [line for line in text.splitlines() if wanted(line)]


def steps(plan: str) -> str:
    """What is to be changed, with every field and note; how the links stand meanwhile may differ."""
    return plan.partition("Not ready:")[0].partition("\nPlan:")[0]


def test_a_plan_that_only_reads_is_exact_and_can_write_nothing(rig: Rig, drift: str) -> None:
    with identity(rig, "mesh-demo-plan", "--for", "plan") as env:
        plan = rig.mesh("plan", env=env)
        assert plan.code == 0, plan
        assert "# label/cluster1/istio-system" in plan.out
        assert lines(plan.out, lambda line: "Plan:" in line) == lines(drift, lambda line: "Plan:" in line)
        assert "this identity may not apply it" in plan.out
        code, said = write(rig, env)
        assert code != 0
        assert "cannot patch resource" in said
        assert tried(rig, env, "get", "secrets", "-n", "kube-system")[0] != 0


def test_who_may_read_no_secret_is_told_what_is_deferred_and_adds_nothing(rig: Rig, drift: str) -> None:
    warned = rig.mesh("rbac", "--for", "plan")
    assert "can read the key" in warned.err.splitlines()[0]
    assert "--without-secrets" in warned.out.splitlines()[0]
    with identity(rig, "mesh-demo-plan", "--for", "plan", "--without-secrets") as env:
        code, said = tried(rig, env, "get", "secrets", "-n", SYSTEM)
        assert code != 0
        assert "cannot list resource" in said
        plan = rig.mesh("plan", "--json", env=env)
        assert plan.code == 0, plan
        seen = json.loads(plan.out)
        assert ["create"] not in [each["change"]["actions"] for each in seen["resource_changes"]]
        deferred = {each["address"]: each["why"] for each in seen["deferred_changes"]}
        assert "list secrets in istio-system" in deferred["chart/cluster1/istiod"]
        assert "list secrets in istio-system" in deferred["cert/cluster1/cacerts"]
        assert "which is deferred" in deferred["label/cluster1/istio-system"]


def test_a_plan_by_dry_runs_is_exact_and_the_server_refuses_real_writes(rig: Rig, drift: str) -> None:
    with identity(rig, "mesh-demo-plan", "--for", "plan", "--dry-runs") as env:
        refused = eventually(lambda: write(rig, env, "--dry-run=server"), lambda seen: seen[0] == 0)
        assert refused[0] == 0
        code, said = eventually(
            lambda: write(rig, env), lambda seen: "what it writes must be a dry run" in seen[1]
        )
        assert code != 0
        assert "what it writes must be a dry run" in said
        plan = rig.mesh("plan", env=env)
        assert plan.code == 0, plan
        assert steps(plan.out) == steps(drift)
        assert rig.mesh("apply", "--yes", env=env).code != 0
        found = rig.hand.kubectl("cluster1", "get", "ns", SYSTEM, "-o", "jsonpath={.metadata.labels}")
        assert DRIFT not in found


def test_who_may_apply_can_do_all_of_it_and_is_no_admin(rig: Rig, drift: str) -> None:
    """Mend drift, take the mesh down, and make it again from nothing."""
    del drift
    with identity(rig, "mesh-demo-apply", "--for", "apply") as env:
        rig.mesh.applied(env=env)
        assert rig.mesh("plan", "--detailed-exitcode", env=env).code == 0
        gone = rig.mesh("destroy", "--yes", env=env)
        assert gone.code == 0, gone
        assert "chart/" not in str(rig.mesh.lock()["resources"].keys())
    with identity(rig, "mesh-demo-apply", "--for", "apply") as env:  # what was granted in them went with them
        rig.mesh.applied(env=env)
        assert rig.mesh("plan", "--detailed-exitcode", env=env).code == 0
        assert tried(rig, env, "create", "configmap", "a", "-n", "default")[0] != 0
        assert tried(rig, env, "get", "secrets", "-n", "default")[0] != 0
