"""Helm's command line through pyhelm3, which builds the arguments and reads the output.

`run` replaces that of pyhelm3: no shell, no token in argv, values in a private file instead of on
stdin, deadlines, a process group for each helm, and the lock of the release passed to the child. This
module is imported late, when helm runs: importing pyhelm3 takes as long as a plan.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import semver
from pyhelm3 import Command  # type: ignore[import-untyped]  # it has no types

from mesh.model.bounded_text import ANSWER, Unfit, loads, megabytes
from mesh.world import HelmJob, trace
from mesh.world import yaml_documents as documents
from mesh.world.disk.files import naming
from mesh.world.helm.children import Children, locked, note, signal_group
from mesh.world.helm.output import release_told

GRACE = 30.0
"""Seconds between SIGTERM, at which helm marks its release as failed, and SIGKILL."""

MOST = ANSWER.size
MOST_ERRORS = 1 << 20
PART = 65_536

_FOUR = (4, 0, 0)

_EXPLICIT: Mapping[tuple[str, int], tuple[str, ...]] = {
    ("upgrade", 4): ("--dry-run=none", "--wait=hookOnly", "--hide-notes", "--disable-openapi-validation"),
    ("upgrade", 3): ("--dry-run=none", "--hide-notes"),
    ("uninstall", 4): ("--ignore-not-found", "--cascade=background", "--wait=hookOnly"),
    ("uninstall", 3): ("--ignore-not-found", "--cascade=background"),
}
"""Options that are the default of some version of helm, set explicitly because defaults change.

Helm 4 validates nothing itself where the API server can, but loads the OpenAPI description of every group to
find that out. With server-side apply, the API server is strict either way.
"""


class HelmExit(Exception):  # noqa: N818  # becomes an error in mesh.world.helm
    """How helm failed: its exit code (negative: by that signal) and its stderr."""

    def __init__(self, code: int, stderr: bytes, *, late: bool) -> None:
        super().__init__(code)
        self.code = code
        self.stderr = stderr
        self.late = late


@dataclass(frozen=True, slots=True)
class Setting:
    """How a helm process is started. `lock` is the release's lock file, None for a rendering.

    `what` names the release in a message; `labels` go on helm's record of it.
    """

    binary: str
    version: tuple[int, int, int]
    env: Mapping[str, str]
    context: str
    timeout: float
    children: Children
    cluster: str = ""
    lock: Path | None = None
    what: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def major(self) -> int:
        """The major version, 3 or 4: the flags differ."""
        return 4 if self.version >= _FOUR else 3


class HelmCommand(Command):  # type: ignore[misc]  # likewise
    """The commands of pyhelm3, with `run` replaced."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(
            executable=setting.binary,
            kubecontext=setting.context,
            default_timeout=f"{setting.timeout:g}s",
            history_max_revisions=10,
        )
        self._setting = setting

    async def install(self, job: HelmJob, *, force_conflicts: bool) -> None:
        """Run `helm upgrade --install`; values of the former revision are never reused."""
        # Reused values would be a third source that the plan does not show. `auto` keeps the apply method a
        # release was created with: a change of method moves the ownership of every field.
        await self.install_or_upgrade(
            job.release,
            job.ref,
            dict(job.values),
            namespace=job.namespace,
            repo=job.repo or None,
            version=job.version or None,
            create_namespace=False,
            reset_values=True,
            server_side="auto" if self._setting.major >= 4 else None,
            force_conflicts=force_conflicts and self._setting.major >= 4,
        )

    async def render(
        self, job: HelmJob, *, kube_version: str, upgrade: bool, api_versions: Iterable[str]
    ) -> bytes:
        """Run `helm template` for a cluster of that version, without a request to it."""
        argv = ["template", job.release, job.ref, "--namespace", job.namespace, "--values", "-"]
        argv += ["--kube-version", kube_version, "--skip-tests", "--skip-crds"]
        argv += [] if job.hooks else ["--no-hooks"]
        argv += ["--is-upgrade"] if upgrade else []
        argv += ["--repo", job.repo] if job.repo else []
        argv += ["--version", job.version] if job.version else []
        known = ",".join(sorted(api_versions))
        argv += ["--api-versions", known] if known else []
        return await self.run(argv, documents.json_bytes(job.values))

    async def download(self, job: HelmJob, folder: Path) -> bytes:
        """Run `helm pull` into a folder."""
        argv = ["pull", job.ref, "--destination", str(folder)]
        argv += ["--repo", job.repo] if job.repo else []
        argv += ["--version", job.version] if job.version else []
        return await self.run(argv, b"")

    async def run(self, command: list[Any], input: bytes | None = None) -> bytes:  # noqa: A002  # pyhelm3's name
        """Run helm to its end or its deadline; return stdout, or raise `HelmExit`."""
        setting = self._setting
        argv = [setting.binary, *map(str, command), *_EXPLICIT.get((str(command[0]), setting.major), ())]
        if setting.labels:
            argv += ["--labels", ",".join(f"{name}={value}" for name, value in setting.labels.items())]
        with ExitStack() as held:
            if setting.lock is None:
                return await self._spawn(argv, input or b"", ())
            fd = held.enter_context(locked(setting.lock, setting.what))
            if input is not None:
                values = _private_file(setting.lock.with_suffix(".values.json"), _as_yaml(input))
                held.callback(values.unlink, missing_ok=True)
                argv[argv.index("--values") + 1] = str(values)
            told = await self._spawn([*argv, "--kube-context", setting.context], None, (fd,))
            return release_told(told) if str(command[0]) == "upgrade" else told

    async def _spawn(self, argv: list[str], stdin: bytes | None, fds: tuple[int, ...]) -> bytes:
        began = time.monotonic()
        child = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(self._setting.env),
            start_new_session=True,
            pass_fds=fds,
        )
        # After the start, so the pid may be missing if mesh dies here; the lock is already the child's.
        for fd in fds:
            note(fd, child.pid, " ".join(("helm", *argv[1:3])))
        with self._setting.children.running(child.pid):
            stop = partial(signal_group, child.pid, signal.SIGTERM)
            talking = asyncio.ensure_future(talk(child, stdin, stop))
            late = await _ended(talking, child.pid, self._setting.timeout)
            out, err = talking.result()
        trace.process(trace.HELM, argv, child.returncode, began, cluster=self._setting.cluster)
        if child.returncode or late:
            raise HelmExit(child.returncode or 0, err, late=late)
        return out

    def client_version(self) -> semver.Version:
        """Return the version that is already known: pyhelm3 would run a shell and need a third number."""
        return semver.Version(*self._setting.version)


async def talk(child: Process, stdin: bytes | None, stop: Callable[[], None]) -> tuple[bytes, bytes]:
    """Send stdin and return stdout and stderr, when the process has ended; raise Unfit for too much of it.

    `stop` is called once the process has printed more than it may. What it prints after that is read and
    dropped, so that it can end.
    """
    assert child.stdout is not None
    assert child.stderr is not None
    out, err, *_ = await asyncio.gather(
        _heard(child.stdout, MOST, stop),
        _heard(child.stderr, MOST_ERRORS, lambda: None),
        _fed(child, stdin),
        child.wait(),
    )
    if len(out) > MOST:
        raise Unfit(f"it printed more than {megabytes(MOST)}")
    return out, err


async def _heard(stream: asyncio.StreamReader, most: int, stop: Callable[[], None]) -> bytes:
    text = bytearray()
    while part := await stream.read(PART):
        if len(text) <= most:
            text += part
            if len(text) > most:
                stop()
    return bytes(text)


async def _fed(child: Process, stdin: bytes | None) -> None:
    if child.stdin is None or stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(stdin)
        await child.stdin.drain()
    child.stdin.close()


async def _ended(talk: asyncio.Future[Any], pid: int, timeout: float) -> bool:
    """Wait for the end; stop helm after its own timeout and a grace period. Return whether it was late."""
    # SIGTERM first: helm then marks its release as failed, and the next upgrade works. Killed, it leaves a
    # pending release, which needs `mesh recover`.
    signals = (signal.SIGTERM, signal.SIGKILL)
    for tries, number in enumerate(signals):
        done, _ = await asyncio.wait({talk}, timeout=GRACE if tries else timeout + GRACE)
        if done:
            return tries > 0
        signal_group(pid, number)
    await asyncio.wait({talk})
    return True


def _as_yaml(values: bytes) -> bytes:
    """Return the values, which pyhelm3 writes as ASCII JSON, in the form that a YAML reader reads right."""
    return documents.json_bytes(loads(values))


def _private_file(path: Path, content: bytes) -> Path:
    """Write a file that only its owner may read, under the lock of the release."""
    # A file, not stdin: a helm that outlives mesh would read half of its values from a broken pipe.
    with naming(path):
        path.unlink(missing_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
    return path
