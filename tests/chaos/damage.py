"""A lockfile and a journal, cut at every byte and with every bit flipped: all damage is found."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mesh.errors import StateError
from mesh.model import Key, Place
from mesh.sdk.contract import Last
from mesh.state.lockfile import ClusterIdentity, Entry, State, from_text, to_text
from mesh.world.disk.json_lines import append_line, open_lines, read_lines


def sample() -> bytes:
    """Return a lockfile with some resources."""
    state = State("demo", "a-lineage", 3, "a-run", {"c1": ClusterIdentity("uid", "c1", "c1", "c1.local")}, {})
    for number in range(6):
        key = Key("chart", "c1", f"part-{number}")
        fields = {f"values.a.b{number}": "0123456789ab", "version": "abcdef012345"}
        last = Last(Place("istio-system", f"part-{number}"), uid=f"uid-{number}", created=True, fields=fields)
        state = state.with_entry(key, Entry(last, frozenset({Key("namespace", "c1", "istio-system")})))
    return to_text(state).encode()


def damaged(data: bytes, *, step: int = 1) -> Iterator[bytes]:
    """Yield the data cut at every byte, and with every `step`-th bit flipped."""
    for at in range(len(data)):
        yield data[:at]
    for bit in range(0, len(data) * 8, step):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        yield bytes(broken)


def lockfile_damage(step: int = 1) -> tuple[int, int]:
    """Return how many damages were tried, and how many were read as another state."""
    data = sample()
    good = from_text(data.decode(), "mesh.lock")
    tried = missed = 0
    for each in damaged(data, step=step):
        tried += 1
        try:
            missed += from_text(each.decode(), "mesh.lock") != good
        except (StateError, UnicodeDecodeError):
            continue
    return tried, missed


def journal_damage(step: int = 1) -> tuple[int, int]:
    """Return how many damages were tried, and how many gave an entry that was never written.

    A damaged last line is dropped: so is one that was being written in a crash, and its step had not begun.
    """
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "journal.jsonl"
        handle = open_lines(path)
        for number in range(4):
            append_line(handle, {"event": "intent", "address": f"chart/c1/part-{number}"})
        os.close(handle)
        data, good = path.read_bytes(), read_lines(path)
        tried = missed = 0
        for each in damaged(data, step=step):
            path.write_bytes(each)
            tried += 1
            try:
                found = read_lines(path)
            except StateError:
                continue
            missed += found != good[: len(found)]
        return tried, missed


def damage(step: int = 1) -> str:
    """Return the figures of both files in words."""
    (tried, missed), (lines, odd) = lockfile_damage(step), journal_damage(step)
    return f"lockfile: {tried} damages, {missed} not found; journal: {lines} damages, {odd} not found"
