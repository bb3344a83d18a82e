from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from mesh.cli.main import run, spelled
from mesh.cli.terminal import Terminal, busy, look, observer, source
from mesh.cli.views.live import LiveProgress
from mesh.cli.views.progress import PlainProgress
from tests.cli.offline import EXAMPLE
from tests.cli.views.test_progress import Watch


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def seen(env: dict[str, str], *, tty: bool = True, **more: str) -> Terminal:
    kind = Tty if tty else io.StringIO
    return look(env, kind(), kind(), kind(), **more)  # type: ignore[arg-type]  # colour is one of three words


@pytest.mark.parametrize(
    ("env", "tty", "colour"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"CI": "true"}, True, True),
    ],
)
def test_colour_follows_the_stream_and_the_environment(env: dict[str, str], tty: bool, colour: bool) -> None:
    decided = seen(env, tty=tty)
    assert (decided.out_colour, decided.err_colour) == (colour, colour)


def test_an_option_beats_the_environment() -> None:
    assert seen({"NO_COLOR": "1"}, colour="always").out_colour is True
    assert seen({"FORCE_COLOR": "1"}, colour="never").out_colour is False


def test_each_stream_is_judged_by_itself() -> None:
    decided = look({}, Tty(), io.StringIO(), Tty())
    assert (decided.out_colour, decided.err_colour, decided.live, decided.answers) == (
        False,
        True,
        True,
        True,
    )


@pytest.mark.parametrize("env", [{"CI": "1"}, {"TTY_INTERACTIVE": "0"}])
def test_nothing_moves_and_nobody_is_asked_in_ci(env: dict[str, str]) -> None:
    assert (seen(env).live, seen(env).answers) == (False, False)


def test_a_dumb_terminal_can_answer_and_shows_plain_lines() -> None:
    decided = seen({"TERM": "dumb"})
    assert (decided.live, decided.answers) == (False, True)
    assert isinstance(observer(decided, Watch(), ()), PlainProgress)


def test_lanes_are_for_terminals() -> None:
    live = observer(seen({}), Watch(), ())
    assert isinstance(live, LiveProgress)
    live.close()


@pytest.mark.parametrize(("columns", "width"), [("120", 120), ("10", 40), ("", 80), ("x", 80), ("0", 80)])
def test_the_width_is_told_by_the_environment_or_a_guess(columns: str, width: int) -> None:
    assert seen({"COLUMNS": columns}).width == width


def test_a_source_that_cannot_be_read_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a: \xff\n")
    assert source(str(tmp_path / "a")) == "a: \ufffd\n"
    assert source(str(tmp_path)) is None
    assert source("a\0b") is None


@pytest.mark.parametrize(("variable", "coloured"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colour_can_be_forced_where_a_program_reads(
    variable: str, coloured: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "1")
    example = Path(__file__).resolve().parents[2] / "examples" / "two-clusters" / "mesh.yaml"
    assert run(["rbac", "-f", str(example), "--for", "apply", "--dry-runs"]) == 64
    assert ("\x1b[31merror:" in capsys.readouterr().err) is coloured


@pytest.mark.parametrize(
    ("args", "env", "colour"),
    [
        (["--color"], {}, True),
        (["--color=always"], {"NO_COLOR": "1"}, True),
        (["--color", "always"], {}, True),
        (["--color=never"], {"FORCE_COLOR": "1"}, False),
        (["--color=auto"], {}, False),
        ([], {"MESH_COLOR": "always"}, True),
        ([], {}, False),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_the_option_of_every_command_decides_about_colour(
    args: list[str],
    env: dict[str, str],
    colour: bool,
    before: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "MESH_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    verb = ["rbac", "-f", str(EXAMPLE), "--for", "apply", "--dry-runs"]
    assert run([*args, *verb] if before else [*verb, *args]) == 64
    assert ("\x1b[" in capsys.readouterr().err) is colour
    assert os.environ.get("MESH_COLOR") == env.get("MESH_COLOR")


def test_what_follows_two_dashes_is_no_option() -> None:
    assert spelled(["why", "--color", "--", "--color"]) == ["why", "--color=always", "--", "--color"]
    assert spelled(["--color", "never", "plan"]) == ["--color", "never", "plan"]
    assert spelled(["plan", "--color"]) == ["plan", "--color=always"]


def test_a_terminal_shows_that_a_command_works_and_nothing_stays_of_it() -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    err = Tty()
    with busy(look({}, err, err, err), "reading 2 clusters"):
        assert err.getvalue() == "reading 2 clusters …\r"
    assert err.getvalue().endswith("\r\x1b[K")
    plain = io.StringIO()
    with busy(look({}, plain, plain, plain), "reading 2 clusters"):
        pass
    assert plain.getvalue() == ""
