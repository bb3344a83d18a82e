"""Copies of charts: what was reviewed is what helm gets, whatever happens to its source meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.errors import HelmError
from mesh.world import HelmJob
from mesh.world.helm import charts
from mesh.world.helm.charts import Charts


def chart(folder: Path, template: str = "kind: ConfigMap") -> HelmJob:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("{apiVersion: v2, name: tiny, version: 0.1.0}")
    (folder / "templates" / "all.yaml").write_text(template)
    return HelmJob("tiny", "default", str(folder), "", "", {"a": 1})


def never(_folder: Path) -> None:
    raise AssertionError("a local chart is not downloaded")


def test_a_folder_is_copied_once_and_later_edits_do_not_reach_the_copy(tmp_path: Path) -> None:
    job, here = chart(tmp_path / "tiny"), Charts()
    pinned, digest = here.pinned(job, never)
    evil = tmp_path / "tiny" / "templates" / "evil.yaml"
    evil.write_text("kind: ClusterRoleBinding")
    assert here.pinned(job, never) == (pinned, digest)
    assert (pinned.release, pinned.values) == ("tiny", {"a": 1})
    assert sorted(each.name for each in Path(pinned.ref).rglob("*.yaml")) == ["Chart.yaml", "all.yaml"]
    assert Charts().pinned(job, never)[1] != digest
    evil.unlink()
    assert Charts().pinned(job, never)[1] == digest


def test_an_archive_is_known_by_its_bytes(tmp_path: Path) -> None:
    archive = tmp_path / "tiny-1.tgz"
    archive.write_bytes(b"one")
    job = HelmJob("tiny", "default", str(archive), "", "", {})
    here = Charts()
    pinned, digest = here.pinned(job, never)
    archive.write_bytes(b"two")
    assert Path(pinned.ref).read_bytes() == b"one"
    assert Charts().pinned(job, never)[1] != digest


def test_a_chart_of_a_repository_is_downloaded_once_for_all_clusters(tmp_path: Path) -> None:
    asked: list[Path] = []

    def pull(folder: Path) -> None:
        asked.append(folder)
        (folder / "tiny-1.0.0.tgz").write_bytes(b"bytes")

    job, here = HelmJob("tiny", "default", "tiny", "https://charts.example", "1.0.0", {}), Charts()
    (first, digest), second = here.pinned(job, pull), here.pinned(job, pull)
    assert (len(asked), second) == (1, (first, digest))
    assert (Path(first.ref).name, first.repo, first.version) == ("tiny-1.0.0.tgz", "", "")


@pytest.mark.parametrize("ref", ["", "-x", "/nowhere/chart"])
def test_what_is_no_chart_is_left_to_helm_to_report(ref: str, tmp_path: Path) -> None:
    job = HelmJob("tiny", "default", ref, "", "", {})
    assert Charts().pinned(job, never) == (job, "")


def test_a_folder_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "MOST_FILES", 1)
    with pytest.raises(HelmError, match="too large for a chart"):
        Charts().pinned(chart(tmp_path / "tiny"), never)


def test_a_link_that_leads_around_in_a_circle_ends(tmp_path: Path) -> None:
    job = chart(tmp_path / "tiny")
    (tmp_path / "tiny" / "again").symlink_to(tmp_path / "tiny")
    (tmp_path / "tiny" / "nowhere").symlink_to("missing")
    assert Charts().pinned(job, never)[1].startswith("sha256:")
