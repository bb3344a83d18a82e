"""Which keys name a secret, judged by the words that a name consists of; pure."""

from __future__ import annotations

import re
from functools import lru_cache

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")

_ANYWHERE = re.compile(r"passw(or)?d|passphrase|passcode|secret(?!ar)|token(?!i[sz])|credential|apikey")
"""Parts of a word that name a secret wherever the word stands."""

_JOINED = re.compile(
    r"(access|account|api|auth|encryption|licen[cs]e|master|private|shared|signing|ssh)keys?"
)
_LAST = frozenset(
    {
        *("authorization", "auths", "bearer", "connstr", "cookie", "cookies", "cred", "creds", "dsn", "dsns"),
        *("htpasswd", "jks", "jwt", "jwts", "key", "keys", "keystore", "keytab", "licence", "license"),
        *("dockerconfigjson", "dockercfg", "kubeconfig", "mnemonic", "netrc", "otp", "p12", "pass", "pfx"),
        *("pgpass", "pin", "private", "pw", "pwd", "pwds", "salt", "seed"),
    }
)
"""Words that name a secret at the end of a name: `DB_PASS` and `tls.key`, but not `passThrough`."""

_FORM = frozenset(
    {"b64", "base64", "content", "data", "hex", "json", "material", "pem", "text", "value", "values"}
)
"""The form of a value: the word before it decides."""

_REFERENCE = frozenset(
    {
        *(
            "algorithm",
            "algorithms",
            "allowed",
            "aud",
            "audience",
            "audiences",
            "bits",
            "bound",
            "bucket",
            "claim",
        ),
        *(
            "class",
            "count",
            "days",
            "description",
            "dir",
            "disabled",
            "duration",
            "enable",
            "enabled",
            "endpoint",
            "endpoints",
        ),
        *(
            "expiration",
            "expiry",
            "field",
            "file",
            "files",
            "filename",
            "format",
            "header",
            "host",
            "hours",
            "id",
        ),
        *("ids", "interval", "issuer", "issuers", "kind", "label", "labels", "length", "lifetime", "limit"),
        *("manager", "method", "minutes", "mode", "mount", "name", "names", "namespace", "namespaces"),
        *("operator", "optional", "path", "paths", "period", "policies", "policy", "port", "prefix"),
        *("provider", "ref", "refs", "required", "review", "rotation", "seconds", "selector", "server"),
        *("size", "source", "store", "suffix", "ttl", "type", "uri", "url", "usage", "usages", "version"),
    }
)
"""Words that make a name one of something about a secret: `secretName`, `tokenTTL`, `passwordFile`."""

_KEYS_OF_DATA = frozenset(
    {
        "annotation",
        "annotations",
        "header",
        "label",
        "metadata",
        "partition",
        "primary",
        "public",
        "sort",
        "topology",
    }
)
"""Before `key`: a name among data, or a key that is public."""

OWN = "meshform.io/"
"""The prefix of annotations and labels of mesh, none of which holds a secret."""

_STRINGS = ({"connection", "string"}, {"conn", "string"}, {"connection", "str"}, {"conn", "str"})
NUMBERS = re.compile(r"passw|passphrase|passcode|^(pass|pwd|pin|pw|otp|secrets?|credentials?)$")
"""Words under which a number is a secret; under others (`maxTokens`) it is an amount."""


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: `DB_PASS`, `connectionString` and `tls.key` have two each."""
    return tuple(word.lower() for word in _WORDS.findall(name))


@lru_cache(maxsize=4096)
def is_reference(name: str) -> bool:
    """Return whether a name is readable although it is about a secret: `secretRef`, `tokenTTL`."""
    parts = words(name)
    return bool(parts) and (
        parts[-1] in _REFERENCE or ("pull" in parts and parts[-1] in {"secret", "secrets"})
    )


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Return whether the value under this name is a secret."""
    parts = words(name)
    while len(parts) > 1 and (parts[-1] in _FORM or parts[-1].isdigit()):
        parts = parts[:-1]
    if not parts or name.startswith(OWN) or is_reference(".".join(parts)):
        return False
    if any(_ANYWHERE.search(part) for part in parts) or any(found <= {*parts} for found in _STRINGS):
        return True
    if parts[-1] in {"key", "keys"} and _KEYS_OF_DATA & {*parts[:-1]}:
        return False
    return parts[-1] in _LAST or bool(_JOINED.fullmatch(parts[-1])) or name.lower().startswith("id_rsa")


def counts(name: str) -> bool:
    """Return whether a number under this name is an amount, not a secret."""
    return not any(NUMBERS.search(part) for part in words(name))
