"""Which Istio: its version, licence, charts, images and the Gateway API that goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mesh.distribution.versions import (
    CHARTS,
    GATEWAY_API,
    GATEWAY_API_SOURCE,
    IMAGES,
    OLDEST,
    PUBLIC_REGISTRY,
    Minor,
    Version,
    since,
)
from mesh.document.overrides import CHARTS as CHARTS_VARIABLE
from mesh.document.overrides import GATEWAY_API as GATEWAY_API_VARIABLE
from mesh.document.overrides import Overrides
from mesh.document.report import Report
from mesh.document.shape_istio import ChartPart, GatewayAPIPart, IstioPart, LicensePart
from mesh.load_document import Trail
from mesh.load_scalars import shown
from mesh.model import Origin
from mesh.spec import COMPONENTS, Component, GatewayAPI, Licence, SecretRef

AT: Trail = ("spec", "istio")
RELEASES: Mapping[Component, str] = {
    "base": "istio-base",
    "istiod": "istiod",
    "cni": "istio-cni",
    "ztunnel": "ztunnel",
}


@dataclass(frozen=True, slots=True)
class Release:
    """One chart, the same in all clusters; see `mesh.spec.Chart`."""

    ref: str
    repo: str
    version: str
    release: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Images:
    """Where the images come from; see `mesh.spec.Mesh`."""

    hub: str
    tag: str
    variant: str


def version(part: IstioPart, report: Report) -> Version:
    """Return the version; note one that cannot form a multicluster mesh."""
    if part.distribution == "upstream":
        report.wrong((*AT, "distribution"), "upstream is not supported yet", "use solo")
    trail = (*AT, "version")
    found = Version.parse(part.version)
    if found is None:
        report.wrong(trail, f"{shown(part.version)} is no version of Istio", "write it like 1.30.2-solo")
        return Version(1, 30, 2, solo=True)  # to go on with
    if found.major != 1:
        report.wrong(trail, f"Istio {found.major} is not known", "versions 1.24.3-solo and newer are")
    elif not found.solo:
        hint = f"use {part.version}-solo" if found.final else "use a build whose name ends in -solo"
        report.wrong(trail, f"{part.version} is not a build of the Solo distribution", hint)
    elif found < OLDEST:
        report.wrong(trail, f"{part.version} has no multicluster peering", "use 1.24.3-solo or newer")
    return found


def licence(part: LicensePart | None, report: Report) -> Licence:
    """Return where the licence comes from; note none, or more than one."""
    trail = (*AT, "license")
    origin = report.origin(trail)
    given = [] if part is None else [name for name in ("env", "file", "secret_ref") if getattr(part, name)]
    if part is None or len(given) != 1:
        what = (
            "is missing" if part is None else f"needs exactly one of env, file, secretRef; has {len(given)}"
        )
        report.wrong(trail, what, "write license: {env: GLOO_MESH_LICENSE_KEY}")
        return Licence(origin=origin)
    if part.secret_ref:
        return Licence(secret=SecretRef(part.secret_ref.name, part.secret_ref.namespace), origin=origin)
    if part.file:
        return Licence(file=report.file((*trail, "file"), part.file), origin=origin)
    return Licence(env=part.env or "", origin=origin)


def images(part: IstioPart, release: Version, report: Report) -> Images:
    """Return hub, tag and variant; note a tag that is another build than the charts."""
    trail = (*AT, "images")
    hub = part.images.hub or _by_version(IMAGES, part, release, (*trail, "hub"), report)
    tag = part.images.tag or part.version
    build = Version.parse(tag)
    if part.images.tag and "-solo" not in tag:
        what = f"{shown(tag)} is the tag of a community image: it looks healthy and never peers"
        report.wrong((*trail, "tag"), what, f"use {part.version}")
    elif part.images.tag and build and build.line != release.line:
        what = f"{shown(tag)} is of another minor version than {part.version}"
        report.wrong((*trail, "tag"), what, "leave it out, or upgrade both together")
    return Images(hub, tag, part.images.variant or "")


def _by_version(
    table: Sequence[tuple[Minor, str]], part: IstioPart, release: Version, trail: Trail, report: Report
) -> str:
    if release >= OLDEST and release.line < PUBLIC_REGISTRY and not part.repo_key:
        what = f"is missing: before 1.29 it depends on your repository key ({part.version} is older)"
        report.wrong(trail, what, "set it, or set spec.istio.repoKey")
    return since(table, release.line).format(repo_key=part.repo_key)


def charts(
    part: IstioPart, release: Version, overrides: Overrides, report: Report
) -> Mapping[Component, Release]:
    """Return where each chart is and what its release is called."""
    if part.repo_key and release.line >= PUBLIC_REGISTRY:
        report.wrong((*AT, "repoKey"), "is not used from 1.29 on", "remove it")
    found: dict[Component, Release] = {}
    for component in COMPONENTS:
        one: ChartPart = getattr(part.charts, component)
        trail: Trail = (*AT, "charts", *((component,) if one.source else ()), "source")
        source = overrides.charts or one.source or part.charts.source
        source = source or _by_version(CHARTS, part, release, trail, report)
        where = CHARTS_VARIABLE if overrides.charts else ""
        ref, repo, wanted = _locate(source, component, one.version or part.version, trail, where, report)
        _chart_version(one, release, component, report)
        name = one.release or RELEASES[component]
        found[component] = Release(ref, repo, wanted, name, report.origin((*AT, "charts", component)))
    _distinct_releases(found, report)
    return found


def _chart_version(part: ChartPart, release: Version, component: Component, report: Report) -> None:
    if part.version is None:
        return
    build = Version.parse(part.version)
    trail = (*AT, "charts", component, "version")
    if build is None or (release.solo and not build.solo):
        what = f"{shown(part.version)} is not a build of the Solo distribution"
        report.wrong(trail, what, "write it like 1.30.2-solo")
    elif abs(build.minor - release.minor) > 1 or build.major != release.major:
        what = f"{part.version} is more than one minor version from {release.major}.{release.minor}"
        report.wrong(trail, what, "Istio's parts may be one minor version apart")


def _distinct_releases(found: Mapping[Component, Release], report: Report) -> None:
    owner: dict[str, Component] = {}
    for component, one in found.items():
        first = owner.setdefault(one.release, component)
        if first != component:
            trail = (*AT, "charts", component, "release")
            report.wrong(trail, f"{one.release} is the release of {first} already", "give each its own")


def _locate(
    source: str, component: Component, wanted: str, trail: Trail, variable: str, report: Report
) -> tuple[str, str, str]:
    """Return helm's chart argument, repository and version; a folder's charts have their own version."""
    if "://" not in source:
        return _in_folder(source, component, wanted, trail, variable, report), "", ""
    _check_url(source, trail, ("oci", "https", "http"), report)
    source = source.rstrip("/")
    if source.startswith("oci://"):
        return f"{source}/{component}", "", wanted
    return component, source, wanted


def _in_folder(
    source: str, component: Component, wanted: str, trail: Trail, variable: str, report: Report
) -> str:
    """Find a chart as folder or archive; `source` holds it, or is it."""
    folder = report.path(source)
    for path in (folder / component, folder / f"{component}-{wanted}.tgz", folder):
        if (path / "Chart.yaml").is_file() or (path.suffix == ".tgz" and path.is_file()):
            return str(path.absolute())
    what, hint = f"no such folder: {source}", "relative paths start from the folder of this file"
    if folder.is_dir():
        what, hint = (
            f"no chart {component} in {source}",
            f"put {component}/ or {component}-{wanted}.tgz there",
        )
    report.wrong(trail, f"{variable}: {what}" if variable else what, hint)
    return str(folder)


def _check_url(url: str, trail: Trail, schemes: tuple[str, ...], report: Report) -> None:
    try:
        parts = urlsplit(url)
        secret, scheme, host = parts.username or parts.password, parts.scheme, parts.hostname
    except ValueError:
        secret, scheme, host = None, "", ""
    if secret:
        report.wrong(trail, "holds a user name or password", "log in with helm registry login instead")
    elif scheme not in schemes or not host:
        report.wrong(
            trail, f"{shown(url)} is no address", f"begin with {' or '.join(f'{s}://' for s in schemes)}"
        )


def gateway_api(part: GatewayAPIPart, release: Version, overrides: Overrides, report: Report) -> GatewayAPI:
    """Return which CRDs, from where; the release of their version unless the file says otherwise."""
    trail: Trail = ("spec", "gatewayAPI")
    wanted = part.version or since(GATEWAY_API, release.line)
    source, sha256 = part.source or GATEWAY_API_SOURCE.format(version=wanted), part.sha256 or ""
    where = ""
    if overrides.gateway_api:  # the file's digest speaks of the file's source
        source, sha256, where = overrides.gateway_api, "", f"{GATEWAY_API_VARIABLE}: "
    if "://" in source:
        _check_url(source, (*trail, "source"), ("https",), report)
    else:
        path: Path = report.path(source)
        if not path.exists():
            what = f"{where}no such file or folder: {source}"
            report.wrong((*trail, "source"), what, "relative paths start from the folder of this file")
        source = str(path.absolute())
    return GatewayAPI(wanted, source, sha256, part.safe_upgrades, report.origin(trail))
