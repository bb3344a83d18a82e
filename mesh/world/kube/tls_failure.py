"""TLS that failed: whether it would fail again.

A certificate that does not fit fails every time. A handshake that was cut off, or that the other side could
not read, says nothing of the certificates: a load balancer without a healthy backend ends it, and so does a
server that restarts.
"""

from __future__ import annotations

import ssl

_LASTING = (
    "CERT",
    "UNKNOWN_CA",
    "ACCESS_DENIED",
    "HANDSHAKE_FAILURE",
    "INSUFFICIENT_SECURITY",
    "PROTOCOL",
    "VERSION",
    "UNRECOGNIZED_NAME",
    "HTTP_REQUEST",
)
"""Parts of the names that OpenSSL gives to what a repetition cannot change: trust, terms and addresses."""


def lasts(error: BaseException) -> bool:
    """Whether the certificates or the terms of TLS do not fit, so that another attempt would fail too."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return True
        if isinstance(inner, ssl.SSLError):
            return not isinstance(inner, ssl.SSLEOFError) and _named(inner)
        inner = _cause(inner)
    return True


def _named(error: ssl.SSLError) -> bool:
    name = error.reason or str(error).upper().replace(" ", "_")
    return any(part in name for part in _LASTING)


def _cause(error: BaseException) -> BaseException | None:
    first = error.args[0] if error.args else None
    return first if isinstance(first, BaseException) else error.__cause__ or error.__context__
