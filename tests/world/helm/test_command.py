"""How helm is run: its arguments, its values, its deadline; a script stands in for the program."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from mesh.world import HelmJob, trace
from mesh.world.helm import command
from mesh.world.helm.children import Children
from mesh.world.helm.command import HelmCommand, HelmExit, Setting

PRINTS = """#!/bin/sh
values=
for word in "$@"; do
  echo "$word" >> "$OUT"
  [ "$values" = next ] && cat "$word" > "$OUT.values" && stat -c %a "$word" > "$OUT.mode"
  values=
  [ "$word" = --values ] && values=next
done
echo "{}"
"""
JOB = HelmJob(
    "r", "ns", "chart", "", "1.2.3", {"license": "a-licence", "smile": "\N{GRINNING FACE}"}, {"a": "b"}
)


def setting(tmp_path: Path, body: str = PRINTS, **more: Any) -> Setting:
    helm = tmp_path / "helm"
    helm.write_text(body)
    helm.chmod(0o700)
    env = {"PATH": "/usr/bin:/bin", "OUT": str(tmp_path / "out")}
    options: dict[str, Any] = {"timeout": 30.0, "lock": tmp_path / "r.lock", "labels": {"a": "b"}, **more}
    return Setting(str(helm), (4, 2, 4), env, "ctx", options.pop("timeout"), Children(), "c", **options)


def test_an_upgrade_has_its_values_in_a_private_file_that_does_not_stay(tmp_path: Path) -> None:
    asyncio.run(HelmCommand(setting(tmp_path)).install(JOB, force_conflicts=True))
    argv = (tmp_path / "out").read_text().splitlines()
    values = argv[argv.index("--values") + 1]
    assert argv[:2] == ["upgrade", "r"]
    assert {"--install", "--reset-values", "--force-conflicts", "--wait=hookOnly", "--hide-notes"} <= set(
        argv
    )
    assert "--disable-openapi-validation" in argv
    assert argv[argv.index("--labels") + 1] == "a=b"
    assert argv[-2:] == ["--kube-context", "ctx"]
    assert "a-licence" not in " ".join(argv)
    assert json.loads((tmp_path / "out.values").read_text()) == dict(JOB.values)
    assert (tmp_path / "out.mode").read_text() == "600\n"
    assert not Path(values).exists()


def test_a_traced_upgrade_shows_the_arguments_and_no_value(tmp_path: Path) -> None:
    log = tmp_path / "log"
    trace.start(f"debug:{log}")
    try:
        asyncio.run(HelmCommand(setting(tmp_path)).install(JOB, force_conflicts=False))
    finally:
        trace.stop()
    (line,) = log.read_text().splitlines()
    assert " mesh.helm cluster=c event=process " in line
    assert " upgrade r chart " in line
    assert "--values " in line
    assert " exit=0 ms=" in line
    assert "a-licence" not in line


def test_a_helm_that_fails_hands_on_its_code_and_words(tmp_path: Path) -> None:
    body = "#!/bin/sh\necho 'Error: no' >&2\nexit 3\n"
    with pytest.raises(HelmExit) as raised:
        asyncio.run(HelmCommand(setting(tmp_path, body)).install(JOB, force_conflicts=False))
    assert (raised.value.code, raised.value.stderr, raised.value.late) == (3, b"Error: no\n", False)


def test_a_helm_that_does_not_end_is_stopped_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "GRACE", 0.1)
    body = "#!/bin/sh\nsleep 300 & wait\n"
    with pytest.raises(HelmExit) as raised:
        asyncio.run(HelmCommand(setting(tmp_path, body, timeout=0.1)).install(JOB, force_conflicts=False))
    assert raised.value.late
    assert raised.value.code < 0


def test_a_private_file_replaces_what_a_killed_run_left(tmp_path: Path) -> None:
    path = tmp_path / "values"
    path.write_text("old")
    path.chmod(0o644)
    command._private_file(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600)
