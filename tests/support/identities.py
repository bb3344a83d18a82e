"""Somebody with just the rights that `mesh rbac` grants: a token of the account that its manifests make."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from mesh.lab import Lab
from tests.e2e.hands import Mesh, kubectl_of
from tests.lab.standin.hand import eventually

HOME = "kube-system"
NAMESPACE = re.compile(r"^ +namespace: (\S+)$", re.MULTILINE)
KINDS = "validatingadmissionpolicybinding,validatingadmissionpolicy,clusterrolebinding,clusterrole"


@contextmanager
def identity(mesh: Mesh, lab: Lab, folder: Path, name: str, *options: str) -> Iterator[dict[str, str]]:
    """The environment of that person, in every cluster of the lab; what was granted goes in the end.

    What was granted holds once the API servers have heard of it.
    """
    kubectl, clusters = kubectl_of(lab), sorted(lab.contexts)
    config = json.loads(kubectl(clusters[0], "config", "view", "--raw", "-o", "json"))
    users = {each["name"]: each["context"]["user"] for each in config["contexts"]}
    granted = {cluster: mesh("rbac", *options, "--cluster", cluster) for cluster in clusters}
    spaces = {cluster: {HOME, *NAMESPACE.findall(answer.out)} for cluster, answer in granted.items()}
    for cluster, answer in granted.items():
        assert answer.code == 0, answer
        for space in sorted(spaces[cluster]):
            if not kubectl(cluster, "get", "namespace", space, "--ignore-not-found", "-o", "name"):
                kubectl(cluster, "create", "namespace", space)
        kubectl(cluster, "apply", "--server-side", "-f", "-", stdin=answer.out)
        token = kubectl(cluster, "create", "token", name, "-n", HOME).strip()
        for user in config["users"]:
            if user["name"] == users[cluster]:
                user["user"] = {"token": token}
    path = folder / f"{name}.kubeconfig"
    path.write_text(json.dumps(config))
    env = {"KUBECONFIG": str(path)}
    try:
        for cluster in clusters:
            for right in ("nodes", *(f"pods --namespace={each}" for each in spaces[cluster] - {HOME})):
                asked = partial(
                    tried, mesh, lab, env, "auth", "can-i", "list", *right.split(), cluster=cluster
                )
                eventually(asked, lambda seen: seen[0] == 0)
        yield env
    finally:
        for cluster in clusters:
            kubectl(cluster, "delete", "--ignore-not-found", KINDS, name)
            for namespace in sorted(spaces[cluster]):
                beside = ("delete", "--ignore-not-found", "-n", namespace)
                kubectl(cluster, *beside, "rolebinding,role,serviceaccount", name)


def tried(mesh: Mesh, lab: Lab, env: Mapping[str, str], *args: str, cluster: str) -> tuple[int, str]:
    """What kubectl says to that person."""
    done = subprocess.run(
        [str(lab.bin / "kubectl"), "--context", cluster, *args],
        env={**mesh.env, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr
