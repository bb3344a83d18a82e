"""Lines that survive a crash at any byte."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mesh.errors import StateError
from mesh.world.disk.json_lines import append_line, open_lines, read_lines


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write_lines(path: Path, *entries: dict[str, int]) -> None:
    handle = open_lines(path)
    for entry in entries:
        append_line(handle, entry)
    os.close(handle)


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert read_lines(path) == ()
    write_lines(path, {"n": 1}, {"n": 2})
    assert (read_lines(path), mode_of(path)) == (({"n": 1}, {"n": 2}), 0o600)


@pytest.mark.parametrize("cut", range(1, 50))
def test_a_line_torn_at_any_byte_is_as_if_never_written(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.jsonl"
    write_lines(path, {"n": 1})
    first = path.stat().st_size
    write_lines(path, {"n": 2})
    os.truncate(path, min(path.stat().st_size - 1, first + cut))
    assert read_lines(path) == ({"n": 1},)
    write_lines(path, {"n": 3})
    assert read_lines(path) == ({"n": 1}, {"n": 3})


def test_a_damaged_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write_lines(path, {"n": 1}, {"n": 2})
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    with pytest.raises(StateError, match=r"journal.jsonl:1"):
        read_lines(path)
