"""A headless Chromium from npm that looks at a page: what it loads, says and shows, and who can read it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.built_once import installed_once

SOURCE = Path(__file__).parent / "browser"
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><cachedir>{cache}</cachedir></fontconfig>
"""
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@dataclass(frozen=True)
class Seen:
    """What a browser saw: URLs asked for, console messages, broken rules, the visible text.

    `wide` is whether the page scrolls sideways.
    """

    requests: tuple[str, ...]
    messages: tuple[str, ...]
    violations: tuple[str, ...]
    text: str
    wide: bool


@cache
def _folder() -> Path:
    return installed_once(SOURCE)


def look(page: Path, **asked: Any) -> Seen:
    """Open a page; `asked` is what look.mjs takes: scheme, width, open, click, picture, rules."""
    shutil.copy(SOURCE / "look.mjs", _folder())
    command = ["node", "look.mjs", json.dumps({"page": str(page), **asked})]
    room = _folder() / "tmp"
    room.mkdir(exist_ok=True)
    # The package unpacks the libraries that a browser needs, too, where it is told that the system has none.
    # Its fonts it unpacks there as well, but looks for them in /tmp: without a font a page has no text.
    fonts = room / f"fonts-{os.getpid()}.conf"
    fonts.write_text(FONTS.format(folder=room / "fonts", cache=room / "fonts-cache"))
    env = {
        **os.environ,
        "TMPDIR": str(room),
        "AWS_LAMBDA_JS_RUNTIME": "nodejs22.x",
        "FONTCONFIG_FILE": str(fonts),
    }
    done = subprocess.run(
        command, cwd=_folder(), env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    return Seen(
        requests=tuple(seen["requests"]),
        messages=tuple(seen["messages"]),
        violations=tuple(seen["violations"]),
        text=seen["text"],
        wide=seen["wide"],
    )
