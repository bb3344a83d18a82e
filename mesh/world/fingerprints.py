"""Keyed fingerprints of secrets: equal for equal values, and without the key they tell nothing.

A plain digest of a password can be guessed offline. A plan is attached to pull requests, so its
fingerprints are made with a key that is neither in the plan nor in the lockfile.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mesh.errors import UsageError
from mesh.model.fingerprint import fingerprint

VARIABLE = "MESH_PLAN_KEY"
SHORTEST = 16


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The fingerprints of one key."""

    key: bytes

    def __call__(self, text: str) -> str:
        """Return the fingerprint of a text."""
        return fingerprint(self.key, text)


@dataclass(slots=True)
class LateFingerprints:
    """The fingerprints of the key in the environment, or of the stored one; it is read when first needed.

    `stored` returns b"" if there is no key and none can be made.
    """

    env: Mapping[str, str]
    stored: Callable[[], bytes]
    _made: Fingerprints | None = None

    def __call__(self, text: str) -> str:
        """Return the fingerprint of a text."""
        if self._made is None:
            # Two threads at once read the same key: the second one only reads it again. Where no key can be
            # stored, the fingerprints hold for this command, and no other repeats them.
            self._made = Fingerprints(_given(self.env) or self.stored() or secrets.token_bytes(SHORTEST))
        return self._made(text)


def given_word(mesh: str, env: Mapping[str, str]) -> bytes:
    """Return the word that takes the place of a user's own: from the key in the environment, b"" without one.

    A cluster stores a key made of it, so it is stretched: who reads that must not be able to guess it.
    """
    if not _given(env):
        return b""
    text = env[VARIABLE].encode()
    return hashlib.scrypt(
        text, salt=f"mesh word {mesh}".encode(), n=1 << 15, r=8, p=1, maxmem=1 << 26, dklen=32
    )


def _given(env: Mapping[str, str]) -> bytes:
    """Return the key from the environment, stretched to one size; b"" if there is none."""
    text = env.get(VARIABLE, "")
    if text and len(text) < SHORTEST:
        raise UsageError(
            f"{VARIABLE} has {len(text)} characters: a key has at least {SHORTEST}",
            hint="export MESH_PLAN_KEY=$(openssl rand -hex 32), the same wherever plans are made and applied",
        )
    return hashlib.sha256(b"mesh plan\0" + text.encode()).digest() if text else b""
