"""Kubeconfigs and credential plugins for tests."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path

from mesh.world.kube.auth import Credentials
from mesh.world.kube.errors import Call
from mesh.world.kube.exec_plugin import Plugins
from mesh.world.kube.kubeconfig import targets

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


def credentials(tmp_path: Path, user: Mapping[str, object], plugins: Plugins | None = None) -> Credentials:
    env = {"KUBECONFIG": str(write(tmp_path / "one", config("prod", user)))}
    target = targets([("east", "prod", "")], env)["east"]
    return Credentials(target, plugins or Plugins({"PATH": f"{tmp_path}:/usr/bin:/bin"}))


def plugin(command: str, **more: object) -> dict[str, object]:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, **more}}


def answers(**status: str) -> str:
    """The shell line of a plugin that gives these credentials."""
    return f"echo '{json.dumps({'kind': 'ExecCredential', 'status': status})}'"


def counts(folder: Path) -> str:
    return f"echo ran >> {folder}/count; "
