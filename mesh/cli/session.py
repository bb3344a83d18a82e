"""Open the session of a command from its options."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click

from mesh.cli.process import Process
from mesh.engine.registry import all_kinds
from mesh.engine.session import Session
from mesh.model import NO_CLUSTER
from mesh.model.spec import Mesh
from mesh.state.lockfile import ClusterIdentity
from mesh.state.store import Store
from mesh.world import World
from mesh.world.fingerprint_keys import FingerprintKeys
from mesh.world.fingerprints import LateFingerprints, given_word
from mesh.world.untrusted import UNTRUSTED, is_untrusted, program_path

LOCKFILE = "mesh.lock"

Command = Callable[..., Any]


def document_options(command: Command) -> Command:
    """Add the options of every command that reads the mesh file."""
    file = click.option(
        "-f",
        "--file",
        "path",
        type=click.Path(path_type=Path),
        default=Path("mesh.yaml"),
        envvar="MESH_FILE",
        show_default=True,
        help="The mesh file.",
    )
    context = click.option(
        "--context",
        "contexts",
        multiple=True,
        metavar="NAME=CTX",
        help="Use the kubeconfig context CTX for cluster NAME. Repeatable.",
    )
    return file(context(command))


def load(path: Path, contexts: tuple[str, ...], stop_at: tuple[str, ...] = ()) -> Mesh:
    """Return the desired state, with the overrides from options and environment."""
    from mesh.config.decode import load_mesh
    from mesh.config.resolve.overrides import Overrides

    mesh = load_mesh(path, Overrides.read(environment(), contexts, stop_at))
    _hide_secrets(mesh)
    return mesh


def _hide_secrets(mesh: Mesh) -> None:
    """Keep the secrets of the mesh file out of every text; names in it stay readable, whatever they equal."""
    from mesh.model.mask import mask, secrets_in
    from mesh.world import hidden

    charts = [chart for cluster in mesh.clusters for chart in cluster.charts.values()]
    values = [mask(chart.values, mesh.sensitive) for chart in charts]
    values += [mask(each.values) for each in mesh.resources]
    names = {mesh.name, mesh.version, mesh.hub, mesh.tag, mesh.mesh_id, *(chart.release for chart in charts)}
    for each in mesh.clusters:
        names |= {each.name, each.context, each.cluster_name, each.network, each.trust_domain, each.namespace}
    hidden.know(secrets_in(values), public=names - {""})


def environment() -> dict[str, str]:
    """Return a copy of the environment, in which `--untrusted` and its variable are the same."""
    context = click.get_current_context(silent=True)
    env = dict(os.environ)
    if context and context.meta.get(UNTRUSTED):
        env[UNTRUSTED] = "1"
    return env


def store_of(path: Path) -> Store:
    """Return the store of the state files, which are beside the mesh file."""
    return Store(path.absolute().parent / LOCKFILE)


def open_session(
    path: Path,
    contexts: tuple[str, ...],
    *,
    process: Process | None = None,
    recorded: Mapping[str, ClusterIdentity] | None = None,
    stop_at: tuple[str, ...] = (),
) -> Session:
    """Read the mesh file and connect its clusters; no request is sent yet.

    Clusters that are in the state but no longer in the file are connected too, by their recorded context.
    `recorded` replaces a lockfile that cannot be read, and `stop_at` the version in the file. The licence is
    not read: see `Session.with_licence`.
    """
    from mesh.world import trace
    from mesh.world.clock import SystemClock
    from mesh.world.disk.own_key import own_key
    from mesh.world.helm.client import connect as helms
    from mesh.world.kube.client import connect
    from mesh.world.kube.named import check_kubeconfigs, check_recorded

    process = process or Process()
    mesh = load(path, contexts, stop_at)
    store = store_of(path)
    targets = {cluster.name: (cluster.name, cluster.context, cluster.kubeconfig) for cluster in mesh.clusters}
    env, folder = environment(), path.absolute().parent
    namespaces = {cluster.name: cluster.namespace for cluster in mesh.clusters}
    for name, who in (store.read(mesh.name).clusters if recorded is None else recorded).items():
        namespaces.setdefault(name, who.namespace)
        if name not in targets and name != NO_CLUSTER:
            check_recorded(name, who.kubeconfig, {each.kubeconfig for each in mesh.clusters}, env)
            targets[name] = (name, who.context, who.kubeconfig)
    check_kubeconfigs(targets.values(), env, folder)
    if is_untrusted(env):
        env["PATH"] = program_path(env, folder)
    clock = SystemClock(process.stop.wait)
    kubes = connect(targets.values(), env, sleep=clock.sleep)
    own = cache(lambda: given_word(mesh.name, env) or own_key(mesh.name, env))
    world = World(
        kubes=kubes,
        helms=helms(targets.values(), env, run_dir=store.run_folder, children=process.children),
        clock=clock,
        env=env,
        folder=folder,
        say=trace.waits(process.waits.say),
        keys=FingerprintKeys(mesh.name, namespaces, own),
        fingerprint=LateFingerprints(env, own),
    )
    return Session(mesh, world, all_kinds(), store)


def reading(session: Session) -> str:
    """Return what a command does before its first line."""
    count = len(session.world.kubes)
    return f"reading {count} cluster{'s' if count != 1 else ''}"
