"""Where each chart is, and what its release is called."""

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
from mesh.config.source.problems import Problems, is_there
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
"""What `helm package` calls an archive."""


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
    """Return where each chart is and what its release is called."""
    if part.repo_key and part.distribution == "solo" and _oldest(part, release) >= PUBLIC_REGISTRY:
        report.wrong((*AT, "repoKey"), "is not used from 1.29 on", "remove it")
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
    """The oldest minor version that charts are needed of."""
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
        report.wrong(trail, what, "Istio's parts may be one minor version apart")


def _distinct_releases(found: Mapping[Component, ChartSource], report: Problems) -> None:
    owner: dict[str, Component] = {}
    for component, one in found.items():
        first = owner.setdefault(one.release, component)
        if first != component:
            trail = (*AT, "charts", component, "release")
            report.wrong(trail, f"{one.release} is the release of {first} already", "give each its own")


def _locate(
    source: str, component: Component, wanted: str, trail: Trail, variable: str, report: Problems
) -> tuple[str, str, str]:
    """Return helm's chart argument, repository and version; a folder's charts have their own version."""
    if "://" not in source:
        ref = _in_folder(source, component, wanted, trail, variable, report)
        return ref, "", _own_version(Path(ref))
    check_url(source, trail, ("oci", "https", "http"), report)
    source = source.rstrip("/")
    if source.startswith("oci://"):
        return f"{source}/{component}", "", wanted
    return component, source, wanted


def _own_version(chart: Path) -> str:
    """The version in a folder's Chart.yaml, or in the name of an archive, which only helm opens; or ""."""
    if archive := ARCHIVE.fullmatch(chart.name):
        return archive["version"]
    try:
        about = load_foreign(chart / "Chart.yaml") if is_there(chart) == "folder" else {}
    except InputError:
        return ""
    return str(about.get("version", "")) if isinstance(about, dict) else ""


def _in_folder(
    source: str, component: Component, wanted: str, trail: Trail, variable: str, report: Problems
) -> str:
    """Find a chart as folder or archive; `source` holds it, or is it."""
    folder = report.path(source)
    for path in (folder / component, folder / f"{component}-{wanted}.tgz", folder):
        if is_there(path / "Chart.yaml") or (path.suffix == ".tgz" and is_there(path) == "file"):
            return str(path.absolute())
    what, hint = f"no such folder: {source}", "relative paths start from the folder of this file"
    if is_there(folder) == "folder":
        what, hint = (
            f"no chart {component} in {source}",
            f"put {component}/ or {component}-{wanted}.tgz there",
        )
    report.wrong(trail, f"{variable}: {what}" if variable else what, hint)
    return str(folder)
