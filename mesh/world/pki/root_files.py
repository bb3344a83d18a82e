"""The root of trust on the disk of this machine: its place, its creation, opening it to sign.

The certificate is public and read by every run; the key is opened only to sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mesh.errors import MeshError, RefusedError, StateError
from mesh.world.disk.files import (
    create_secret_file,
    git_would_take,
    private_folder,
    read_secret_file,
    replace_file,
)
from mesh.world.disk.input_file import read_input
from mesh.world.pki.certificates import describe, key_pem, load_key, pem_blocks
from mesh.world.pki.chain import check_authority
from mesh.world.pki.issue import Issuer, issue_root, load_authority, new_key
from mesh.world.pki.sealed_key import is_weak

PASSPHRASE = "MESH_CA_PASSPHRASE"  # noqa: S105  # the name of a variable


@dataclass(frozen=True, slots=True)
class RootFiles:
    """The paths of the signer's certificate (with its issuers) and key."""

    certificate: Path
    key: Path


def config_files(mesh: str, env: Mapping[str, str]) -> RootFiles:
    """Return the default paths: `~/.config/mesh/<mesh>/root.key` and `root.crt`, or below XDG_CONFIG_HOME."""
    home = Path(env.get("HOME") or Path.home())
    folder = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "mesh" / mesh
    return RootFiles(folder / "root.crt", folder / "root.key")


def files_beside(key: Path) -> RootFiles:
    """Return a key file that the user named, and the certificate beside it."""
    return RootFiles(key.with_suffix(".crt" if key.suffix != ".crt" else ".crt.pem"), key)


def read_chain(certificate: Path) -> tuple[str, ...]:
    """Read a certificate file: signer first, root last; () if there is none."""
    try:
        text = read_input(certificate).decode("utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise MeshError(f"{certificate} cannot be read: {why}") from None
    blocks = pem_blocks(text.replace("\r\n", "\n"))
    if not blocks:
        raise MeshError(f"{certificate}: it has no certificate in PEM form")
    return blocks


def refusals(files: RootFiles) -> tuple[str, ...]:
    """Return why a root key may not be created at these paths."""
    if files.key.exists() or not git_would_take(files.key):
        return ()
    return (
        f"the root key {files.key} would be inside a git work tree that does not ignore it: "
        "set a path outside in spec.rootOfTrust.ca.generate.keyFile, or add it to .gitignore",
    )


def make_root(
    files: RootFiles, mesh: str, *, algorithm: str, validity: timedelta, passphrase: str, now: datetime
) -> None:
    """Create key and certificate, unless both exist; raise RefusedError where git would add the key."""
    # The key first: a crash in between leaves a key, and the next run certifies it. The other way round it
    # would leave a certificate that no key belongs to, which looks like a lost key and is refused.
    if refused := refusals(files):
        raise RefusedError(refused[0])
    if not files.key.exists():
        if files.certificate.exists():
            raise RefusedError(
                f"{files.certificate} exists and its key {files.key} does not",
                hint="restore the key; to start with a new root, remove the certificate",
            )
        _own_folders(files, mesh)
        create_secret_file(files.key, key_pem(new_key(algorithm), passphrase))
    if not files.certificate.exists():
        pem = read_secret_file(files.key)
        key = load_key(pem, _passphrase_for(pem, passphrase))
        replace_file(files.certificate, issue_root(key, mesh, validity=validity, now=now).encode())


def _own_folders(files: RootFiles, mesh: str) -> None:
    """Make the default folders private, such as `~/.config/mesh/prod`; a place that the user chose stays."""
    folder = files.key.parent
    if (folder.parent.name, folder.name) == ("mesh", mesh):
        private_folder(folder.parent, linked=True)
        private_folder(folder, linked=True)


def keep_certificate(path: Path, pem: str) -> None:
    """Write a public certificate where `read_chain` finds it."""
    private_folder(path.parent, linked=True)
    replace_file(path, pem.encode())


def open_authority(files: RootFiles, certificate: str, *, passphrase: str, now: datetime) -> Issuer:
    """Open the key of a known certificate (its chain, PEM) to sign with it.

    Raises MeshError with the next steps if the key is missing, encrypted, or another one.
    """
    chain = pem_blocks(certificate)
    digest = describe(certificate).spki
    if problems := check_authority(certificate, now):
        raise MeshError(f"the root of trust cannot sign: {problems[0]}")
    try:
        pem = read_secret_file(files.key)
        return load_authority(chain, pem, _passphrase_for(pem, passphrase))
    except FileNotFoundError:
        raise MeshError(
            f"needs the root key {digest}, and {files.key} does not exist",
            hint="copy the key there, run this where the key is, or use another signer: "
            "spec.rootOfTrust.ca with `files` or `command`",
        ) from None
    except MeshError as error:
        hint = error.hint or f"set {PASSPHRASE}, or put the right key in that file"
        raise MeshError(f"needs the root key {digest}, but {files.key}: {error.message}", hint=hint) from None


def strengthen(files: RootFiles, passphrase: str) -> None:
    """Write a root key again if it is under its passphrase with too few iterations, as older versions did."""
    pem = read_secret_file(files.key)
    if not passphrase or not is_weak(pem):
        return
    key = load_key(pem, passphrase)
    # The key is as good as before if its place cannot be written, such as a mounted Secret.
    with suppress(StateError):
        replace_file(files.key, key_pem(key, passphrase), mode=0o600)


def _is_locked(pem: bytes) -> bool:
    return b"ENCRYPTED" in pem


def _passphrase_for(pem: bytes, passphrase: str) -> str:
    """Return the passphrase if the key is encrypted: it may be set for another key."""
    return passphrase if _is_locked(pem) else ""


def check_files(certificate: Path, key: Path, *, passphrase: str, now: datetime) -> tuple[str, ...]:
    """Return the problems of a certificate and key that the user gave; () if they can sign.

    A key that needs a passphrase which is not set is not checked.
    """
    try:
        chain = read_chain(certificate)
    except MeshError as error:
        return (error.message,)
    if not chain:
        return (f"{certificate} does not exist",)
    problems = [f"{certificate}: {problem}" for problem in check_authority("".join(chain), now)]
    try:
        pem = read_secret_file(key)
        if passphrase or not _is_locked(pem):
            load_authority(chain, pem, _passphrase_for(pem, passphrase))
    except FileNotFoundError:
        problems.append(f"{key} does not exist")
    except MeshError as error:
        problems.append(error.message if str(key) in error.message else f"{key}: {error.message}")
    return tuple(problems)


def issuer_of(chain: tuple[str, ...]) -> dict[str, str]:
    """Return what other resources need of a signer; everything in it is public.

    `fingerprint` and `subject` are the root's, `spki` names the signer's key, `certificate` is the
    whole chain, `not_after` (ISO 8601) is when its first member expires.
    """
    infos = [describe(pem) for pem in chain]
    return {
        "certificate": "".join(chain),
        "fingerprint": infos[-1].fingerprint,
        "not_after": min(info.not_after for info in infos).isoformat(),
        "spki": infos[0].spki,
        "subject": infos[-1].subject,
    }
