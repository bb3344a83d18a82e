"""Keys and certificates; the only importer of `cryptography`.

`certificates` says what one is, `issue` makes them, `bundle` judges what istiod would sign with,
`verify` is the second opinion, `command` asks a signer of the user's. Only `command` touches the
world; the rest is computation on values.
"""

from __future__ import annotations

from mesh.world.pki.bundle import Bundle, Inspection, check_bundle, inspect_bundle
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
from mesh.world.pki.command import sign_with_command
from mesh.world.pki.issue import (
    SKEW,
    Authority,
    issue_intermediate,
    issue_root,
    load_authority,
    new_key,
    request_intermediate,
)

__all__ = [
    "SKEW",
    "Authority",
    "Bundle",
    "CertInfo",
    "Inspection",
    "PrivateKey",
    "algorithm_of",
    "check_authority",
    "check_bundle",
    "describe",
    "inspect_bundle",
    "issue_intermediate",
    "issue_root",
    "key_pem",
    "load_authority",
    "load_key",
    "new_key",
    "pem_blocks",
    "request_intermediate",
    "sign_with_command",
    "spki_of",
]
