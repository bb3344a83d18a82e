"""Text that would act where it is printed: on terminals, on readers, in the logs of CI systems."""

from __future__ import annotations

import re

EVIL = (
    "::set-output name=a::b",
    "x\n::error file=a,line=1::b",
    "x\r\n  ::add-mask::b",
    "::stop-commands::token",
    "##vso[task.setvariable variable=a]b",
    "x ##[error]y",
    "##teamcity[buildStatus text='x']",
    "section_start:1560896352:x\r\x1b[0K",
    "travis_fold:start:x",
    "\x1b]0;title\x07\x1b[31m",
    "\x9b31m\x85next",
    "\u202eleft\u2066\u2069",
    "zero\u200bwidth\ufeff\u200d",
    "line\u2028separator\u2029",
    "\x7f\x08\x00",
    "$(touch PWNED) `touch PWNED` '; touch PWNED; \"",
)

_ACTS = re.compile(
    r"^\s*::[A-Za-z-]+(\s.*)?::|##\w*\[|section_(start|end):|travis_(fold|time):", re.MULTILINE
)


def acting(text: str) -> list[str]:
    """Return what in an output would act; the judge knows nothing of the code that it judges."""
    lines = text.split("\n")
    found = [f"{line!r} is not printable" for line in lines if not line.isprintable()]
    return found + [f"{match[0]!r} is a command" for match in _ACTS.finditer(text)]
