"""Charts come from a registry, a repository, a folder or an archive."""

from __future__ import annotations

from pathlib import Path

from mesh.config.decode import load_mesh
from tests.config.decoding import mesh


def test_a_mirror_replaces_the_registry() -> None:
    found = mesh(
        istio="{version: 1.26.2-solo, license: {env: KEY},"
        " images: {hub: 'mirror.example:5000/istio', variant: debug},"
        " charts: {source: oci://mirror.example/charts/,"
        " ztunnel: {source: 'https://charts.example', version: 1.26.1-solo}}}"
    )
    istiod, ztunnel = (found.clusters[0].charts[name] for name in ("istiod", "ztunnel"))
    assert (istiod.ref, istiod.repo, istiod.version) == (
        "oci://mirror.example/charts/istiod",
        "",
        "1.26.2-solo",
    )
    assert (ztunnel.ref, ztunnel.repo, ztunnel.version) == (
        "ztunnel",
        "https://charts.example",
        "1.26.1-solo",
    )
    assert (found.hub, found.variant) == ("mirror.example:5000/istio", "debug")


def test_charts_may_be_folders_or_archives(tmp_path: Path) -> None:
    for name in ("base", "istiod", "cni"):
        (tmp_path / "charts" / name).mkdir(parents=True)
        (tmp_path / "charts" / name / "Chart.yaml").write_text(f"name: {name}\n")
    (tmp_path / "charts" / "ztunnel-1.30.2-solo.tgz").write_bytes(b"")
    path = tmp_path / "mesh.yaml"
    path.write_text(
        "apiVersion: mesh/v1\nkind: Mesh\nmetadata: {name: prod}\nspec:\n"
        "  istio: {version: 1.30.2-solo, license: {env: KEY}, charts: {source: charts}}\n"
        "  clusters: [{name: a}]\n"
    )
    charts = load_mesh(path).clusters[0].charts
    assert charts["istiod"].ref == str(tmp_path / "charts" / "istiod")
    assert charts["ztunnel"].ref == str(tmp_path / "charts" / "ztunnel-1.30.2-solo.tgz")
    assert (charts["ztunnel"].version, charts["istiod"].version) == ("1.30.2-solo", "")
