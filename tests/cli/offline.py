"""Run a command of mesh for the example of two clusters, where no cluster can be reached."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from mesh.cli.main import cli

EXAMPLE = Path(__file__).parents[2] / "examples" / "two-clusters" / "mesh.yaml"
NOTHING: dict[str, str | None] = {
    "KUBECONFIG": "/nowhere",
    "PATH": "/nowhere",
    "GLOO_MESH_LICENSE_KEY": None,
    "MESH_CHART_SOURCE": None,
    "MESH_GATEWAY_API_SOURCE": None,
    "MESH_FILE": None,
}


def offline(*args: str) -> Result:
    """Return the result of a command; errors of mesh are raised."""
    return CliRunner().invoke(cli, list(args), env=NOTHING, catch_exceptions=False)
