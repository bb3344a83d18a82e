"""`mesh render` of the example."""

from __future__ import annotations

import pytest

from mesh.errors import UsageError
from tests.cli.offline import EXAMPLE, offline


def test_the_script_is_the_default() -> None:
    plain = offline("render", "-f", str(EXAMPLE)).output
    assert plain.startswith("#!")
    assert plain == offline("render", "--commands", "-f", str(EXAMPLE)).output


def test_the_script_of_one_cluster_writes_to_no_other() -> None:
    whole = offline("render", "--commands", "-f", str(EXAMPLE)).output
    one = offline("render", "--commands", "--cluster", "cluster1", "-f", str(EXAMPLE)).output
    helm = [line for line in one.splitlines() if line.startswith("helm ")]
    assert helm
    assert not [line for line in helm if "cluster2" in line]
    assert [line for line in whole.splitlines() if line.startswith("helm ") and "cluster2" in line]


def test_a_cluster_that_does_not_exist_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="there is no cluster 'cluster3' in the configuration") as error:
        offline("render", "--commands", "--cluster", "cluster3", "-f", str(EXAMPLE))
    assert error.value.hint == "did you mean cluster2?"
