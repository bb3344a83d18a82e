"""The tutorial's own commands, from the applied mesh to the repaired one."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

from .hands import NO_CHANGES, REPOSITORY, Mesh

TUTORIAL = REPOSITORY / "docs" / "tutorial" / "first-mesh.md"


def commands() -> list[str]:
    """The shell lines of the sections that need no lab of their own and ask no question."""
    text = TUTORIAL.read_text(encoding="utf-8")
    part = text.partition("\n## 4.")[2].partition("\n## 7.")[0]
    lines = "".join(re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL)).splitlines()
    return [re.sub(r"^mesh apply$", "mesh apply --yes", line) for line in lines]


def test_the_commands_of_the_tutorial_break_and_repair_a_mesh(mesh: Mesh) -> None:
    script = "\n".join([f'mesh() {{ {shlex.quote(sys.executable)} -m mesh "$@"; }}', *commands()])
    ran = subprocess.run(
        ["bash", "-euc", script], cwd=mesh.folder, env=mesh.env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    said = iter(ran.stdout.splitlines())
    for expected in (
        NO_CHANGES,
        "2 of 2 clusters ready, 2 of 2 links up.",
        "# gateway/cluster1/istio-eastwest will be created",
        '"net9" -> "cluster2" # changed by kubectl-label',
        "label/cluster2/istio-system: differs in 1 field",
        "Apply complete! Resources: 1 added, 2 changed, 0 destroyed.",
        NO_CHANGES,
        "mesh.lock written:",
    ):
        assert any(expected in line for line in said), f"{expected}\n{ran.stdout}"
    mesh.settled()
