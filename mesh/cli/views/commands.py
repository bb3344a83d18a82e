"""The guide's commands for a mesh: a bash script with the same effect as `mesh apply`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mesh.model import NO_CLUSTER, Key, Resource
from mesh.model.spec import Mesh
from mesh.sdk import ask
from mesh.sdk.contract import Registry
from mesh.sdk.script import Commands, Stage
from mesh.sdk.shell import comment

Parts = Mapping[Key, Commands]

HEAD = """\
# The changes of `mesh apply` as commands. Needs bash, kubectl 1.31 or newer, helm 3.14 or newer and openssl.
# Run it with bash. You can run it again: it uses what already exists.
set -euo pipefail
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MESH_CA_PASSPHRASE="${MESH_CA_PASSPHRASE-}"
"""


def commands(mesh: Mesh, resources: Mapping[Key, Resource[Any]], kinds: Registry, *, only: str = "") -> str:
    """Return the script for the cluster `only`, or for all clusters if it is "".

    `resources` come from `expand`. The script contains no secrets: it reads them from the environment.
    """
    clusters = [cluster.name for cluster in mesh.clusters if only in ("", cluster.name)]
    chosen = {key: each for key, each in resources.items() if key.cluster in (NO_CLUSTER, *clusters)}
    parts = {key: ask.commands(kinds.get(key.kind), each, mesh) for key, each in chosen.items()}
    stages = {key: ask.stage(kinds.get(key.kind)) for key in chosen}
    links = {key: each for key, each in parts.items() if stages[key] is Stage.LINKS}
    others = {key: parts[key] for key in sorted(parts, key=lambda key: stages[key]) if key not in links}
    shared = {key: each for key, each in others.items() if key.cluster == NO_CLUSTER}
    text = [f"#!/usr/bin/env bash\n{comment(f'mesh {mesh.name}, from {mesh.file}')}{HEAD}"]
    text += ["".join(_inputs(parts)), *_created(shared), _once(others)]
    for name in clusters:
        own = {key: each for key, each in others.items() if key.cluster == name}
        text += [_title(f"cluster {name}"), *_created(own), *_checks(own)]
    if links:
        text += [_title("links"), _once(links), *_created(links), *_checks(links)]
    return "\n".join(part for part in text if part)


def _title(text: str) -> str:
    return comment(f"---- {text} ----")


def _inputs(parts: Parts) -> Iterator[str]:
    """Yield checks that every required environment variable is set, before the first change."""
    for each in dict.fromkeys(each for part in parts.values() for each in part.inputs):
        yield comment(each.remark) if each.remark else ""
        yield f': "${{{each.variable}:?{each.what}}}"\n'


def _created(parts: Parts) -> list[str]:
    return [comment(str(key)) + part.create for key, part in parts.items()]


def _once(parts: Parts) -> str:
    """Return the texts that several resources share, each once."""
    return _each(text for part in parts.values() for text in part.once)


def _checks(parts: Parts) -> list[str]:
    return list(dict.fromkeys(part.check for part in parts.values()))


def _each(texts: Iterable[str]) -> str:
    return "".join(dict.fromkeys(texts))
