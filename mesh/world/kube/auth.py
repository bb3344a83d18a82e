"""Credentials: what the user of a kubeconfig context adds to a request and to TLS.

Certificates, tokens, token files, basic authentication and impersonation are plain data and are
read here. The old `auth-provider` entries are left to the library of the kubernetes project, the
only place that imports it: see docs/decisions/0002-kube-transport.md.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from mesh.world import trace
from mesh.world.disk.input_file import read_input
from mesh.world.kube.error_bodies import shown
from mesh.world.kube.errors import Call, Unauthorized
from mesh.world.kube.exec_plugin import Grant, Plugins
from mesh.world.kube.kubeconfig import Section, Target

LARGEST_TOKEN = 1 << 20

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Login:
    """What identifies the user: headers of every request, certificate and key (PEM) of the handshake."""

    headers: Headers = field(default=(), repr=False)
    cert: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class Credentials:
    """The credentials of one context; read when first needed, and again when they expire."""

    target: Target
    plugins: Plugins
    _login: Login | None = None
    _grant: Grant | None = None
    _lock: Lock = field(default_factory=Lock)

    def login(self, call: Call) -> Login:
        """Return the credentials to send now."""
        with self._lock:
            used_up = self._grant is not None and not self._grant.fresh(datetime.now(UTC))
            if self._login is None or used_up:
                self._login = self._read(call)
            return self._login

    def renewed(self, refused: Login, call: Call) -> bool:
        """Read the credentials again after a 401; return whether they differ from those refused."""
        with self._lock:
            # Several requests may get their 401 at the same time: only the first of them reads again, so a
            # plugin that asks a person to log in is started once.
            if self._login == refused:
                self._login = self._read(call)
            return self._login != refused

    def _read(self, call: Call) -> Login:
        user = self.target.user
        try:
            headers = (*self._authorization(user, call), *_impersonation(user))
            cert, key = user.pem("client-certificate"), user.pem("client-key")
        except (OSError, ValueError, RuntimeError) as error:
            raise Unauthorized(call, f"the credentials of the context cannot be read: {error}") from None
        except (AttributeError, KeyError, TypeError):
            what = "its `user` is not one of a kubeconfig: a value has another type, or a name is missing"
            raise Unauthorized(call, f"the credentials of the context cannot be read: {what}") from None
        if self._grant is not None and self._grant.cert:
            cert, key = self._grant.cert, self._grant.key
        return Login(headers, cert, key)

    def _authorization(self, user: Section, call: Call) -> Headers:
        if user.body.get("exec"):
            self._grant = self.plugins.grant(self.target, call, self._grant)
            return _bearer(self._grant.token)
        if user.body.get("auth-provider"):
            return _bearer(_from_provider(self.target, call))
        if user.text("tokenFile"):
            path = user.folder / Path(user.text("tokenFile")).expanduser()
            return _bearer(read_input(path, limit=LARGEST_TOKEN).decode().strip())
        if user.text("token"):
            return _bearer(user.text("token").strip())
        if user.text("username"):
            trace.hide(user.text("password"))
            pair = f"{user.text('username')}:{user.text('password')}".encode()
            return (("authorization", f"Basic {base64.b64encode(pair).decode()}"),)
        return ()


def _bearer(token: str) -> Headers:
    trace.hide(token)
    return (("authorization", f"Bearer {token}"),) if token else ()


def _impersonation(user: Section) -> Headers:
    """Return the headers of `as` and its companions: one line per group and per value of an extra."""
    one = (("impersonate-user", user.text("as")), ("impersonate-uid", user.text("as-uid")))
    groups = (("impersonate-group", str(group)) for group in user.body.get("as-groups") or ())
    extras = (
        (f"impersonate-extra-{key}", str(value))
        for key, values in (user.body.get("as-user-extra") or {}).items()
        for value in values
    )
    return tuple((name, value) for name, value in (*one, *groups, *extras) if value)


def _from_provider(target: Target, call: Call) -> str:
    """Return the token of an `oidc` or `gcp` entry, refreshed by the kubernetes package."""
    from kubernetes.client import Configuration
    from kubernetes.config.kube_config import KubeConfigLoader

    logging.getLogger("kubernetes").setLevel(logging.WARNING)
    provider = target.user.body["auth-provider"]
    config: Mapping[str, Any] = {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "clusters": [{"name": "one", "cluster": {"server": target.server}}],
        "users": [{"name": "one", "user": {"auth-provider": provider}}],
    }
    filled = Configuration()
    try:
        loader: Any = KubeConfigLoader
        loader(config, config_base_path=str(target.user.folder)).load_and_set(filled)
    except Exception as error:
        raise Unauthorized(
            call, f"auth-provider {provider.get('name')} failed: {shown(str(error))}"
        ) from error
    token = str(filled.api_key.get("BearerToken", "")).removeprefix("Bearer ")
    if not token:
        raise Unauthorized(
            call,
            f"auth-provider {provider.get('name')} gave no token",
            hint="kubectl no longer supports it either: use the exec plugin of your provider",
        )
    return token
