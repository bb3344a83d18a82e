"""The errors of helm, read from its stderr, which is never shown unfiltered.

::

    HelmError
    ├── HelmMissing      no helm, or one that is too old
    ├── HelmBusy         another helm process of mesh is still at work on the release
    ├── PendingRelease   helm considers the release in use: it is, or a helm was killed
    ├── FieldConflict    other field managers hold fields of the chart's objects
    ├── ChartNotFound    the chart, its version or its repository does not exist
    ├── RenderFailed     the chart does not render with these values
    ├── HelmUnheard      ended well, and its output cannot be read
    ├── HelmStopped      ended by a signal, or at its deadline
    └── HelmFailed       any other failure
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.errors import HelmError
from mesh.model.mask import MASK, mask, secrets_in
from mesh.model.secret_shapes import strike_assigned
from mesh.model.strike import strike
from mesh.world import hidden
from mesh.world.kube.error_bodies import shown
from mesh.world.kube.errors import Cause


class HelmMissing(HelmError):  # noqa: N818  # reads as what happened, like its siblings
    """There is no helm, or one that is too old."""


class HelmBusy(HelmError):  # noqa: N818  # likewise
    """Another helm process of mesh is still at work on the release."""


class HelmFailed(HelmError):  # noqa: N818  # likewise
    """Helm ended with an error; `stderr` is what it printed, cleaned."""

    hint_text = ""

    def __init__(self, what: str, stderr: str = "") -> None:
        super().__init__(f"{what}: {stderr}" if stderr else what, hint=self.hint_text)
        self.stderr = stderr


class PendingRelease(HelmFailed):
    """Helm considers the release in use."""

    hint_text = "wait if another process is upgrading it; otherwise `mesh recover ADDRESS` unlocks it"


class FieldConflict(HelmFailed):
    """Other field managers hold fields of the chart's objects: `fields`, as far as helm names them."""

    hint_text = "plan again: the plan lists the holders of the fields, and how to take them"

    def __init__(self, what: str, stderr: str = "", fields: tuple[Cause, ...] = ()) -> None:
        super().__init__(what, stderr)
        self.fields = fields


class ChartNotFound(HelmFailed):
    """The chart, its version or its repository does not exist."""

    hint_text = "check the chart's source and version, and `helm registry login` if it is private"


class RenderFailed(HelmFailed):
    """The chart does not render with these values."""

    hint_text = "check the values of that chart"


class HelmUnheard(HelmFailed):
    """Helm ended well, and its output cannot be read."""

    hint_text = "run the command again: it looks at what helm did; check a wrapper that MESH_HELM names"


class HelmStopped(HelmFailed):
    """Ended by a signal, or at its deadline."""

    hint_text = "run the command again: it continues where this one stopped"


_LOG_LINE = re.compile(r"^(?:level=\S+|time=\S+|WARNING:|I\d{4} |W\d{4} )")
_HELD = re.compile(r"conflicts? with \"(?P<who>[^\"]+)\"(?P<rest>.*?)(?=conflicts? with \"|$)", re.S)
_FIELD = re.compile(r"(?<![\w/])(\.[A-Za-z_][^\s,]*)")


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE | re.MULTILINE)


_CLASSES: tuple[tuple[type[HelmFailed], re.Pattern[str]], ...] = (
    (HelmStopped, _any("context canceled", "context deadline exceeded", "has been cancelled")),
    (PendingRelease, _any(r"another operation \(install/upgrade/rollback\) is in progress")),
    (
        RenderFailed,
        _any(
            "execution error at",
            "failed to render",
            "parse error",
            "error calling",
            "values don't meet the specifications",
        ),
    ),
    (
        ChartNotFound,
        _any(
            r'path "[^"]*" not found',
            r'chart "[^"]*".*not found',
            "not a valid chart repository",
            "repo.* not found",
            "failed to (?:download|fetch|perform)",
            "unable to locate any tags",
            "could not find protocol handler",
            r"chart\.yaml file is missing",
            r"/v2/\S*(?:tags/list|manifests/)",
            r'Get "\S+\.tgz"',
        ),
    ),
)


def failure(what: str, stderr: bytes, values: Mapping[str, Any]) -> HelmFailed:
    """Return the error for helm's stderr; `what` names the release and cluster."""
    text = stderr.decode("utf-8", "replace")
    words = cleaned(text, values)
    causes = tuple(_held(text)) if "conflict" in text else ()
    if causes:
        return FieldConflict(what, words, causes)
    for kind, pattern in _CLASSES:
        if pattern.search(text):
            return kind(what, words)
    return HelmFailed(what, words)


def cleaned(text: str, values: Mapping[str, Any]) -> str:
    """Return helm's message without secrets and control characters, in one line."""
    # Known secrets first: a template may print one under any name, in any encoding. Then `key: value` pairs,
    # for secrets that are not in the values, such as those that a chart generates.
    text = strike(text, {*secrets_in(mask(values)), *hidden.known()})
    lines = [line for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not _LOG_LINE.match(line)] or lines
    masked = (strike_assigned(line, MASK) for line in said)
    return shown(" ".join(line.strip() for line in masked).removeprefix("Error: "))


def _held(text: str) -> Iterator[Cause]:
    """Each field of `conflict with "who" using v1: .a.b` and of the longer form with one field a line."""
    seen: set[tuple[str, str]] = set()
    for held in _HELD.finditer(text):
        for path in _FIELD.findall(held["rest"].partition('" using')[2] or held["rest"]):
            if (held["who"], path) not in seen:
                seen.add((held["who"], path))
                yield Cause(held["who"], path[1:].rstrip('."'), f'conflict with "{held["who"]}"')
