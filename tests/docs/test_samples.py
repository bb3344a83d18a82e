"""Samples of output in the reference are what the program prints."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mesh.cli.views.detail import Detail
from mesh.cli.views.errors import error_text
from mesh.cli.views.plan_text import plan_text
from mesh.config.decode import load_mesh
from mesh.errors import InputError
from mesh.model import ABSENT, Action, Deferral, Field, Key, Plan, Reason, Step, Touch, Unknown

OUTPUT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "output.md"
EASTWEST = Key("gateway", "cluster2", "istio-eastwest")
NETWORK = ("labels", "topology.istio.io/network")
EDIT = Touch(NETWORK, "kubectl-edit", "2026-01-02T12:00:00Z")


def samples(section: str) -> list[str]:
    """The fenced blocks of a section."""
    text = OUTPUT.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_sample_of_a_plan_is_what_a_plan_prints() -> None:
    (sample,) = samples("Plan as text")
    plan = Plan(
        "demo",
        (
            *(
                Step(
                    Action.CREATE,
                    Key("link", one, other),
                    fields=(Field(("address",), ABSENT, Unknown(replace(EASTWEST, cluster=other))),),
                )
                for one, other in (("cluster1", "cluster2"), ("cluster2", "cluster1"))
            ),
            Step(
                Action.UPDATE,
                Key("label", "cluster2", "istio-system"),
                Reason.DRIFT,
                (Field(NETWORK, "net9", "cluster2", EDIT),),
            ),
            Step(Action.READ, EASTWEST, Reason.UNHEALTHY, why="wait for an address"),
        ),
        serial=1,
        lineage="l",
        clusters={"cluster1": "a", "cluster2": "b", "cluster3": "c"},
        deferred=(
            Deferral(Key("cert", "cluster3", "cacerts"), "cluster3 could not be read: timed out after 10 s"),
        ),
        digest=sample.rpartition("Digest: ")[2].strip(),
        fleet={f"cluster{n}": {"cluster": f"cluster{n}", "context": f"cluster{n}"} for n in (1, 2, 3)},
    )
    assert plan_text(plan, colour=False, width=80, detail=Detail.FOLDED) == sample


def test_the_samples_of_an_error_are_what_a_wrong_file_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal, elsewhere = samples("Errors")
    text = """apiVersion: mesh/v1
kind: Mesh
metadata: {name: prod}
spec:
  istio: {version: 1.30.2-solo, license: {env: KEY}}
  clusters:
    - {name: east, netwrok: n1}
    - {name: west}
"""
    (tmp_path / "mesh.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        load_mesh(Path("mesh.yaml"))
    assert error_text(caught.value, source=lambda _: text) == on_a_terminal
    assert error_text(caught.value) == elsewhere
