"""The kubeconfig entries of the clusters of a mesh: each by its context, never by the current one.

Several files are merged as by kubectl: the first file that names a cluster, user or context wins, and a
relative path is relative to the folder of its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from os import devnull, pathsep
from pathlib import Path
from typing import Any

from mesh.errors import MeshError
from mesh.model.bounded_text import from_base64
from mesh.world import yaml_documents as documents
from mesh.world.disk.input_file import read_input
from mesh.world.plain_http import allowed_hosts, refusal

Clusters = Iterable[tuple[str, str, str]]
"""Of each cluster of the mesh: name, context, and kubeconfig ("": KUBECONFIG or the default)."""

INSECURE = "MESH_ALLOW_INSECURE_TLS"


@dataclass(frozen=True, slots=True)
class Section:
    """A named cluster, user or context of a kubeconfig, and the folder of its file."""

    body: Mapping[str, Any]
    folder: Path

    def text(self, key: str) -> str:
        """Return the value as text, "" if there is none."""
        value = self.body.get(key)
        return "" if value is None else str(value)

    def pem(self, key: str) -> bytes:
        """Return the bytes of `<key>-data`, or of the file that `<key>` names; b"" if neither is set."""
        data = self.text(f"{key}-data")
        if data:
            return from_base64(data)
        name = self.text(key)
        return read_input(self.folder / Path(name).expanduser()) if name else b""


@dataclass(frozen=True, slots=True)
class Target:
    """What is needed to reach one API server; secrets are not part of its repr."""

    cluster: str
    context: str
    server: str
    user: Section = field(repr=False)
    about: Section = field(repr=False)
    ca: bytes = field(default=b"", repr=False)
    tls_server_name: str = ""
    proxy: str = ""
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """One or several files, merged: names to sections."""

    files: tuple[Path, ...]
    clusters: Mapping[str, Section]
    contexts: Mapping[str, Section]
    users: Mapping[str, Section]

    @property
    def where(self) -> str:
        """The files, for a message."""
        return ", ".join(map(str, self.files)) or "the kubeconfig (there is none)"


def paths(kubeconfig: str, env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files to read: the one given, or those of KUBECONFIG, or the default one."""
    if kubeconfig:
        return (Path(kubeconfig).expanduser(),)
    listed = env.get("KUBECONFIG", "")
    if listed:
        return tuple(Path(part).expanduser() for part in listed.split(pathsep) if part)
    home = env.get("HOME", "")
    return (Path(home or Path.home()) / ".kube" / "config",)


def contexts(env: Mapping[str, str], kubeconfig: str = "") -> tuple[str, ...]:
    """Return the names of all contexts, in the order of the files."""
    return tuple(load(kubeconfig, env).contexts)


def load(kubeconfig: str, env: Mapping[str, str]) -> Kubeconfig:
    """Read and merge; a file of the list that does not exist is skipped, as by kubectl."""
    names = paths(kubeconfig, env)
    if kubeconfig and not names[0].exists():
        raise MeshError(f"kubeconfig {names[0]} does not exist", hint="check the `kubeconfig` of the cluster")
    files = tuple(name for name in names if name.exists() and str(name) != devnull)
    bodies = [(path, _read(path)) for path in files]
    return Kubeconfig(files, *(_merged(bodies, plural) for plural in ("clusters", "contexts", "users")))


def targets(clusters: Clusters, env: Mapping[str, str]) -> Mapping[str, Target]:
    """Return the target of every cluster; raise one MeshError with all problems."""
    found: dict[str, Target] = {}
    problems: list[str] = []
    files: dict[str, Kubeconfig] = {}
    for name, context, kubeconfig in clusters:
        try:
            config = files.get(kubeconfig) or files.setdefault(kubeconfig, load(kubeconfig, env))
            found[name] = _target(name, context, config, env)
        except MeshError as problem:
            problems.append(f"cluster {name}: {problem.message}")
        except (OSError, ValueError, RuntimeError) as problem:
            problems.append(f"cluster {name}: context {context}: {problem}")
    if problems:
        raise MeshError("\n".join(problems), hint="fix the contexts of the clusters, or the kubeconfig")
    return found


def _target(name: str, context: str, config: Kubeconfig, env: Mapping[str, str]) -> Target:
    chosen = config.contexts.get(context)
    if chosen is None:
        raise MeshError(_no_context(context, config))
    about = _section(chosen, "cluster", config.clusters, context, config)
    user = (
        _section(chosen, "user", config.users, context, config)
        if chosen.text("user")
        else Section({}, Path())
    )
    if not about.text("server"):
        raise MeshError(f"context {context} of {config.where} has a cluster without `server`")
    if why := refusal(about.text("server"), allowed_hosts(env)):
        raise MeshError(f"context {context} of {config.where}: the server {why}")
    return Target(
        cluster=name,
        context=context,
        server=about.text("server").rstrip("/"),
        user=user,
        about=about,
        ca=about.pem("certificate-authority"),
        tls_server_name=about.text("tls-server-name"),
        proxy=about.text("proxy-url"),
        insecure=_insecure(context, about, env),
    )


def _insecure(context: str, about: Section, env: Mapping[str, str]) -> bool:
    insecure = about.body.get("insecure-skip-tls-verify") is True
    if insecure and env.get(INSECURE, "") not in ("1", "true", "yes"):
        raise MeshError(
            f"context {context} sets insecure-skip-tls-verify: any machine could pose as the server"
            f"; set a certificate-authority, or {INSECURE}=1"
        )
    return insecure


def _section(
    chosen: Section, kind: str, sections: Mapping[str, Section], context: str, config: Kubeconfig
) -> Section:
    name = chosen.text(kind)
    if name not in sections:
        raise MeshError(
            f"context {context} of {config.where} names the {kind} {name!r}, which does not exist"
        )
    return sections[name]


def _no_context(context: str, config: Kubeconfig) -> str:
    import difflib

    known = tuple(config.contexts)
    near = difflib.get_close_matches(context, known, 1)
    meant = f"; did you mean {near[0]}?" if near else ""
    there = f"; it has: {', '.join(known)}" if known else "; it has no contexts"
    return f"context {context or repr('')} is not in {config.where}{meant}{there}"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        body = documents.read(read_input(path))
    except ValueError as error:
        raise MeshError(f"kubeconfig {path} cannot be read: {error}", hint="fix the file") from None
    except OSError as error:
        raise MeshError(f"kubeconfig {path} cannot be read: {error.strerror}", hint="fix the file") from None
    if body is not None and not isinstance(body, dict):
        raise MeshError(f"kubeconfig {path} is not a kubeconfig file", hint="fix the file")
    return body or {}


def _merged(bodies: Iterable[tuple[Path, Mapping[str, Any]]], plural: str) -> Mapping[str, Section]:
    merged: dict[str, Section] = {}
    for path, body in bodies:
        for name, section in _named(body.get(plural), plural.removesuffix("s")):
            merged.setdefault(name, Section(section, path.absolute().parent))
    return merged


def _named(entries: Any, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and "name" in entry:
            section = entry.get(kind)
            yield str(entry["name"]), section if isinstance(section, dict) else {}
