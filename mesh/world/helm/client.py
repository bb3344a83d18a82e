"""The helm program, bound to the clusters of a mesh: render, upgrade, uninstall.

Helm gets private folders under the run folder; from the user's setup it gets the kubeconfig, the
registry login, the repositories, and the proxy and CA variables.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any

from mesh.errors import StateError
from mesh.model.bounded_text import Unfit
from mesh.world import HelmJob, Object, trace
from mesh.world.bounded_process import run
from mesh.world.child_env import child_env
from mesh.world.disk.files import private_folder
from mesh.world.disk.scratch import scratch_until_exit
from mesh.world.helm.charts import Charts
from mesh.world.helm.children import Children, alive, lock_path
from mesh.world.helm.errors import (
    ChartNotFound,
    HelmMissing,
    HelmStopped,
    HelmUnheard,
    RenderFailed,
    failure,
)
from mesh.world.helm.output import rendering
from mesh.world.kube.error_bodies import shown
from mesh.world.kube.kubeconfig import Clusters, paths
from mesh.world.untrusted import is_untrusted

if TYPE_CHECKING:
    from mesh.world.helm.command import HelmCommand, Setting

__all__ = ["HelmCli", "alive", "connect"]

Version = tuple[int, int, int]

OLDEST: Version = (3, 21, 0)
OLDEST_4: Version = (4, 2, 4)
HOW_TO_GET = "install helm 4.2.4 or newer (https://helm.sh/docs/intro/install), or name one in MESH_HELM"

_NUMBER = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(slots=True)
class Program:
    """The helm of this machine, found when first needed, and what its processes share."""

    env: Mapping[str, str]
    run_dir: Path
    timeout: float
    children: Children
    gate: BoundedSemaphore
    charts: Charts
    _found: tuple[str, Version] | None = None
    _home: Path | None = None
    _lock: Lock = field(default_factory=Lock)

    def found(self) -> tuple[str, Version]:
        """Return the binary and its version; raise HelmMissing."""
        with self._lock:
            if self._found is None:
                binary = _binary(self.env)
                self._found = binary, _usable(binary, self.env)
            return self._found

    def home(self) -> Path:
        """Return the folder of helm's own files, found when first needed."""
        with self._lock:
            if self._home is None:
                self._home = _home(self.env, self.run_dir)
            return self._home

    def environment(self, kubeconfig: str) -> Mapping[str, str]:
        """Return the environment of a helm process: what it needs of the user's, and HELM_ variables."""
        home = self.home()
        return {
            **child_env(self.env),
            "LC_ALL": "C",
            "NO_COLOR": "1",
            "KUBECONFIG": kubeconfig,
            "HELM_DRIVER": "secret",
            "HELM_CACHE_HOME": str(home / "cache"),
            "HELM_CONFIG_HOME": str(home / "config"),
            "HELM_DATA_HOME": str(home / "data"),
            "HELM_PLUGINS": os.devnull,
            **_users(self.env),
        }


class HelmCli:
    """A `Helm`: the program, bound to one cluster; used from several threads."""

    def __init__(self, cluster: str, context: str, kubeconfig: str, program: Program) -> None:
        self.cluster = cluster
        self.context = context
        self._kubeconfig = kubeconfig
        self._program = program

    def template(
        self, job: HelmJob, *, kube_version: str, upgrade: bool, api_versions: Iterable[str] = ()
    ) -> list[Object]:
        """Render a chart without asking the cluster; hooks, tests and the crds folder left out."""
        text = self._run(
            "render",
            job,
            self._setting(os.devnull),
            lambda helm: helm.render(
                job, kube_version=kube_version, upgrade=upgrade, api_versions=api_versions
            ),
        )
        try:
            return rendering(text)
        except Unfit as error:
            raise RenderFailed(
                f"{self._what('render', job)}: the rendering is not valid YAML of Kubernetes objects: {error}"
            ) from None

    def pinned(self, job: HelmJob) -> tuple[HelmJob, str]:
        """Return the job with a private copy of its chart, made once a run, and the digest of its bytes."""
        return self._program.charts.pinned(job, partial(self._pull, job))

    def _pull(self, job: HelmJob, folder: Path) -> None:
        """Download the chart of a job into a folder."""
        self._run(
            "pull the chart of", job, self._setting(os.devnull), lambda helm: helm.download(job, folder)
        )

    def version(self) -> str:
        """Return the version of the program."""
        return ".".join(map(str, self._program.found()[1]))

    def upgrade(self, job: HelmJob, *, force_conflicts: bool = False) -> None:
        """Install or upgrade a release; does not wait for its pods."""
        setting = replace(self._locked(job.release, job.namespace), labels=job.labels)
        self._run("upgrade", job, setting, lambda helm: helm.install(job, force_conflicts=force_conflicts))

    def uninstall(self, release: str, namespace: str) -> None:
        """Uninstall a release; succeed if there is none."""
        job = HelmJob(release, namespace, "", "", "", {})
        setting = self._locked(release, namespace)
        self._run(
            "uninstall",
            job,
            setting,
            lambda helm: helm.uninstall(release, namespace=namespace, timeout=f"{setting.timeout:g}s"),
        )

    def at_work(self, release: str, namespace: str) -> str:
        """Return the helm process, of this run or an earlier one, at work on a release; "" if none."""
        child = alive(self._program.run_dir, self.cluster, namespace, release)
        return str(child) if child else ""

    def _locked(self, release: str, namespace: str) -> Setting:
        lock = lock_path(self._program.run_dir, self.cluster, namespace, release)
        what = f"cluster {self.cluster} (context {self.context}): release {release} in {namespace}"
        return replace(self._setting(self._kubeconfig), lock=lock, what=what)

    def _setting(self, kubeconfig: str) -> Setting:
        from mesh.world.helm.command import Setting

        program = self._program
        binary, version = program.found()
        env = program.environment(kubeconfig)
        return Setting(binary, version, env, self.context, program.timeout, program.children, self.cluster)

    def _run(
        self,
        verb: str,
        job: HelmJob,
        setting: Setting,
        work: Callable[[HelmCommand], Coroutine[Any, Any, Any]],
    ) -> Any:
        """Run one coroutine of pyhelm3 to its end in this thread, once a process slot is free."""
        import asyncio

        from mesh.world.helm.command import HelmCommand, HelmExit

        what = self._what(verb, job)
        if job.ref.startswith("-"):
            raise ChartNotFound(f"{what}: {job.ref!r} is not a chart")
        try:
            with self._program.gate:
                return asyncio.run(work(HelmCommand(setting)))
        except Unfit as error:
            told = "helm ended without an error, but its output cannot be read"
            raise HelmUnheard(f"{what}: {told}: {error}") from None
        except HelmExit as outcome:
            if outcome.late or outcome.code < 0:
                ended = f"it took longer than {setting.timeout:g} s" if outcome.late else "it was stopped"
                raise HelmStopped(f"{what}: {ended}") from None
            raise failure(what, outcome.stderr, job.values) from None
        except ValueError:
            # Not UTF-8, not JSON, or nothing at all: a wrapper around helm may lose what it prints.
            raise HelmUnheard(f"{what}: helm ended without an error, but its output cannot be read") from None

    def _what(self, verb: str, job: HelmJob) -> str:
        place = f"cluster {self.cluster} (context {self.context})"
        return f"{place}: helm cannot {verb} release {job.release} in {job.namespace}"


def connect(
    clusters: Clusters,
    env: Mapping[str, str],
    *,
    run_dir: Path,
    children: Children | None = None,
    processes: int = 4,
    timeout: float = 300.0,
) -> Mapping[str, HelmCli]:
    """Return helm bound to each (name, context, kubeconfig); the program is found when first needed.

    `run_dir` holds locks and helm's own folders. At most `processes` helms run at the same time; each may
    take `timeout` seconds per operation. `children.stop()` ends those at work.
    """
    folder = run_dir.absolute()
    gate = BoundedSemaphore(processes)
    program = Program(env, folder, timeout, children or Children(), gate, Charts())
    return {
        name: HelmCli(name, context, os.pathsep.join(map(str, paths(kubeconfig, env))), program)
        for name, context, kubeconfig in clusters
    }


def _home(env: Mapping[str, str], run_dir: Path) -> Path:
    """Return the first folder for helm's own files that can be written.

    Beside the mesh file, if a run has made that folder and no branch could bring such files: a plan makes
    none there, and works in a checkout that cannot be written.
    """
    caches = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME") or Path.home()) / ".cache")
    own = [run_dir / "helm"] if run_dir.is_dir() and not is_untrusted(env) else []
    for folder in (*own, caches / "mesh" / "helm"):
        with suppress(StateError):
            if os.access(private_folder(folder), os.W_OK):
                return folder
    return scratch_until_exit()


def _binary(env: Mapping[str, str]) -> str:
    named = env.get("MESH_HELM", "")
    found = shutil.which(named or "helm", path=env.get("PATH"))
    if not found:
        raise HelmMissing(
            f"{named} (MESH_HELM) does not exist" if named else "helm is not on PATH", hint=HOW_TO_GET
        )
    return found


def _usable(binary: str, env: Mapping[str, str]) -> Version:
    """Return the version of a helm, with or without a third number; raise HelmMissing if it is too old."""
    argv = [binary, "version", "--template", "{{ .Version }}"]
    began = time.monotonic()
    try:
        done = run(argv, env=child_env(env), seconds=30)
    except (OSError, Unfit):
        raise HelmMissing(f"{binary} does not run", hint=HOW_TO_GET) from None
    trace.process(trace.HELM, argv, done.code, began)
    if done.code:
        raise HelmMissing(f"{binary} does not run", hint=HOW_TO_GET)
    said = done.out.decode("ascii", "replace")
    number = _NUMBER.search(said)
    if not number:
        raise HelmMissing(f"{binary} does not print its version", hint=HOW_TO_GET)
    version = int(number[1]), int(number[2]), int(number[3] or 0)
    if not (OLDEST <= version < (4, 0, 0) or version >= OLDEST_4):
        raise HelmMissing(f"{binary} is {shown(said)}, which is too old", hint=HOW_TO_GET)
    return version


def _users(env: Mapping[str, str]) -> Mapping[str, str]:
    """Return the user's registry login and repositories where they exist; helm only reads them."""
    home = Path(env.get("HOME") or Path.home())
    base = home / "Library/Preferences" if sys.platform == "darwin" else home / ".config"
    config = Path(env.get("HELM_CONFIG_HOME") or Path(env.get("XDG_CONFIG_HOME") or base) / "helm")
    caches = home / "Library/Caches" if sys.platform == "darwin" else home / ".cache"
    cache = Path(env.get("HELM_CACHE_HOME") or Path(env.get("XDG_CACHE_HOME") or caches) / "helm")
    files = {
        "HELM_REGISTRY_CONFIG": config / "registry" / "config.json",
        "HELM_REPOSITORY_CONFIG": config / "repositories.yaml",
        "HELM_REPOSITORY_CACHE": cache / "repository",
    }
    named = {key: Path(env.get(key) or path) for key, path in files.items()}
    return {key: str(path) for key, path in named.items() if path.exists()}
