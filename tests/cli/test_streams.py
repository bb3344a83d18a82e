"""Closed, full and abandoned standard streams: a run goes on, and no command ends without a word."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mesh.cli import streams
from mesh.cli.process import Process
from mesh.cli.run import _run
from mesh.cli.streams import OutputError, SteadyStream, output_error, watched
from mesh.engine.session import Session
from tests.cli.requests import APPLY
from tests.cli.test_run import Uids
from tests.engine.toy import plan, toy, toys

REPO = Path(__file__).resolve().parents[2]


class Broken(io.StringIO):
    """A stream that takes so many writes, and then fails."""

    def __init__(self, number: int, after: int = 0) -> None:
        super().__init__()
        self.number, self.left = number, after

    def write(self, text: str, /) -> int:
        if not self.left:
            raise OSError(self.number, os.strerror(self.number))
        self.left -= 1
        return super().write(text)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("after", [0, 2])
def test_a_run_goes_on_to_its_end_without_its_output(
    here: Session, number: int, as_json: bool, after: int
) -> None:
    out = SteadyStream("stdout", Broken(number, after))
    err = SteadyStream("stderr", Broken(number, after))
    kubes = {name: Uids(name) for name in here.world.kubes}
    here = replace(here, world=replace(here.world, kubes=kubes))
    planned = plan(here, *(toy(name) for name in "abcdef"))
    with here.store.held("apply", here.world.clock.now()):
        result = _run(replace(APPLY, as_json=as_json), here, planned, Process(), out=out, err=err)
    assert result.end == "complete"
    assert sorted(toys(here.world, "cluster1").toys) == list("abcdef")
    assert (out if as_json else err).lost is not None
    assert not here.store.interrupted


def test_the_first_error_is_kept_and_nothing_is_written_after_it() -> None:
    stream = Broken(errno.ENOSPC)
    steady = SteadyStream("stdout", stream)
    assert steady.write("text") == 4
    stream.left = 5
    steady.write("more")
    steady.flush()
    assert steady.lost is not None
    assert stream.getvalue() == ""
    assert not steady.isatty()
    error = output_error("stdout", steady.lost, hint="look")
    assert (error.message, error.hint) == ("stdout could not be written: No space left on device", "look")


def test_an_error_before_the_run_names_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        failed = None

        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr(streams, "silence", lambda _stream: None)
    with (
        pytest.raises(OutputError, match="stdout could not be written: No space left") as caught,
        watched("!"),
    ):
        sys.stdout.flush()
    assert caught.value.hint == "!"


def test_an_error_of_a_file_is_not_one_of_a_stream() -> None:
    with pytest.raises(FileNotFoundError), watched("!"):
        Path("/nowhere/x").read_text()


def mesh(script: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `mesh` is this program."""
    head = f'mesh() {{ "{sys.executable}" -m mesh "$@"; }}\n'
    env = {**os.environ, "PYTHONPATH": str(REPO), "HOME": str(tmp_path)}
    env.pop("KUBECONFIG", None)
    return subprocess.run(
        ["bash", "-c", head + script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", ["schema", "init"])
def test_a_closed_stream_is_no_error(tmp_path: Path, closed: str, words: str) -> None:
    done = mesh(f"mesh {words} {closed}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_a_question_without_an_input_is_a_plain_error(tmp_path: Path) -> None:
    mesh("mesh init", tmp_path)
    (tmp_path / "mesh.lock").unlink(missing_ok=True)
    done = mesh("mesh state forget --cluster cluster1 <&-", tmp_path)
    assert done.returncode == 64
    assert "Traceback" not in done.stderr


def test_a_full_output_is_named(tmp_path: Path) -> None:
    done = mesh("mesh schema >/dev/full", tmp_path)
    assert done.returncode == 1
    assert "error: stdout could not be written: No space left on device" in done.stderr
    assert "internal error" not in done.stderr


def test_a_full_error_output_ends_without_a_traceback(tmp_path: Path) -> None:
    assert mesh("mesh validate -f nowhere.yaml 2>/dev/full", tmp_path).returncode == 1


def test_a_reader_that_has_enough_ends_a_reading_command_in_silence(tmp_path: Path) -> None:
    done = mesh("for i in 1 2 3; do mesh schema; done | head -c 1", tmp_path)
    assert done.stderr == ""


def test_a_writing_command_says_that_its_reader_has_ended(tmp_path: Path) -> None:
    done = mesh("mesh init | true", tmp_path)
    assert "Traceback" not in done.stderr
    assert (tmp_path / "mesh.yaml").exists()
