"""The location of each chart and the name of its release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh.config.resolve.istio import AT, check_url, located
from mesh.config.resolve.overrides import CHARTS as CHARTS_VARIABLE
from mesh.config.resolve.overrides import Overrides
from mesh.config.schema.istio import ChartPart, IstioPart
from mesh.config.source.document import Trail
from mesh.config.source.load import load_foreign
from mesh.config.source.problems import Problems, path_type
from mesh.config.source.scalars import shown
from mesh.errors import InputError
from mesh.istio.versions import CHARTS, PUBLIC_REGISTRY, UPSTREAM_CHARTS, Minor, Version
from mesh.model import Origin
from mesh.model.spec import COMPONENTS, Component

RELEASES: Mapping[Component, str] = {
    "base": "istio-base",
    "istiod": "istiod",
    "cni": "istio-cni",
    "ztunnel": "ztunnel",
}


ARCHIVE = re.compile(r".+?-(?P<version>[0-9]+\.[0-9]+\.[0-9]+.*)\.tgz")
"""File name of an archive, as `helm package` writes it."""


@dataclass(frozen=True, slots=True)
class ChartSource:
    """One chart, the same in all clusters; see `mesh.model.spec.Chart`."""

    ref: str
    repo: str
    version: str
    release: str
    origin: Origin


def charts(
    part: IstioPart, release: Version, overrides: Overrides, report: Problems
) -> Mapping[Component, ChartSource]:
    """Return the location of each chart and the name of its release."""
    if part.repo_key and part.distribution == "solo" and _oldest(part, release) >= PUBLIC_REGISTRY:
        report.wrong((*AT, "repoKey"), "is not used by Istio 1.29 and newer", "remove it")
    found: dict[Component, ChartSource] = {}
    for component in COMPONENTS:
        one: ChartPart = getattr(part.charts, component)
        trail: Trail = (*AT, "charts", *((component,) if one.source else ()), "source")
        source = overrides.charts or one.source or part.charts.source
        source = source or located(part, release, trail, report, solo=CHARTS, upstream=UPSTREAM_CHARTS)
        where = CHARTS_VARIABLE if overrides.charts else ""
        ref, repo, wanted = _locate(source, component, one.version or part.version, trail, where, report)
        _chart_version(one, release, component, report)
        name = one.release or RELEASES[component]
        found[component] = ChartSource(ref, repo, wanted, name, report.origin((*AT, "charts", component)))
    _distinct_releases(found, report)
    return found


def _oldest(part: IstioPart, release: Version) -> Minor:
    """Return the oldest minor version of all charts."""
    return min([release.line, *(each.line for each in map(Version.parse, part.through) if each)])


def _chart_version(part: ChartPart, release: Version, component: Component, report: Problems) -> None:
    if part.version is None:
        return
    build = Version.parse(part.version)
    trail = (*AT, "charts", component, "version")
    if build is None or (release.solo and not build.solo):
        what = f"{shown(part.version)} is not a build of the Solo distribution"
        report.wrong(trail, what, "write it like 1.30.2-solo")
    elif build.solo and not release.solo:
        report.wrong(trail, f"{shown(part.version)} is a build of the Solo distribution", "use upstream's")
    elif abs(build.minor - release.minor) > 1 or build.major != release.major:
        what = f"{part.version} is more than one minor version from {release.major}.{release.minor}"
        report.wrong(trail, what, "use a version within one minor version of spec.istio.version")


def _distinct_releases(found: Mapping[Component, ChartSource], report: Problems) -> None:
    owner: dict[str, Component] = {}
    for component, one in found.items():
        first = owner.setdefault(one.release, component)
        if first != component:
            trail = (*AT, "charts", component, "release")
            report.wrong(
                trail, f"{first} already uses the release {one.release}", "give each chart its own release"
            )


def _locate(
    source: str, component: Component, wanted: str, trail: Trail, variable: str, report: Problems
) -> tuple[str, str, str]:
    """Return helm's chart argument, repository and version; the version of a local chart is its own."""
    if "://" not in source:
        if not variable and not report.reachable(trail, source):
            return source, "", ""
        ref = _in_folder(source, component, wanted, trail, variable, report)
        return ref, "", _own_version(Path(ref))
    check_url(source, trail, ("oci", "https", "http"), report)
    if not variable:
        report.allowed(trail, source.rstrip("/"))
    source = source.rstrip("/")
    if source.startswith("oci://"):
        return f"{source}/{component}", "", wanted
    return component, source, wanted


def _own_version(chart: Path) -> str:
    """Return the version in a folder's Chart.yaml or in an archive's file name; "" if unknown."""
    if archive := ARCHIVE.fullmatch(chart.name):
        return archive["version"]
    try:
        about = load_foreign(chart / "Chart.yaml") if path_type(chart) == "folder" else {}
    except InputError:
        return ""
    return str(about.get("version", "")) if isinstance(about, dict) else ""


def _in_folder(
    source: str, component: Component, wanted: str, trail: Trail, variable: str, report: Problems
) -> str:
    """Return the path of a chart folder or archive; `source` contains the chart or is the chart."""
    folder = report.path(source)
    for path in (folder / component, folder / f"{component}-{wanted}.tgz", folder):
        if path_type(path / "Chart.yaml") or (path.suffix == ".tgz" and path_type(path) == "file"):
            if not variable:
                report.without_links_out(trail, source, path)
            return str(path.absolute())
    what, hint = f"no such folder: {source}", "relative paths start from the folder of the mesh file"
    if path_type(folder) == "folder":
        what, hint = (
            f"no chart {component} in {source}",
            f"put {component}/ or {component}-{wanted}.tgz into it",
        )
    report.wrong(trail, f"{variable}: {what}" if variable else what, hint)
    return str(folder)
