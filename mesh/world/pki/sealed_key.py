"""A private key under a passphrase: PKCS#8 (RFC 5958) with PBES2 (RFC 8018).

The cryptography package derives the key with 2,048 iterations and takes no other number, so the container is
written here. It reads every number, and so does openssl.
"""

from __future__ import annotations

import base64
import os
import textwrap

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from mesh.model.bounded_text import from_base64

ITERATIONS = 600_000
"""Of PBKDF2 with HMAC-SHA-256; OWASP's recommendation (Password Storage Cheat Sheet, 2023)."""

_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("300c06082a864886f70d02090500")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")
_BEGIN, _END = "-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----"


def seal(pkcs8: bytes, passphrase: str) -> bytes:
    """Return a key (PKCS#8, DER) as PEM that only the passphrase opens."""
    salt, nonce = os.urandom(16), os.urandom(16)
    secret = PBKDF2HMAC(hashes.SHA256(), 32, salt, ITERATIONS).derive(passphrase.encode())
    padder = padding.PKCS7(128).padder()
    padded = padder.update(pkcs8) + padder.finalize()
    cipher = Cipher(algorithms.AES256(secret), modes.CBC(nonce)).encryptor()
    hidden = cipher.update(padded) + cipher.finalize()
    rounds = ITERATIONS.to_bytes((ITERATIONS.bit_length() + 8) // 8, "big")
    derive = _sequence(_PBKDF2, _sequence(_tagged(0x04, salt), _tagged(0x02, rounds), _HMAC_SHA256))
    scheme = _sequence(_AES_256_CBC, _tagged(0x04, nonce))
    algorithm = _sequence(_PBES2, _sequence(derive, scheme))
    body = base64.b64encode(_sequence(algorithm, _tagged(0x04, hidden))).decode()
    return "\n".join([_BEGIN, *textwrap.wrap(body, 64), _END, ""]).encode()


def is_weak(pem: bytes) -> bool:
    """Whether a key is under a passphrase with fewer iterations than `seal` uses, or an older derivation."""
    text = pem.decode("ascii", "replace")
    if "Proc-Type: 4,ENCRYPTED" in text:
        return True
    if _BEGIN not in text or _END not in text:
        return False
    try:
        der = from_base64(text.partition(_BEGIN)[2].partition(_END)[0])
    except ValueError:
        return False
    at = der.find(_PBKDF2)
    if at < 0:
        return bool(der) and _PBES2 not in der  # PBES1; or PBES2 with scrypt, which is strong
    return _iterations(der[at + len(_PBKDF2) :]) < ITERATIONS


def _iterations(params: bytes) -> int:
    """Return the second member of `SEQUENCE { OCTET STRING salt, INTEGER iterations, … }`; 0 if it is not."""
    try:
        salt_end = 4 + params[3]
        size = params[salt_end + 1]
        number = params[salt_end + 2 : salt_end + 2 + size]
        return int.from_bytes(number, "big") if params[salt_end] == 0x02 else 0
    except IndexError:
        return 0


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
