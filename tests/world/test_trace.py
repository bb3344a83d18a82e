"""The trace: what a line holds, what never gets into one, and where the lines go."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesh.cli.main import run
from mesh.errors import UsageError
from mesh.model import Action, Deferral, Field, Key, Left, Reason, Sensitive, Step
from mesh.planner.decisions import Decisions
from mesh.world import trace
from mesh.world.disk.file_lock import FileLock
from mesh.world.disk.files import replace_file
from mesh.world.kube.errors import Unreachable
from mesh.world.resources import POD, SECRET
from tests.support.stumbling import OBJECT, RESET, Stumbling, answer, rig

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z DEBUG mesh\.\w+ (cluster=\S+ )?event=\w+( \w+=.*)?"
)
EXAMPLE = Path(__file__).parents[2] / "examples" / "two-clusters" / "mesh.yaml"
TOKEN = "a-token-of-the-test"


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    trace.stop()


@dataclass(frozen=True)
class Lines:
    path: Path

    def all(self, *having: str) -> list[str]:
        """Every line so far that has all of these texts in it."""
        text = self.path.read_text("ascii")
        return [line for line in text.splitlines() if all(part in line for part in having)]


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    """A trace that is on for the length of the test."""
    trace.start(f"debug:{tmp_path / 'trace.log'}")
    return Lines(tmp_path / "trace.log")


def test_every_request_is_one_line_with_its_answer(server: Stumbling, tmp_path: Path, lines: Lines) -> None:
    server.answers = [answer(200, {"items": [], "metadata": {"continue": "next"}}), answer(200)]
    rig(tmp_path, server.url).kube.list(POD, labels="a=b")
    first, second = lines.all("event=request")
    assert LINE.fullmatch(first)
    assert (
        ' mesh.kube cluster=east event=request method=GET path="/api/v1/pods?labelSelector=a%3Db&limit=500"'
        in first
    )
    assert re.search(r" status=200 ms=\d+\.\d bytes=\d+ attempt=1$", first)
    assert "continue=next" in second


def test_a_retry_tells_the_attempt_the_answer_and_the_wait(
    server: Stumbling, tmp_path: Path, lines: Lines
) -> None:
    server.answers = [answer(503), RESET, answer(200, OBJECT)]
    rig(tmp_path, server.url).kube.apply(OBJECT, manager="m")
    one, two, three = lines.all("event=request")
    assert "status=503" in one
    assert one.endswith("attempt=1")
    assert 'error="cluster east (context c): ' in two
    assert two.endswith("attempt=2")
    assert "method=PATCH" in three
    assert "sent=" in three
    assert three.endswith("attempt=3")
    assert all(re.search(r" of=8 wait_ms=\d+\.\d$", line) for line in lines.all("event=retry"))
    assert len(lines.all("event=retry")) == 2


def test_a_server_that_is_taken_to_be_down_is_not_asked_and_not_traced(tmp_path: Path, lines: Lines) -> None:
    one = rig(tmp_path, "http://127.0.0.1:1", absent=1)
    for _ in range(3):
        with pytest.raises(Unreachable):
            one.kube.list(POD)
    assert len(lines.all("event=request")) == 1


def test_neither_bodies_nor_credentials_are_in_a_trace(
    server: Stumbling, tmp_path: Path, lines: Lines
) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}}
    server.answers = [answer(422, {"kind": "Status", "message": f"{TOKEN} is wrong"}), answer(200)]
    one = rig(tmp_path, server.url, {"token": TOKEN})
    with pytest.raises(Exception, match="cannot apply"):
        one.kube.apply({**secret, "stringData": {"password": "hunter22"}}, manager="m")
    one.kube.list(SECRET)
    text = "\n".join(lines.all())
    assert "/api/v1/namespaces/n/secrets/s" in text
    for never in (TOKEN, "hunter22", "uthorization", "Bearer"):
        assert never not in text


def test_an_exec_plugin_is_traced_without_its_arguments_its_answer_and_its_environment(
    server: Stumbling, tmp_path: Path, lines: Lines
) -> None:
    plugin = tmp_path / "plugin"
    plugin.write_text('#!/bin/sh\necho \'{"kind":"ExecCredential","status":{"token":"\'$GIVEN\'"}}\'\n')
    plugin.chmod(0o700)
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(plugin),
            "args": ["get", "--client-secret", "abcdefgh", "--region=eu"],
            "env": [{"name": "GIVEN", "value": TOKEN}],
            "interactiveMode": "Never",
        }
    }
    rig(tmp_path, server.url, user).kube.list(POD)  # type: ignore[arg-type]  # a user may hold anything
    (line,) = lines.all("event=process")
    assert " mesh.kube cluster=east event=process " in line
    assert f" argv={plugin} " in line
    assert re.search(r" exit=0 ms=\d+\.\d$", line)
    assert TOKEN not in "\n".join(lines.all())


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["helm", "upgrade", "--values", "-"], "helm upgrade --values -"),
        (["p", "--password=x", "PW_TOKEN=y"], "p --password=*** PW_TOKEN=***"),
        (["p", "--token", "x", "get-token", "y"], "p --token *** get-token y"),
        (["p", "--token", "--verbose", "z"], "p --token --verbose z"),
        (["p", "two words"], "p 'two words'"),
    ],
)
def test_the_value_of_an_option_that_names_a_secret_is_masked(argv: list[str], shown: str) -> None:
    assert trace.command(argv) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://ann:pw@host/x", "https://***@host/x"),
        ("Bearer abcdefghijkl.mno", '"Bearer ***"'),
        ("x eyJhbGciOiJ.eyJzdWIi.c2ln y", '"x *** y"'),
        ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", "***"),
        ("known-secret in a text", '"*** in a text"'),
    ],
)
def test_what_looks_like_a_secret_is_struck_out_wherever_it_stands(
    lines: Lines, text: str, shown: str
) -> None:
    trace.hide("known-secret")
    trace.event(trace.KUBE, "x", text=text)
    assert lines.all()[0].endswith(f"event=x text={shown}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain/path", "plain/path"),
        ("two words", '"two words"'),
        ('a"b', r'"a\"b"'),
        ("a\n2026-01-01T00:00:00.000Z DEBUG mesh.kube event=forged", None),
        ("\x1b[31m\x7f\u202e", r'"\u001b[31m\u007f\u202e"'),
        ("##vso[task.setvariable]x", r'"#\u0023vso[task.setvariable]x"'),
        (1.26, "1.3"),
        (True, "true"),
    ],
)
def test_a_server_cannot_forge_a_line(lines: Lines, text: object, shown: str | None) -> None:
    trace.event(trace.KUBE, "x", text=text)
    (line,) = lines.all()
    assert LINE.fullmatch(line)
    assert shown is None or line.endswith(f"event=x text={shown}")


def test_a_value_is_bounded(lines: Lines) -> None:
    trace.event(trace.KUBE, "x", text="y" * 10_000)
    assert len(lines.all()[0]) < trace.LONGEST + 100


def test_each_decision_is_a_line_with_the_paths_of_its_fields_and_no_value(lines: Lines) -> None:
    a, b, c, d, e = (Key("link", "one", name) for name in "abcde")
    changed = (Field(("spec", "x.y"), "before", Sensitive("after")),)
    step = Step(Action.UPDATE, a, Reason.DRIFT, changed, needs=frozenset({b}))
    made = Decisions(
        steps={a: step},
        unchanged=(b,),
        deferred={c: Deferral(c, "one did not answer")},
        refusals={d: "not yours"},
        left={e: Left(e, "ann", "ns/e")},
    )
    trace.decisions(made)
    update, none, defer, refuse, leave = lines.all("event=decision")
    assert update.endswith(
        'mesh.plan cluster=one event=decision address=link/one/a action=update reason="changed outside mesh" '
        'fields="spec.\\"x.y\\"" needs=link/one/b'
    )
    assert 'address=link/one/c action=defer why="one did not answer"' in defer
    assert 'address=link/one/d action=refuse why="not yours"' in refuse
    assert "address=link/one/b action=none" in none
    assert 'address=link/one/e action=leave why="left to ann"' in leave
    trace.decided_again(a, step)
    trace.decided_again(a, None)
    again, nothing = lines.all("event=decision_at_apply")
    assert "action=update" in again
    assert nothing.endswith("address=link/one/a action=none")


def test_a_wait_is_traced_once_per_reason_and_still_told(lines: Lines) -> None:
    told: list[str] = []
    say = trace.waits(lambda _about, why: told.append(why))
    for why in ("pods", "pods", "address"):
        say("gateway/one/g", why)
    assert told == ["pods", "pods", "address"]
    assert [line.rpartition(" why=")[2] for line in lines.all("event=waiting")] == ["pods", "address"]


def test_locks_and_writes_of_the_state_are_traced(tmp_path: Path, lines: Lines) -> None:
    with FileLock(tmp_path / "lock").acquire("apply", since=datetime.now(UTC)):
        replace_file(tmp_path / "file", b"12345")
    taken, written, freed = lines.all("mesh.state")
    assert f"event=file_lock_acquired path={tmp_path}/lock doing=apply" in taken
    assert re.search(r"event=file_written path=\S+ bytes=5 ms=\d+\.\d$", written)
    assert "event=file_lock_released" in freed


def test_nothing_is_formatted_while_the_trace_is_off() -> None:
    class Never:
        def __str__(self) -> str:
            raise AssertionError("formatted")

    trace.event(trace.KUBE, "x", value=Never())
    assert not trace.on(trace.PLAN)

    def say(_about: str, _why: str) -> None: ...

    assert trace.waits(say) is say


@pytest.mark.parametrize("wish", ["info", "debug:", "DEBUG", "1"])
def test_a_wish_that_is_not_valid_is_a_usage_error_that_names_the_valid_ones(
    wish: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MESH_LOG", wish)
    assert run(["schema"]) == 64
    err = capsys.readouterr().err
    assert "MESH_LOG=debug to trace to stderr, or MESH_LOG=debug:FILE" in err


def test_the_file_is_private_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    path.chmod(0o644)
    trace.start(f"debug:{path}")
    trace.event(trace.KUBE, "x")
    assert path.read_text().startswith("before\n2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_is_neither_a_link_nor_a_pipe_nor_in_a_folder_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "missing/log", "."):
        with pytest.raises(UsageError, match="MESH_LOG: "):
            trace.start(f"debug:{tmp_path / name}")
    assert not (tmp_path / "target").exists()
    assert not trace.on(trace.ROOT)


def test_a_trace_that_cannot_be_written_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, _text: str) -> int:
            raise OSError("no space left")

    trace.start("debug")
    monkeypatch.setattr("sys.stderr", Full())
    trace.event(trace.KUBE, "x")
    trace.event(trace.KUBE, "y")


@pytest.mark.parametrize("argv", [["-v", "state", "show"], ["state", "-v", "show"], ["state", "show", "-v"]])
def test_v_is_taken_before_and_after_a_verb(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mesh.yaml").write_text(EXAMPLE.read_text())
    monkeypatch.chdir(tmp_path)
    run(argv)
    lines = [line for line in capsys.readouterr().err.splitlines() if " mesh.state " in line]
    assert "event=state_read" in lines[0]
    assert not trace.on(trace.ROOT)


def test_other_libraries_stay_silent(server: Stumbling, tmp_path: Path, lines: Lines) -> None:
    rig(tmp_path, server.url).kube.list(POD)
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.DEBUG)
    assert {line.split()[2].partition(".")[0] for line in lines.all()} == {"mesh"}
