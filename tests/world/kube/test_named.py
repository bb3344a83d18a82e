"""Which kubeconfigs a run may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.errors import RefusedError
from mesh.world.kube.named import check_kubeconfigs, check_recorded


def test_a_kubeconfig_that_only_the_lockfile_names_is_refused(tmp_path: Path) -> None:
    recorded = str(tmp_path / "kube; evil")
    with pytest.raises(RefusedError, match="names its kubeconfig") as caught:
        check_recorded("old", recorded, {""}, {"KUBECONFIG": "/one:/two"})
    assert f"'{recorded}'" in caught.value.hint


def test_a_recorded_kubeconfig_is_used_where_the_mesh_file_or_the_environment_names_it(
    tmp_path: Path,
) -> None:
    recorded = tmp_path / "kube"
    (tmp_path / "link").symlink_to(recorded)
    check_recorded("old", "", set(), {})
    check_recorded("old", str(recorded), {str(tmp_path / "link")}, {})
    check_recorded("old", str(recorded), set(), {"KUBECONFIG": f"/one:{recorded}"})
    check_recorded("old", str(tmp_path / ".kube" / "config"), set(), {"HOME": str(tmp_path)})


def test_an_untrusted_file_gets_no_kubeconfig_of_its_checkout_even_from_the_environment(
    tmp_path: Path,
) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "link").symlink_to(tmp_path / "kube")
    folder = tmp_path / "repo"
    for path in ("repo/kube", "repo/link"):
        env = {"MESH_UNTRUSTED": "1", "KUBECONFIG": str(tmp_path / path)}
        with pytest.raises(RefusedError, match="inside the checkout"):
            check_kubeconfigs([("a", "a", "")], env, folder)
        check_kubeconfigs([("a", "a", "")], {**env, "MESH_UNTRUSTED": ""}, folder)
    env = {"MESH_UNTRUSTED": "1", "KUBECONFIG": str(tmp_path / "kube")}
    check_kubeconfigs([("a", "a", "")], env, folder)
