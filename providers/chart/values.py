"""The values of a release: those of the file over those of its owner; pure."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.model import Unknown
from mesh.model.diff import digest, dotted
from mesh.model.fingerprint import HIDDEN
from mesh.model.mask import mask
from mesh.model.merge import merge
from mesh.sdk.contract import Last

LICENCE, CLEAR = "license", "value"
"""A licence in clear text among the values; it moves to the Secret that the chart refers to."""

NOTES = "podAnnotations"
OURS = "meshform.io/"
"""Annotations that restart pods when what they read at their start has changed."""

Values = Mapping[str, object]


def below(values: Values) -> dict[str, object]:
    """Return the values below the path that the state has them under."""
    return {"values": values}


def hidden_of(last: Last | None) -> frozenset[str]:
    """Return the paths of the values that the last apply hid: they stay hidden while the state has them."""
    fields = last.fields if last else {}
    return frozenset(
        path.removeprefix("values.")
        for path, recorded in fields.items()
        if recorded == HIDDEN and path.startswith("values.")
    )


def merged(wanted: Values, live: Values, last: Last | None) -> dict[str, object]:
    """Return `wanted` over `live`; without a licence in clear text if the chart refers to a Secret."""
    values: dict[str, object] = merge(below(wanted), below(live), last.ours if last else ())["values"]
    licence = values.get(LICENCE)
    if isinstance(licence, Mapping) and LICENCE in wanted and CLEAR in licence:
        values[LICENCE] = {key: value for key, value in licence.items() if key != CLEAR}
    return values


def theirs_only(live: Values, last: Last) -> dict[str, object]:
    """Return the values without those that mesh set; a hidden value is one value, whatever is in it."""
    there = mask(live, hidden_of(last))
    values: dict[str, object] = merge({}, below(there), last.ours).get("values", {})
    return values


def undisturbed(values: Values, live: Values, last: Last | None) -> dict[str, object]:
    """Leave out annotations of mesh that would restart pods although nothing else changes.

    They are set with the next change, or when their value differs from the one in the state.
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
    """Return whether the value of an annotation differs from that of the last apply."""
    if isinstance(value, Unknown):
        return True
    recorded = last.fields.get(dotted(("values", NOTES, name))) if last else None
    return recorded not in (None, digest(value))
