"""Credential plugins of a kubeconfig (`exec`): run once, with a deadline; failures are reported.

The kubernetes package ignores a failing plugin and goes on without credentials, so that the user meets
a 403 later; here it ends in an `Unauthorized` that names the command.
Protocol: client.authentication.k8s.io/v1 and v1beta1.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import IO, Any

from mesh.model.bounded_text import SMALL, Unfit, loads, megabytes
from mesh.world import trace
from mesh.world.child_env import child_env
from mesh.world.kube.error_bodies import shown
from mesh.world.kube.errors import Call, Unauthorized
from mesh.world.kube.kubeconfig import Section, Target
from mesh.world.shapes import fitted, moment

PATIENCE = 60.0
"""Seconds that a plugin may take; an interactive one waits for a person and gets five times as many."""

CREDENTIAL = {
    "status!": {
        "token": str,
        "clientCertificateData": str,
        "clientKeyData": str,
        "expirationTimestamp": str,
    }
}

_EARLY = timedelta(minutes=1)
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


@dataclass(frozen=True, slots=True)
class Grant:
    """The credentials that a plugin returned; `expires` is None if it gave no time."""

    token: str = field(default="", repr=False)
    cert: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    expires: datetime | None = None

    def fresh(self, now: datetime) -> bool:
        """Whether it will still be valid in a minute."""
        return self.expires is None or now + _EARLY < self.expires


@dataclass(slots=True)
class Plugins:
    """The plugins of one run: clusters that share a command line share its answer.

    One lock for all plugins: two at the same time would ask the same person on the same terminal.
    """

    env: Mapping[str, str]
    patience: float = PATIENCE
    _grants: dict[str, Grant] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def grant(self, target: Target, call: Call, stale: Grant | None = None) -> Grant:
        """Return credentials; run the plugin unless a valid answer other than `stale` is cached."""
        plugin = Section(target.user.body["exec"], target.user.folder)
        info = _info(plugin, target)
        key = json.dumps([plugin.body.get(part) for part in ("command", "args", "env")] + [info])
        with self._lock:
            known = self._grants.get(key)
            if known is None or known is stale or not known.fresh(datetime.now(UTC)):
                known = self._grants[key] = self._run(plugin, info, call)
        return known

    def _run(self, plugin: Section, info: Mapping[str, Any], call: Call) -> Grant:
        argv = [_command(plugin, self.env, call), *map(str, plugin.body.get("args") or ())]
        env = {**child_env(self.env), **_extra(plugin), "KUBERNETES_EXEC_INFO": json.dumps(info)}
        interactive = bool(info["spec"]["interactive"])
        patience = self.patience * (5 if interactive else 1)
        began = time.monotonic()
        with tempfile.TemporaryFile() as out:
            code, err = _finish(argv, env, out, patience, interactive=interactive)
            out.seek(0)
            answer = out.read(SMALL.size + 1)
        trace.process(trace.KUBE, argv[:1], code, began, cluster=call.cluster)
        if code:
            says = shown(next((line for line in err.splitlines() if line.strip()), "it printed no error"))
            raise _failed(call, plugin, f"failed (exit code {code}): {says}")
        return _granted(answer, plugin, call)


def _finish(
    argv: list[str], env: Mapping[str, str], out: IO[bytes], patience: float, *, interactive: bool
) -> tuple[int, str]:
    """Run to the end or the deadline; pass stderr on to the terminal if the plugin is interactive."""
    # stdout is a file and stderr is read as it comes: a plugin that fills a pipe that is not read would hang.
    # The loop ends with the process, not with the pipe: a helper that a plugin leaves behind, such as a
    # browser, inherits stderr and may keep it open for ever.
    stdin = None if interactive else subprocess.DEVNULL
    ends = time.monotonic() + patience
    heard = b""
    # In a session of its own the plugin and its children form one group, which the deadline can kill as a
    # whole. An interactive one keeps the terminal, and with it this group.
    own = not interactive
    with subprocess.Popen(
        argv, env=env, stdin=stdin, stdout=out, stderr=subprocess.PIPE, start_new_session=own
    ) as child:
        assert child.stderr is not None
        with selectors.DefaultSelector() as ready:
            ready.register(child.stderr, selectors.EVENT_READ)
            while time.monotonic() < ends and not _printed_too_much(out):
                if not ready.select(0.05):
                    if child.poll() is not None:
                        break
                    continue
                part = os.read(child.stderr.fileno(), 65536)
                if not part:
                    break
                heard = (heard + part)[:65536]
                if interactive:
                    sys.stderr.write(part.decode("utf-8", "replace"))
                    sys.stderr.flush()
        try:
            code = child.wait(0.1 if _printed_too_much(out) else max(0.1, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL) if own else child.kill()
            late = f"no answer within {patience:g} seconds"
            return -9, f"it prints more than {megabytes(SMALL.size)}" if _printed_too_much(out) else late
    return code, heard.decode("utf-8", "replace")


def _printed_too_much(out: IO[bytes]) -> bool:
    return os.fstat(out.fileno()).st_size > SMALL.size


def _granted(answer: bytes, plugin: Section, call: Call) -> Grant:
    try:
        status = fitted(loads(answer, SMALL), CREDENTIAL)["status"]
        until = status.get("expirationTimestamp")
        grant = Grant(
            token=status.get("token", ""),
            cert=status.get("clientCertificateData", "").encode(),
            key=status.get("clientKeyData", "").encode(),
            expires=moment(until) if until else None,
        )
    except ValueError as error:
        what = f": {error}" if isinstance(error, Unfit) else ""
        raise _failed(call, plugin, f"returned no valid ExecCredential{what}") from None
    if not grant.token and not grant.cert:
        raise _failed(call, plugin, "returned neither a token nor a certificate")
    return grant


def _info(plugin: Section, target: Target) -> Mapping[str, Any]:
    """Return the request that the plugin reads from KUBERNETES_EXEC_INFO."""
    mode = plugin.text("interactiveMode") or "IfAvailable"
    spec: dict[str, Any] = {"interactive": mode != "Never" and sys.stdin is not None and sys.stdin.isatty()}
    if plugin.body.get("provideClusterInfo") is True:
        spec["cluster"] = _cluster(target)
    version = plugin.text("apiVersion")
    return {
        "apiVersion": version if version in _VERSIONS else _VERSIONS[0],
        "kind": "ExecCredential",
        "spec": spec,
    }


def _cluster(target: Target) -> Mapping[str, Any]:
    extensions = target.about.body.get("extensions") or ()
    config = [
        one.get("extension") for one in extensions if one.get("name") == "client.authentication.k8s.io/exec"
    ]
    about = {
        "server": target.server,
        "tls-server-name": target.tls_server_name,
        "certificate-authority-data": base64.b64encode(target.ca).decode(),
        "insecure-skip-tls-verify": target.insecure,
        "proxy-url": target.proxy,
        "config": config[0] if config else None,
    }
    return {key: value for key, value in about.items() if value}


def _extra(plugin: Section) -> Mapping[str, str]:
    return {str(one["name"]): str(one.get("value", "")) for one in plugin.body.get("env") or ()}


def _command(plugin: Section, env: Mapping[str, str], call: Call) -> str:
    """Return the program: from PATH or, with a slash, from the folder of the kubeconfig."""
    name = plugin.text("command")
    path = str(plugin.folder / name) if "/" in name and not Path(name).is_absolute() else name
    found = shutil.which(path, path=env.get("PATH"))
    if not name or not found:
        raise _failed(call, plugin, "is not installed", plugin.text("installHint").strip())
    return found


def _failed(call: Call, plugin: Section, what: str, hint: str = "") -> Unauthorized:
    # Without its arguments, which may hold secrets.
    name = Path(plugin.text("command")).name
    return Unauthorized(call, f"the credential plugin `{shown(name)}` {what}", hint=hint)
