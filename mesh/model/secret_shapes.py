"""Secrets that their shape gives away in any text: private keys, tokens, logins in URLs; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mesh.model.secret_names import is_secret_name

_END = r"(?:-----END[A-Z0-9 ]+-----|\Z)"
_TOKENS = (
    r"eyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)*",  # JSON web tokens, signed or encrypted
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    r"gh[oprsu]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|gl(?:pat|ptt|dt|rt|cbt|ft|soat)-[\w-]{16,}",
    r"xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}",
    r"[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9]{16,}",
    r"AIza[\w-]{30,}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{16,}",
    r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{16,}|dckr_pat_[\w-]{16,}|hf_[A-Za-z0-9]{30,}",
    r"SG\.[\w-]{16,}\.[\w-]{16,}|do[opr]_v1_[0-9a-f]{32,}|hv[bsr]\.[\w-]{20,}|dapi[0-9a-f]{32}",
    r"sk-(?:proj-|ant-)?[\w-]{20,}|lin_api_\w{20,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|SK[0-9a-f]{32}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{20,}|\d{8,10}:AA[\w-]{33}",
)
SHAPES = re.compile(
    rf"-----BEGIN[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?{_END}"
    r"|(?P<keep>\b(?:[Bb]earer|BEARER|[Bb]asic|BASIC)(?:\s+|%20|\+))(?=[^\s\"']*[\d=])[\w.~+/=%-]{8,}"
    r"|(?P<head>(?i:authorization)[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token|Bearer|Basic|Token)\s+)?)"
    r"(?!(?i:bearer|basic|token)\b)[\w.~+/=%-]{6,}"
    r"|(?P<scheme>://)(?!\*\*\*@)[^/\s@\"'<>]+@"
    r"|(?P<user>\b\w+:)[^@\s/:\"'()]{3,}(?=@(?:tcp|unix)\()"
    r"|(?P<hook>hooks\.slack\.com/(?:services|workflows)/)[\w/]{8,}"
    r"|(?P<sas>[?&](?:sig|X-Amz-Signature|X-Amz-Security-Token|access_token)=)[\w%+/=.~-]{8,}"
    rf"|(?<![A-Za-z0-9_])(?:{'|'.join(_TOKENS)})",
    re.DOTALL,
)
"""What is a secret by its shape; the named groups are text before it that stays."""

_ASSIGNED = re.compile(
    r"(?P<head>(?<![\w.-])-{0,2}(?P<name>[A-Za-z_][\w.\-]*)\\?[\"']?\s*(?:=|:(?![:/]))\s*)"
    r"(?P<value>\\+\".*?\\+\"|\"(?:\\.|[^\"\\])*\"|'[^']*'|[^\s,;}\]&\"']+)"
)
_FLAG = re.compile(r"(?P<head>(?<![\w-])--?(?P<name>[A-Za-z][\w-]*)\s+)(?P<value>(?![-(*])\S+)")
_PLAIN_VALUES = frozenset({"", "true", "false", "null", "none", "nil", "|", ">", "|-", ">-", "{", "["})


def strike_shapes(text: str, mask: str) -> str:
    """Return the text without what is a secret by its shape."""
    return SHAPES.sub(lambda found: f"{kept(found)}{mask}{'@' if found['scheme'] else ''}", text)


def kept(found: re.Match[str]) -> str:
    """Return the text in front of a secret that stays."""
    return next((part for part in found.groups() if part is not None), "")


def strike_assigned(text: str, mask: str) -> str:
    """Return a text of another program without the values of keys and options that name secrets."""

    def struck(found: re.Match[str]) -> str:
        return f"{found['head']}{mask}" if _is_given(found) else found[0]

    return _FLAG.sub(struck, _ASSIGNED.sub(struck, text))


def _is_given(found: re.Match[str]) -> bool:
    value = found["value"].strip("\\\"'")
    if found["name"] == "key" and (len(value) < 16 or "/" in value or "." in value):
        return False  # in a text, `key:` is most often the name of a label or of an entry
    return (
        value.lower() not in _PLAIN_VALUES
        and not value.startswith(("(", "*"))
        and is_secret_name(found["name"])
    )


def secrets_in_text(text: str) -> Iterator[str]:
    """Yield each secret in a text that its shape, or the name in front of it, gives away."""
    for found in SHAPES.finditer(text):
        yield (
            found[0][len(kept(found)) :].removesuffix("@")
            if found["scheme"]
            else found[0][len(kept(found)) :]
        )
    for pattern in (_ASSIGNED, _FLAG):
        yield from (each["value"].strip("\\\"'") for each in pattern.finditer(text) if _is_given(each))
