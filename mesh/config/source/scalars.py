"""Parse plain YAML scalars, and detect those that YAML readers parse differently."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# C0 and C1 controls, line separators, zero-width, bidirectional, byte-order and tag characters.
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
    "\U000e0000-\U000e007f]"
)
# Plain scalars that are a number or a boolean in YAML 1.1 or in 1.2, but not the same in both.
AMBIGUOUS = re.compile(
    r"(?P<truth>[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF)"
    r"|(?P<sixty>[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)"
    r"|(?P<octal>[-+]?0[0-9_]+|0o[0-7]+|[-+]?0b[01_]+|[-+]0x[0-9a-fA-F_]+)"
    r"|(?P<underscore>[-+]?(?:[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?|0x[0-9a-fA-F]*_[0-9a-fA-F_]*))"
    r"|(?P<exponent>[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?[0-9]*\.[0-9]*[eE][0-9]+)"
    r"|(?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?)"
    r"|(?P<infinite>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
AMBIGUITY = {
    "truth": "is a boolean to some programs and text to other programs",
    "sixty": "is a number in base 60 to some programs",
    "octal": "is not the same number to all programs",
    "underscore": "is a number to some programs and text to other programs",
    "exponent": "is a number to some programs and text to other programs",
    "date": "is a date to some programs and text to other programs",
    "infinite": "is not a number that JSON can represent",
}
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def shown(text: str) -> str:
    """Return text for a message: quoted, shortened, in ASCII so that look-alike letters show."""
    return json.dumps(text if len(text) <= 60 else text[:57] + "...")


def ambiguity(text: str) -> str:
    """Return why YAML readers parse a plain scalar differently; "" if they agree."""
    if match := AMBIGUOUS.fullmatch(text):
        return AMBIGUITY[match.lastgroup or ""]
    number = INTEGER.fullmatch(text) or DECIMAL.fullmatch(text)
    return "is too long for a number" if number and len(text) > 18 else ""


def plain(text: str) -> Any:
    """Return the value of a plain scalar in YAML's core schema."""
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text, 0)
    return float(text) if DECIMAL.fullmatch(text) else text
