"""Render a step as lines with a symbol and a depth; text and Markdown place the symbol differently."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import chain

from mesh.cli.views.escape import terminal
from mesh.cli.views.values import adds, inline, is_text, leaves, masked, masked_fields, removes, shown_path
from mesh.model import Action, Field, Key, ManifestChange, Reason, Sensitive, Step, Touch

MAX_ADDED_LINES = 20
MAX_ADDED_OBJECTS = 12
MAX_DIFF_LINES = 2_000
MAX_ALIGNED = 40
WRAP_OBJECTS = 90


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `sign` is the action's symbol, `#` for a remark, "" for none; `depth` counts blocks."""

    sign: str
    depth: int
    text: str


def address(key: Key) -> str:
    """Return an address that is safe to print on a terminal."""
    return terminal(str(key))


def step_lines(step: Step) -> Iterator[Line]:
    """Yield the lines of a step: the action and its reason, then the fields and the rendered manifests."""
    yield Line("#", 0, headline(step))
    yield from (Line("#", 0, text) for text in remarks(step))
    yield from block_lines(step)


def block_lines(step: Step) -> Iterator[Line]:
    """Yield the block of a step: its fields, then its rendered manifests, in braces."""
    sign = step.action.value.strip()
    block = f'{terminal(step.key.kind)} "{terminal(step.key.cluster)}" "{terminal(step.key.name)}"'
    fields = list(field_lines(map(masked, step.fields), 1))
    manifests = list(manifest_lines(step.manifests))
    body = [*fields, *([Line("", 0, "")] if fields and manifests else []), *manifests]
    if not body:
        yield Line(sign, 0, block + " {}")
        return
    yield Line(sign, 0, block + " {")
    yield from body
    yield Line("", 0, "}")


def headline(step: Step) -> str:
    """Return `ADDRESS will be created` and so on, in Terraform's words."""
    return f"{address(step.key)} {_verb_phrase(step)}"


def _verb_phrase(step: Step) -> str:
    match step.action:
        case Action.CREATE:
            return "will be created"
        case Action.UPDATE:
            return "will be updated in-place"
        case Action.REPLACE:
            return "must be replaced"
        case Action.DELETE:
            return "will be destroyed"
        case Action.READ:
            return "will be waited for"
        case Action.FORGET:
            return "will no longer be managed, but not be destroyed"
        case Action.NOOP:
            return "will be imported" if step.reason is Reason.ADOPT else "is in sync"


def remarks(step: Step) -> Iterator[str]:
    """Yield the reason and the notes of a step, one line each; nothing for a creation without notes."""
    if why := reason(step):
        yield f"({why})"
    yield from noted(step)


def noted(step: Step) -> Iterator[str]:
    """Yield the notes of a step, one line each."""
    yield from (f"note: {terminal(note)}" for note in step.notes)


def unready(step: Step) -> str:
    """Return why a resource that is waited for is not ready."""
    return terminal(step.why) or step.reason.value


def reason(step: Step) -> str:
    """Return why a step is needed, and by whom; "" for a creation that needs no reason."""
    word = "" if step.reason is Reason.NEW else step.reason.value
    touch = _latest(step)
    if step.reason is Reason.DRIFT and touch:
        word += _by(touch)
    return ": ".join(each for each in (word, terminal(step.why)) if each)


def _latest(step: Step) -> Touch | None:
    touches = [field.touch for field in step.fields if field.touch]
    return max(touches, key=lambda touch: touch.time, default=None)


def _by(touch: Touch) -> str:
    time = f" at {terminal(touch.time)}" if touch.time else ""
    return f" by {terminal(touch.manager)}{time}"


def field_lines(fields: Iterable[Field], depth: int) -> Iterator[Line]:
    """Yield `path = before -> after` for every field, with the equals signs of short paths aligned."""
    parts = list(chain.from_iterable(_split(field) for field in fields))
    width = max((len(path) for path, _ in parts if len(path) <= MAX_ALIGNED), default=0)
    for path, field in parts:
        yield from _field(path.ljust(width), field, depth)


def _split(field: Field) -> Iterator[tuple[str, Field]]:
    """Yield one field per leaf for an addition or removal of nested data, other fields unchanged."""
    if adds(field) and not removes(field):
        for path, value in leaves(field.path, field.after):
            yield shown_path(path), replace(field, after=value)
    elif removes(field) and not adds(field):
        for path, value in leaves(field.path, field.before):
            yield shown_path(path), replace(field, before=value)
    else:
        yield shown_path(field.path), field


def _field(path: str, field: Field, depth: int) -> Iterator[Line]:
    sign = "+" if adds(field) else "-" if removes(field) else "~"
    by = f" # changed{_by(field.touch)}" if field.touch else ""
    before = "" if adds(field) else field.before
    after = "" if removes(field) else field.after
    if (is_text(before) or is_text(after)) and isinstance(before, str) and isinstance(after, str):
        yield Line(sign, depth, f"{path} = <<-EOT{by}")
        yield from _text_diff(before, after, depth + 1)
        yield Line("", depth, "EOT")
    else:
        yield Line(sign, depth, f"{path} = {_change(field)}{by}")


def _change(field: Field) -> str:
    if adds(field):
        return inline(field.after)
    if removes(field) or (isinstance(field.before, Sensitive) and isinstance(field.after, Sensitive)):
        return inline(field.before)
    return f"{inline(field.before)} -> {inline(field.after)}"


def _text_diff(before: str, after: str, depth: int) -> Iterator[Line]:
    if all(text.endswith("\n") for text in (before, after) if text):
        before, after = before[:-1], after[:-1]
    old = before.split("\n") if before else []
    new = after.split("\n") if after else []
    if not old or not new:
        sign = "+" if new else "-"
        lines = new or old
        yield from (Line(sign, depth, terminal(text)) for text in lines[:MAX_ADDED_LINES])
        if len(lines) > MAX_ADDED_LINES:
            yield Line("#", depth, f"({_lines(len(lines) - MAX_ADDED_LINES, 'more ')})")
    elif max(len(old), len(new)) > MAX_DIFF_LINES:
        yield Line("#", depth, f"({len(old)} lines become {len(new)} lines)")
    else:
        yield from _changed_lines(old, new, depth)


def _changed_lines(old: list[str], new: list[str], depth: int) -> Iterator[Line]:
    seen = 0
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(2):
        yield from _hidden(group[0][1] - seen, depth)
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (Line("", depth, terminal(text)) for text in old[i1:i2])
                continue
            yield from (Line("-", depth, terminal(text)) for text in old[i1:i2])
            yield from (Line("+", depth, terminal(text)) for text in new[j1:j2])
        seen = group[-1][2]
    yield from _hidden(len(old) - seen, depth)


def _hidden(count: int, depth: int) -> Iterator[Line]:
    if count:
        yield Line("#", depth, f"({_lines(count, 'unchanged ')} hidden)")


def _lines(count: int, which: str) -> str:
    return f"{count} {which}{'line' if count == 1 else 'lines'}"


def manifest_lines(changes: tuple[ManifestChange, ...]) -> Iterator[Line]:
    """Yield the changes of a rendering: objects with their fields, and many additions grouped by kind."""
    shown = [change for change in changes if change.action is not Action.NOOP]
    if not shown:
        return
    yield Line("", 1, "rendered manifests:")
    added = [change for change in shown if change.action is Action.CREATE]
    folded = len(added) > MAX_ADDED_OBJECTS
    for change in shown:
        if change.action is Action.CREATE and folded:
            continue
        yield Line(change.action.value.strip(), 1, terminal(change.object))
        if change.action is not Action.CREATE:
            yield from field_lines(masked_fields(change), 2)
    if folded:
        yield from _by_kind(added)


def _by_kind(added: list[ManifestChange]) -> Iterator[Line]:
    names: dict[str, list[str]] = defaultdict(list)
    for change in added:
        kind, _, name = change.object.partition(" ")
        names[kind].append(name)
    for kind, each in names.items():
        count = f" ({len(each)})" if len(each) > 1 else ""
        first, *rest = textwrap.wrap(
            terminal(f"{kind}{count} {', '.join(each)}"),
            WRAP_OBJECTS,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
        yield Line("+", 1, first)
        yield from (Line("", 2, text) for text in rest)
