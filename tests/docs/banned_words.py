"""The words that do not belong in user-facing text, each with what to write instead."""

from __future__ import annotations

import re

BANNED: dict[str, str] = {
    r"what is there": "what exists, the live object",
    r"(?:is|are|was|were|be) not there": "is missing, does not exist",
    r"(?:is|are|was|were|be) there already|(?:is|are|was|were|be) already there": "already exists",
    r"whoever": "the owner, the person who",
    r"anew": "again",
    r"mend(?:s|ed|ing)?": "fix",
    r"ours|of us": "mesh's, managed by mesh",
    r"theirs": "the other owner's, the user's",
    r"of others": "another owner's",
    r"as wanted": "in sync",
    r"as it is to be|as they are to be|as it must be|as they must be": "in sync, ready",
    r"nobody": "no one",
    r"somebody|somebody's": "another person, another process, another owner",
    r"everybody": "everyone, all programs",
    r"(?:is|are|was|were|be|been) told": "reports, prints",
    r"all of it": "everything",
    r"things?": "resource, object",
    r"heirs?": "what depends on it",
    r"deeds?": "actions",
    r"desk": "session",
    r"veil": "unreadable Secret",
    r"glimpse": "partial observation",
    r"goes(?! (?:through|to|into|back|wrong|from|over|beyond|on|out|in|up|down|with))": "is removed",
    r"(?<!there )(?:is|are) no (?!longer\b|more\b|other\b|one\b)\w+": "is not a valid …, is not a …",
    r"whose [\w-]+ (?:is|are)": "with …, that has …",
}
"""Pattern (of whole words, in any case) to what to write instead."""

BANNED_WORDS = re.compile("|".join(rf"(?P<_{i}>\b(?:{word})\b)" for i, word in enumerate(BANNED)), re.I)
REPLACEMENTS = tuple(BANNED.values())


def replacements(line: str) -> list[str]:
    """Return `"banned" -> "better"` for each banned word in a line."""
    return [
        f'"{match[0]}" -> "{REPLACEMENTS[int((match.lastgroup or "_0")[1:])]}"'
        for match in BANNED_WORDS.finditer(line)
    ]
