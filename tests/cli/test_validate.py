"""`mesh validate` checks the mesh file without a cluster."""

from __future__ import annotations

import pytest

from mesh.cli.init import init_command
from mesh.cli.validate import validate_command
from mesh.errors import InputError, UsageError
from tests.cli.folder import run

pytestmark = pytest.mark.usefixtures("folder")


def test_validate_needs_no_cluster_and_takes_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    run(init_command)
    run(validate_command, "--context", "cluster1=other")
    with pytest.raises(UsageError, match="there is no cluster cluster9"):
        run(validate_command, "--context", "cluster9=other")
    with pytest.raises(InputError, match="no such file"):
        run(validate_command, "-f", "none.yaml")
