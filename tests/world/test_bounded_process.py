"""Programs that print anything, for ever, or never end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mesh.model.bounded_text import Unfit
from mesh.world.bounded_process import Ended, run

ENV = {"PATH": os.environ["PATH"]}


def shell(text: str, *, seconds: float = 30.0, stdin: bytes = b"", most: int = 1000) -> Ended:
    return run(["/bin/sh", "-c", text], env=ENV, seconds=seconds, stdin=stdin, most=most)


def test_what_a_program_prints_and_how_it_ends_is_returned() -> None:
    assert shell("cat; echo bad >&2; exit 3", stdin=b"asked") == Ended(3, b"asked", b"bad\n")


def test_a_program_that_reads_nothing_blocks_nothing() -> None:
    assert shell("echo x", stdin=b"y" * 1_000_000).out == b"x\n"


def test_a_program_that_prints_for_ever_is_ended() -> None:
    with pytest.raises(Unfit, match="more than 1000 bytes"):
        shell("exec yes")


def test_what_a_program_complains_is_cut() -> None:
    assert len(shell("head -c 5000 /dev/zero >&2; echo x").err) == 1001


def test_a_program_that_never_ends_is_ended() -> None:
    with pytest.raises(TimeoutError):
        shell("exec sleep 60", seconds=0.2)


def test_a_helper_that_holds_the_pipes_does_not_hold_the_run(tmp_path: Path) -> None:
    assert shell(f"sleep 20 & echo $! >{tmp_path}/pid; echo x").out == b"x\n"
    os.kill(int((tmp_path / "pid").read_text()), 9)
