"""Secrets that their shape gives away in any text: private keys, tokens, logins in URLs; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mesh.model.secret_names import is_secret_name

_END = r"(?:-----END[A-Z0-9 ]+-----|\Z)"
_FREE = r"(?<![A-Za-z0-9_])"


def _shape(pattern: str, *signs: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """Return a shape with texts of which one is in each text that has it: most texts have none of them."""
    return signs, re.compile(pattern, re.DOTALL)


SHAPES = (
    _shape(rf"-----BEGIN[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?{_END}", "PRIVATE KEY"),
    _shape(
        r"(?P<head>(?i:authorization)[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token|Bearer|Basic|Token)\s+)?)"
        r"(?!(?i:bearer|basic|token)\b)[\w.~+/=%-]{6,}",
        *("uthorization", "UTHORIZATION"),
    ),
    _shape(
        r"(?P<head>\b(?:[Bb]earer|BEARER|[Bb]asic|BASIC)(?:\s+|%20|\+))(?=[^\s\"']*[\d=])[\w.~+/=%-]{8,}",
        *("earer", "EARER", "asic", "ASIC"),
    ),
    _shape(r"(?P<head>://)(?!\*\*\*@)[^/\s@\"'<>]+(?=@)", "://"),
    _shape(r"(?P<head>\b\w+:)[^@\s/:\"'()]{3,}(?=@(?:tcp|unix)\()", "@tcp(", "@unix("),
    _shape(r"(?P<head>hooks\.slack\.com/(?:services|workflows)/)[\w/]{8,}", "hooks.slack.com"),
    _shape(
        r"(?P<head>[?&](?:sig|X-Amz-Signature|X-Amz-Security-Token|access_token)=)[\w%+/=.~-]{8,}",
        *("sig=", "X-Amz-", "access_token="),
    ),
    _shape(rf"{_FREE}eyJ[\w-]{{6,}}\.[\w-]{{4,}}(?:\.[\w-]*)*", "eyJ"),  # JSON web tokens
    _shape(rf"{_FREE}(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}}(?![A-Za-z0-9])", "AKIA", "ASIA", "ABIA", "ACCA"),
    _shape(rf"{_FREE}(?:gh[oprsu]_[A-Za-z0-9]{{16,}}|github_pat_\w{{16,}})", "gh", "github_pat_"),
    _shape(rf"{_FREE}gl(?:pat|ptt|dt|rt|cbt|ft|soat)-[\w-]{{16,}}", "gl"),
    _shape(rf"{_FREE}(?:xox[a-z]-[\w-]{{8,}}|xapp-[\w-]{{8,}})", "xox", "xapp-"),
    _shape(
        rf"{_FREE}(?:[rsp]k_(?:live|test)_[A-Za-z0-9]{{10,}}|whsec_[A-Za-z0-9]{{16,}})",
        *("k_live_", "k_test_", "whsec_"),
    ),
    _shape(
        rf"{_FREE}(?:AIza[\w-]{{30,}}|ya29\.[\w-]{{16,}}|GOCSPX-[\w-]{{16,}})", "AIza", "ya29.", "GOCSPX-"
    ),
    _shape(
        rf"{_FREE}(?:npm_[A-Za-z0-9]{{30,}}|pypi-[\w-]{{16,}}|dckr_pat_[\w-]{{16,}}|hf_[A-Za-z0-9]{{30,}})",
        *("npm_", "pypi-", "dckr_pat_", "hf_"),
    ),
    _shape(
        rf"{_FREE}(?:SG\.[\w-]{{16,}}\.[\w-]{{16,}}|do[opr]_v1_[0-9a-f]{{32,}}|hv[bsr]\.[\w-]{{20,}})",
        *("SG.", "_v1_", "hv"),
    ),
    _shape(
        rf"{_FREE}(?:sk-(?:proj-|ant-)?[\w-]{{20,}}|lin_api_\w{{20,}}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}})",
        *("sk-", "lin_api_", "shp"),
    ),
    _shape(rf"{_FREE}(?:SK|dapi)[0-9a-f]{{32}}", "SK", "dapi"),
    _shape(rf"{_FREE}(?:AGE-SECRET-KEY-1[A-Z0-9]{{20,}}|\d{{8,10}}:AA[\w-]{{33}})", "AGE-SECRET-KEY-", ":AA"),
)
"""What is a secret by its shape; `head` is text before it that stays."""

_ASSIGNED = re.compile(
    r"(?P<head>(?<![\w.-])-{0,2}(?P<name>[A-Za-z_][\w.\-]*)\\?[\"']?\s*(?:=|:(?![:/]))\s*)"
    r"(?P<value>\\+\".*?\\+\"|\"(?:\\.|[^\"\\])*\"|'[^']*'|[^\s,;}\]&\"']+)"
)
_FLAG = re.compile(r"(?P<head>(?<![\w-])--?(?P<name>[A-Za-z][\w-]*)\s+)(?P<value>(?![-(*])\S+)")
_PLAIN_VALUES = frozenset({"", "true", "false", "null", "none", "nil", "|", ">", "|-", ">-", "{", "["})


def strike_shapes(text: str, mask: str) -> str:
    """Return the text without what is a secret by its shape."""
    for signs, shape in SHAPES:
        if any(sign in text for sign in signs):
            text = shape.sub(lambda found: f"{_head(found)}{mask}", text)
    return text


def _head(found: re.Match[str]) -> str:
    """Return the text in front of a secret that stays."""
    return found["head"] if found.re.groups else ""


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
    for signs, shape in SHAPES:
        if any(sign in text for sign in signs):
            yield from (found[0][len(_head(found)) :] for found in shape.finditer(text))
    for pattern in (_ASSIGNED, _FLAG):
        yield from (each["value"].strip("\\\"'") for each in pattern.finditer(text) if _is_given(each))
