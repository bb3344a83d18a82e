"""Checks whether a certificate and its issuers may sign the clusters' intermediates."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from mesh.errors import MeshError
from mesh.world.pki.bundle import certificate_problems, issued_by
from mesh.world.pki.certificates import load_certificates


def check_authority(pem: str, now: datetime) -> tuple[str, ...]:
    """Return the problems of a signer's certificate file: the signer first, its root last."""
    try:
        chain = load_certificates(pem)
    except MeshError as error:
        return (error.message,)
    problems: list[str] = []
    for below, cert in enumerate(chain, start=1):
        problems += certificate_problems(cert, now, below=below)
    for lower, upper in pairwise(chain):
        if not issued_by(lower, upper):
            problems.append(f"{lower.subject.rfc4514_string()} is not followed by its issuer")
    top = chain[-1]
    if not issued_by(top, top):
        problems.append(
            f"{top.subject.rfc4514_string()} is not a root: add its issuers to the file, the root last"
        )
    return tuple(dict.fromkeys(problems))
