"""The explanation of one resource, as tables and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from mesh.cli.views.colour import Paint, painter
from mesh.cli.views.escape import terminal
from mesh.cli.views.manifests import plain
from mesh.cli.views.tables import table
from mesh.cli.views.values import inline, masked, shown_path
from mesh.model import ABSENT, Field, Key, Origin, Place, Touch
from mesh.queries.explain import Fact, Why
from mesh.queries.states import ResourceState
from mesh.sdk.contract import OPEN

FORMAT_VERSION = "2.0"
MAX_WIDTH = 60
"""Maximum width of a value in a table, in columns; `--json` prints it in full."""

Json = dict[str, Any]


def why_text(found: Why, *, colour: bool) -> str:
    """Return the explanation of a resource as text; it ends with a newline."""
    paint = painter(colour=colour)
    if found.state.unread:
        return _not_read(found, paint)
    parts = [_head(found, paint), "".join(f"{name:<9} {terminal(text)}\n" for name, text in _about(found))]
    if found.facts:
        parts.append(_section("Fields", _fields(found.facts), paint))
    if found.written:
        parts.append(_section("Written by", _written(found.written), paint))
    parts.append(_section("Waits for", _states(found.waits), paint))
    if found.behind:
        parts.append(_section("Which in turn wait for", _states(found.behind), paint))
    parts.append(_section("Needed by", _states(found.users), paint))
    return "\n".join(parts)


def _not_read(found: Why, paint: Paint) -> str:
    """Return what is known of a resource that could not be read: the reason once, and no fields."""
    about = (row for row in _about(found) if row[0] != "live")
    return "\n".join([_head(found, paint), "".join(f"{name:<9} {terminal(text)}\n" for name, text in about)])


def _head(found: Why, paint: Paint) -> str:
    text = f"{terminal(str(found.state.key))}: {terminal(found.state.text)}"
    return paint(text, "bold" if found.state.good else "yellow") + "\n"


def _about(found: Why) -> Iterator[tuple[str, str]]:
    yield "wanted", _from(found.origin)
    yield "place", _place(found.place)
    yield "live", _live(found)
    if found.record:
        made = "created by mesh" if found.record.last.created else "older than mesh"
        cut = "; its last step was interrupted" if found.record.last.status == OPEN else ""
        yield "recorded", f"{made}{cut}"
    else:
        yield "recorded", "no"


def _from(origin: Origin | None) -> str:
    return "no longer in the configuration" if origin is None else f"in {origin}" if origin.file else "yes"


def _place(place: Place) -> str:
    return "/".join(part for part in (place.namespace, place.name) if part)


def _live(found: Why) -> str:
    if found.unread:
        return f"not read: {found.unread}"
    if found.live is None:
        return "missing" if found.state.word != "not known" else "not known"
    owner = f"belongs to {found.live.owner}" if found.live.owner else "exists"
    return f"{owner}, uid {found.live.uid}" if found.live.uid else owner


def _fields(facts: Iterable[Fact]) -> str:
    rows = (
        (shown_path(fact.path), fact.word, _value(fact, fact.live), _desired(fact), _by(fact.by))
        for fact in facts
    )
    return table(("field", "state", "live", "wanted", "written by"), rows)


def _desired(fact: Fact) -> str:
    return "=" if fact.wanted is not ABSENT and fact.live == fact.wanted else _value(fact, fact.wanted)


def _value(fact: Fact, value: Any) -> str:
    text = "" if value is ABSENT else inline(masked(Field(fact.path, value, value)).after)
    return text if len(text) <= MAX_WIDTH else text[: MAX_WIDTH - 1] + "…"


def _by(touches: Iterable[Touch]) -> str:
    return ", ".join(f"{each.manager} at {each.time}" if each.time else each.manager for each in touches)


def _written(touches: Iterable[Touch]) -> str:
    counts = Counter((each.manager, each.time) for each in touches if each.path)
    whole = sorted({(each.manager, each.time) for each in touches if not each.path} - counts.keys())
    rows = [(manager, time, "all") for manager, time in whole]
    rows += [(manager, time, str(count)) for (manager, time), count in sorted(counts.items())]
    return table(("manager", "when", "fields"), rows)


def _states(states: Iterable[ResourceState]) -> str:
    rows = [(each.key, each.text) for each in states]
    return table(("address", "state"), rows) if rows else "nothing\n"


def _section(title: str, text: str, paint: Paint) -> str:
    return f"{paint(title, 'bold')}\n{text}"


def why_json(found: Why) -> Json:
    """Return the explanation as JSON data; the minor format version grows when a field is added."""
    return {
        "format_version": FORMAT_VERSION,
        **_state(found.state),
        "wanted": _origin(found.origin),
        "place": {"namespace": found.place.namespace, "name": found.place.name},
        "live": {"uid": found.live.uid, "owner": found.live.owner} if found.live else None,
        "recorded": {"created": found.record.last.created, "status": found.record.last.status}
        if found.record
        else None,
        "fields": [_fact(fact) for fact in found.facts],
        "written": [{"path": list(each.path), **_touch(each)} for each in found.written],
        "waits_for": [_state(each) for each in found.waits],
        "behind": [_state(each) for each in found.behind],
        "needed_by": [_state(each) for each in found.users],
    }


def _state(state: ResourceState) -> Json:
    key: Key = state.key
    parts = {"address": str(key), "kind": key.kind, "cluster": key.cluster, "name": key.name}
    return {**parts, "state": state.word, "text": state.text}


def _origin(origin: Origin | None) -> Json | None:
    return None if origin is None else {"file": origin.file, "line": origin.line, "column": origin.col}


def _fact(fact: Fact) -> Json:
    safe = masked(Field(fact.path, fact.live, fact.wanted))
    return {
        "path": list(fact.path),
        "state": fact.word,
        "live": None if fact.live is ABSENT else plain(safe.before),
        "wanted": None if fact.wanted is ABSENT else plain(safe.after),
        "written_by": [_touch(each) for each in fact.by],
    }


def _touch(touch: Touch) -> Json:
    return {"manager": touch.manager, "time": touch.time}
