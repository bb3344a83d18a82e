"""Keys and certificates; the only importer of `cryptography`.

`certificates` describes them, `issue` makes them, `bundle` checks what istiod would sign with,
`path_validation` checks it a second time, `cacerts` is the data of the Secret: computation on values.
Only `external_signer` (a program of the user signs), `root_files` (a root on disk) and `signers` (the
choice between them) do I/O.
"""

from __future__ import annotations

from mesh.world.pki.bundle import Bundle, Inspection, check_bundle, inspect_bundle
from mesh.world.pki.cacerts import bundle_from, data_from, duration, lifetime
from mesh.world.pki.certificates import (
    CertInfo,
    PrivateKey,
    algorithm_of,
    describe,
    key_pem,
    load_key,
    pem_blocks,
    spki_of,
)
from mesh.world.pki.chain import check_authority
from mesh.world.pki.external_signer import sign_with_command
from mesh.world.pki.issue import (
    SKEW,
    Issuer,
    issue_intermediate,
    issue_root,
    load_authority,
    new_key,
    request_intermediate,
)
from mesh.world.pki.root_conflicts import fingerprints_in, one_root, root_conflicts
from mesh.world.pki.root_files import (
    PASSPHRASE,
    RootFiles,
    check_files,
    config_files,
    files_beside,
    issuer_of,
    keep_certificate,
    make_root,
    open_authority,
    read_chain,
    refusals,
)
from mesh.world.pki.signers import SigningContext, ask_command, can_sign, root_files, sign_bundle

__all__ = [
    "PASSPHRASE",
    "SKEW",
    "Bundle",
    "CertInfo",
    "Inspection",
    "Issuer",
    "PrivateKey",
    "RootFiles",
    "SigningContext",
    "algorithm_of",
    "ask_command",
    "bundle_from",
    "can_sign",
    "check_authority",
    "check_bundle",
    "check_files",
    "config_files",
    "data_from",
    "describe",
    "duration",
    "files_beside",
    "fingerprints_in",
    "inspect_bundle",
    "issue_intermediate",
    "issue_root",
    "issuer_of",
    "keep_certificate",
    "key_pem",
    "lifetime",
    "load_authority",
    "load_key",
    "make_root",
    "new_key",
    "one_root",
    "open_authority",
    "pem_blocks",
    "read_chain",
    "refusals",
    "request_intermediate",
    "root_conflicts",
    "root_files",
    "sign_bundle",
    "sign_with_command",
    "spki_of",
]
