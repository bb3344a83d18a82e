"""Which differences in the objects of a release the mesh file lets others make; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

from mesh.model import Path
from mesh.model.spec import Ignore


def rule_for(rules: Iterable[Ignore], kind: str, name: str, path: Path) -> Ignore | None:
    """Return the first rule for a field of an object, None without one."""
    at = _plain(".".join(path))
    return next(
        (
            rule
            for rule in rules
            if rule.kind == kind and fnmatchcase(name, rule.name) and _pattern(rule.path).fullmatch(at)
        ),
        None,
    )


def _plain(text: str) -> str:
    """Return a path without what its forms differ in: `a.[b]` and `a[b]`, quotes around a part with dots."""
    return text.replace('"', "").replace(".[", "[")


@lru_cache(maxsize=256)
def _pattern(path: str) -> re.Pattern[str]:
    # Not fnmatch: brackets are part of a path. A field covers all that is in it, so the end must be the end
    # of a part.
    parts = (re.escape(part) for part in _plain(path).split("*"))
    return re.compile(f"{'.*'.join(parts)}(?:[.\\[].*)?", re.DOTALL)
