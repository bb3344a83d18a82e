"""The values of a release: ours over those of others; pure."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.model import Unknown
from mesh.model.diff import digest, dotted
from mesh.model.merge import merge
from mesh.sdk.contract import Last

LICENCE, CLEAR = "license", "value"
"""A licence in clear text among the values; it moves to the Secret that the chart is pointed at."""

NOTES = "podAnnotations"
OURS = "meshform.io/"
"""Annotations by which pods restart when what they read at their start has changed."""

Values = Mapping[str, object]


def below(values: Values) -> dict[str, object]:
    """The values below the path that they are recorded under."""
    return {"values": values}


def merged(ours: Values, theirs: Values, last: Last | None) -> dict[str, object]:
    """Ours over theirs; a licence in clear text goes when we point the chart at a Secret."""
    values: dict[str, object] = merge(below(ours), below(theirs), last.ours if last else ())["values"]
    licence = values.get(LICENCE)
    if isinstance(licence, Mapping) and LICENCE in ours and CLEAR in licence:
        values[LICENCE] = {key: value for key, value in licence.items() if key != CLEAR}
    return values


def theirs_only(live: Values, last: Last) -> dict[str, object]:
    """What is left of the values without those that we set."""
    values: dict[str, object] = merge({}, below(live), last.ours).get("values", {})
    return values


def undisturbed(values: Values, live: Values, last: Last | None) -> dict[str, object]:
    """Leave out annotations of ours that would restart pods for nothing but themselves.

    They come with the next change of anything, or when what they tell of differs from what is recorded.
    """
    there = live.get(NOTES) or {}
    wanted = values.get(NOTES) or {}
    assert isinstance(there, Mapping)
    assert isinstance(wanted, Mapping)
    new = {name for name in wanted if name.startswith(OURS) and name not in there}
    if any(_is_news(name, wanted[name], last) for name in new):
        return dict(values)
    kept = {name: value for name, value in wanted.items() if name not in new}
    quiet = {name: value for name, value in values.items() if name != NOTES}
    quiet |= {NOTES: kept} if kept or NOTES in live else {}
    return quiet if quiet == live else dict(values)


def _is_news(name: str, value: object, last: Last | None) -> bool:
    """Whether an annotation tells of something else than at the last apply."""
    if isinstance(value, Unknown):
        return True
    recorded = last.fields.get(dotted(("values", NOTES, name))) if last else None
    return recorded not in (None, digest(value))
