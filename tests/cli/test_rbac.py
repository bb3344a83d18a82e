"""`mesh rbac` prints the minimal rights per cluster, without one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mesh.errors import UsageError
from tests.cli.offline import EXAMPLE, offline


def rbac(*args: str) -> str:
    result = offline("rbac", "-f", str(EXAMPLE), *args)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_output_is_manifests_of_rbac_for_the_chosen_cluster() -> None:
    text = rbac("--for", "plan", "--cluster", "cluster1")
    kinds = {each["kind"] for each in yaml.safe_load_all(text) if each}
    assert {"ClusterRole", "ClusterRoleBinding"} <= kinds
    assert "--context cluster1 apply -f -" in text
    assert "cluster2" not in text


def test_a_plan_cannot_write_and_an_apply_can() -> None:
    def verbs(what: str) -> set[str]:
        documents = yaml.safe_load_all(rbac("--for", what, "--cluster", "cluster1"))
        return {
            verb for each in documents if each for rule in each.get("rules", ()) for verb in rule["verbs"]
        }

    assert "patch" not in verbs("plan")
    assert {"create", "patch", "delete"} <= verbs("apply")


def test_reading_secrets_is_announced_and_can_be_excluded() -> None:
    assert "can read the private key" in rbac("--for", "plan", "--cluster", "cluster1")
    assert "can read the private key" not in rbac(
        "--for", "plan", "--cluster", "cluster1", "--without-secrets"
    )


@pytest.mark.parametrize("option", ["--dry-runs", "--without-secrets"])
def test_options_of_a_plan_are_refused_for_an_apply(option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} needs --for plan"):
        rbac("--for", "apply", option)


def test_an_unknown_cluster_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="there is no cluster cluster9") as error:
        rbac("--for", "plan", "--cluster", "cluster9")
    assert error.value.hint == "the clusters are cluster1, cluster2"


def test_the_rights_of_several_clusters_are_never_one_stream() -> None:
    with pytest.raises(UsageError, match="the rights of 2 clusters are not printed as one stream") as error:
        rbac("--for", "plan")
    assert "--out DIR" in error.value.hint


def test_each_cluster_gets_a_file_of_its_own_and_the_command_that_grants_it(tmp_path: Path) -> None:
    folder = tmp_path / "rights"
    said = rbac("--for", "apply", "--out", str(folder)).splitlines()
    assert said == [
        f"kubectl --context {name} apply -f {folder}/{name}.yaml" for name in ("cluster1", "cluster2")
    ]
    for name in ("cluster1", "cluster2"):
        assert (folder / f"{name}.yaml").read_text() == rbac("--for", "apply", "--cluster", name)
    rbac("--for", "plan", "--cluster", "cluster2", "--out", str(tmp_path))
    assert (tmp_path / "cluster2.yaml").exists()
