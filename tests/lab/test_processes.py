"""Processes are found by their exact command line, and end when asked or when made to."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from mesh.lab import processes

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


def sleeper(tmp_path: Path, code: str = "import time; time.sleep(60)") -> tuple[str, ...]:
    return (sys.executable, "-c", code, str(tmp_path))


def start(argv: tuple[str, ...], tmp_path: Path) -> Path:
    log = tmp_path / "log"
    processes.spawn(argv, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, log=log)
    return log


def test_a_spawned_process_is_in_the_table_with_its_memory(tmp_path: Path) -> None:
    argv = sleeper(tmp_path)
    start(argv, tmp_path)
    try:
        (found,) = processes.matching(argv, processes.table())
        assert found.pid > 1
        assert found.rss > 0
    finally:
        processes.stop((argv,))


def test_a_stopped_process_is_gone_and_leaves_no_zombie(tmp_path: Path) -> None:
    argv = sleeper(tmp_path)
    start(argv, tmp_path)
    (pid,) = processes.running((argv,))
    processes.stop((argv,))
    assert processes.running((argv,)) == frozenset()
    assert pid not in [process.pid for process in processes.table()]


def test_a_process_with_other_arguments_is_not_ours(tmp_path: Path) -> None:
    argv = sleeper(tmp_path)
    start(argv, tmp_path)
    try:
        processes.stop((sleeper(tmp_path / "other"),))
        assert len(processes.running((argv,))) == 1
    finally:
        processes.stop((argv,))


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    argv = sleeper(tmp_path, STUBBORN)
    log = start(argv, tmp_path)
    until = time.monotonic() + 10
    while "up" not in log.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    processes.stop((argv,), grace=0.2)
    assert processes.running((argv,)) == frozenset()


def test_stopping_what_does_not_run_does_nothing(tmp_path: Path) -> None:
    processes.stop((sleeper(tmp_path),))


def test_the_words_of_a_command_are_not_read_by_a_shell(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "import sys; print(sys.argv[1:])", "$(touch pwned)", "; touch pwned", "a b")
    log = start(argv, tmp_path)
    until = time.monotonic() + 10
    while not log.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    assert log.read_text() == "['$(touch pwned)', '; touch pwned', 'a b']\n"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="needs ps, which macOS always has")
def test_ps_and_proc_tell_the_same(tmp_path: Path) -> None:
    argv = sleeper(tmp_path)
    start(argv, tmp_path)
    try:
        one = processes.matching(argv, processes._from_ps())
        other = processes.matching(argv, processes.table())
        assert [process.pid for process in one] == [process.pid for process in other]
    finally:
        processes.stop((argv,))
