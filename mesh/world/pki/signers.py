"""The signers that the mesh file offers, each with the same result."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mesh.errors import MeshError
from mesh.model.spec import CA, CommandCA, FilesCA, GenerateCA, Intermediate
from mesh.world.disk.files import user_path
from mesh.world.pki.bundle import Bundle, check_bundle
from mesh.world.pki.certificates import PrivateKey, describe, key_pem, pem_blocks
from mesh.world.pki.external_signer import sign_with_command
from mesh.world.pki.issue import issue_intermediate, new_key, request_intermediate
from mesh.world.pki.root_files import (
    PASSPHRASE,
    RootFiles,
    config_files,
    files_beside,
    open_authority,
    strengthen,
)


@dataclass(frozen=True, slots=True)
class SigningContext:
    """What signing may use: the user's environment and folder, and the time."""

    env: Mapping[str, str]
    folder: Path
    now: datetime

    @property
    def passphrase(self) -> str:
        """The passphrase of the root key, "" if none is set."""
        return self.env.get(PASSPHRASE, "")


def root_files(mesh: str, ca: CA, context: SigningContext) -> RootFiles:
    """Return the paths of the signer's certificate and key; a command has no key, only its root is stored."""
    match ca:
        case FilesCA(cert, key):
            return RootFiles(
                user_path(cert, context.env, context.folder), user_path(key, context.env, context.folder)
            )
        case GenerateCA(key_file) if key_file:
            return files_beside(user_path(key_file, context.env, context.folder))
    return config_files(mesh, context.env)


def can_sign(mesh: str, ca: CA, certificate: str, context: SigningContext) -> None:
    """Check that the signer can be opened, and sign nothing; raise MeshError with the next steps."""
    if isinstance(ca, CommandCA):
        found = shutil.which(ca.argv[0], path=context.env.get("PATH"))
        if not found and not (context.folder / ca.argv[0]).exists():
            raise MeshError(
                f"the signing command {ca.argv[0]} does not exist", hint="install it, or give its full path"
            )
        return
    files = root_files(mesh, ca, context)
    open_authority(files, certificate, passphrase=context.passphrase, now=context.now)


def ask_command(ca: CommandCA, key: PrivateKey, name: str, context: SigningContext) -> tuple[str, ...]:
    """Have a program sign a request for `key`; return the chain, the new certificate first, the root last."""
    request = request_intermediate(key, name, now=context.now)
    blocks = pem_blocks(sign_with_command(ca.argv, request, env=context.env, folder=context.folder))
    if len(blocks) < 2 or not describe(blocks[-1]).is_self_issued:
        raise MeshError(
            f"{ca.argv[0]} did not print a chain that ends in a root",
            hint="it must print its certificate for the request first, then every issuer, the root last",
        )
    return blocks


def sign_bundle(
    mesh: str, cluster: str, ca: CA, certificate: str, profile: Intermediate, context: SigningContext
) -> Bundle:
    """Create a key in memory and certify it under the root at the end of `certificate` (PEM).

    Raises MeshError if the signer fails, or if istiod could not use the result.
    """
    key, name = new_key(profile.key), f"{mesh}/{cluster}"
    if isinstance(ca, CommandCA):
        own, *above = ask_command(ca, key, name, context)
    else:
        files = root_files(mesh, ca, context)
        authority = open_authority(files, certificate, passphrase=context.passphrase, now=context.now)
        if isinstance(ca, GenerateCA):
            strengthen(files, context.passphrase)
        above = list(authority.chain)
        own = issue_intermediate(
            authority, key.public_key(), name, validity=profile.validity, now=context.now
        )
    root = pem_blocks(certificate)[-1]
    found, expected = describe(above[-1]).fingerprint, describe(root).fingerprint
    # A cluster under another root could not talk to the rest of the mesh, so it is refused before it exists.
    if found != expected:
        raise MeshError(
            f"the signer's root is {found}, and the mesh's is {expected}",
            hint="an apply does not change the root of trust: configure the signer with the mesh's root",
        )
    bundle = Bundle(own, key_pem(key), "".join([own, *above[:-1], root]), root)
    if problems := check_bundle(bundle, context.now):
        raise MeshError(f"istiod cannot use what was signed for cluster {cluster}: {problems[0]}")
    return bundle
