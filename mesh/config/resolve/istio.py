"""Resolve the version of Istio, its licence, its images and the matching Gateway API."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mesh.config.resolve.overrides import GATEWAY_API as GATEWAY_API_VARIABLE
from mesh.config.resolve.overrides import Overrides
from mesh.config.schema.istio import GatewayAPIPart, IstioPart
from mesh.config.source.document import Trail
from mesh.config.source.problems import Problems, path_type
from mesh.config.source.scalars import shown
from mesh.istio.versions import (
    GATEWAY_API,
    GATEWAY_API_DIGESTS,
    GATEWAY_API_SOURCE,
    IMAGES,
    OLDEST,
    PUBLIC_REGISTRY,
    Minor,
    Version,
    since,
)
from mesh.model.printable import without_password
from mesh.model.spec import GatewayAPI, Licence, SecretRef
from mesh.world.plain_http import refusal
from mesh.world.untrusted import names_licence

AT: Trail = ("spec", "istio")
_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9+]*)://(?P<user>[^/?#]*@)?[-A-Za-z0-9.\[\]:]+(?:/\S*)?")


@dataclass(frozen=True, slots=True)
class Images:
    """Source of the images; see `mesh.model.spec.Mesh`."""

    hub: str
    tag: str
    variant: str


def version(part: IstioPart, report: Problems) -> Version:
    """Return the version; report one that cannot form a multicluster mesh."""
    trail = (*AT, "version")
    found = Version.parse(part.version)
    if found is None:
        report.wrong(
            trail, f"{shown(part.version)} is not a valid version of Istio", "write it like 1.30.2-solo"
        )
        return Version(1, 30, 2, solo=part.distribution == "solo")  # lets the remaining checks run
    if part.distribution == "upstream":
        return found
    if found.major != 1:
        report.wrong(trail, f"Istio {found.major} is not supported", "use 1.24.3-solo or a newer 1.x version")
    elif not found.solo:
        supported = found.final and found.line >= OLDEST.line
        hint = f"use {part.version}-solo" if supported else "use a Solo build, such as 1.30.2-solo"
        report.wrong(trail, f"{part.version} is not a build of the Solo distribution", hint)
    elif found < OLDEST:
        report.wrong(trail, f"{part.version} has no multicluster peering", "use 1.24.3-solo or newer")
    return found


def through(part: IstioPart, report: Problems) -> tuple[str, ...]:
    """Return the intermediate versions; report invalid ones and any not between two others in order."""
    before: Version | None = None
    wanted = Version.parse(part.version)
    for index, text in enumerate(part.through):
        trail, found = (*AT, "through", index), Version.parse(text)
        if found is None:
            report.wrong(trail, f"{shown(text)} is not a valid version of Istio", "write it like 1.29.3-solo")
        elif wanted and found.solo != wanted.solo:
            report.wrong(trail, f"{text} belongs to another distribution", f"write it like {part.version}")
        elif wanted and found.line >= wanted.line:
            report.wrong(trail, f"{text} is not older than {part.version}", "list older minor versions only")
        elif before and found.line <= before.line:
            report.wrong(
                trail,
                f"{text} is not newer than the version before it",
                "list one of each minor version, oldest first",
            )
        before = found or before
    return tuple(part.through)


def on_the_way(part: IstioPart, overrides: Overrides) -> IstioPart:
    """Return the Istio of an intermediate stop: its version, and the image tag that follows from it."""
    if not overrides.stop:
        return part
    images = part.images.model_copy(update={"tag": None})
    return part.model_copy(update={"version": overrides.stop[0], "images": images})


def licence(istio: IstioPart, report: Problems) -> Licence:
    """Return the source of the licence key; report zero or several sources. Upstream has none."""
    trail = (*AT, "license")
    origin, part = report.origin(trail), istio.license
    if istio.distribution == "upstream":
        return Licence(origin=origin)
    given = [] if part is None else [name for name in ("env", "file", "secret_ref") if getattr(part, name)]
    if part is None or len(given) != 1:
        what = (
            "is missing"
            if part is None
            else f"must set exactly one of env, file, secretRef; sets {len(given)}"
        )
        report.wrong(trail, what, "write license: {env: GLOO_MESH_LICENSE_KEY}")
        return Licence(origin=origin)
    if part.env and report.bound and not names_licence(part.env):
        hint = "name it like GLOO_MESH_LICENSE_KEY: an untrusted file may read no other secret"
        report.wrong((*trail, "env"), f"{part.env} is not the name of a licence variable", hint)
    if part.secret_ref:
        return Licence(secret=SecretRef(part.secret_ref.name, part.secret_ref.namespace), origin=origin)
    if part.file:
        return Licence(file=report.file((*trail, "file"), part.file), origin=origin)
    return Licence(env=part.env or "", origin=origin)


def images(part: IstioPart, release: Version, report: Problems) -> Images:
    """Return hub, tag and variant; report a tag of another build than the charts."""
    trail = (*AT, "images")
    hub = part.images.hub or located(part, release, (*trail, "hub"), report, solo=IMAGES, upstream="")
    tag = part.images.tag or part.version
    build = Version.parse(tag)
    if part.distribution == "upstream" and "-solo" in tag:
        report.wrong((*trail, "tag"), f"{shown(tag)} is the tag of a Solo image", "remove it")
    elif part.images.tag and "-solo" not in tag and part.distribution == "solo":
        what = f"{shown(tag)} is the tag of a community image, which looks healthy and never peers"
        report.wrong((*trail, "tag"), what, f"use {part.version}")
    elif part.images.tag and build and build.line != release.line:
        what = f"{shown(tag)} is not of the same minor version as {part.version}"
        report.wrong((*trail, "tag"), what, "remove it, or upgrade both together")
    return Images(hub, tag, part.images.variant or "")


def located(
    part: IstioPart,
    release: Version,
    trail: Trail,
    report: Problems,
    *,
    solo: Sequence[tuple[Minor, str]],
    upstream: str,
) -> str:
    """Return the default location of a distribution's charts or images.

    Solo versions before 1.29 need a repository key that the vendor gives to its customers.
    """
    if part.distribution == "upstream":
        return upstream
    if release >= OLDEST and release.line < PUBLIC_REGISTRY and not part.repo_key:
        what = f"is missing: Istio {part.version} has no default without your repository key (before 1.29)"
        report.wrong(trail, what, "set it, or set spec.istio.repoKey")
    return since(solo, release.line).format(repo_key=part.repo_key)


def check_url(url: str, trail: Trail, schemes: tuple[str, ...], report: Problems) -> None:
    """Report a URL that is not valid, has another scheme, or contains a password."""
    parts = _ADDRESS.fullmatch(url)
    if parts and parts["user"]:
        report.wrong(trail, "contains a user name or password", "remove it and use helm registry login")
    elif not parts or parts["scheme"] not in schemes:
        hint = f"start it with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        report.wrong(trail, f"{shown(without_password(url))} is not a valid URL", hint)
    elif parts["scheme"] == "http" and (why := refusal(url, report.http)):
        report.wrong(trail, why)


def gateway_api(part: GatewayAPIPart, release: Version, overrides: Overrides, report: Problems) -> GatewayAPI:
    """Return the version and source of the CRDs; the default source is the release of the version."""
    trail: Trail = ("spec", "gatewayAPI")
    wanted = part.version or since(GATEWAY_API, release.line)
    source = overrides.gateway_api or part.source or GATEWAY_API_SOURCE.format(version=wanted)
    # The digest in the file is that of the source in the file, not of an override.
    sha256 = "" if overrides.gateway_api else part.sha256 or ""
    if "://" in source:
        check_url(source, (*trail, "source"), ("https",), report)
        sha256 = sha256 or GATEWAY_API_DIGESTS.get(wanted, "")
        if part.source and not overrides.gateway_api:
            report.allowed((*trail, "source"), part.source)
        if not sha256:
            hint = f"set it, or use a version with a built-in digest: {', '.join(GATEWAY_API_DIGESTS)}"
            report.wrong((*trail, "sha256"), f"is missing for {wanted}", hint)
        return GatewayAPI(wanted, source, sha256, part.safe_upgrades, report.origin(trail))
    path, at = report.path(source), (*trail, "source")
    if not overrides.gateway_api and not (
        report.reachable(at, source) and report.without_links_out(at, source, path)
    ):
        return GatewayAPI(wanted, "", sha256, part.safe_upgrades, report.origin(trail))
    if path_type(path) not in ("file", "folder"):
        where = f"{GATEWAY_API_VARIABLE}: " if overrides.gateway_api else ""
        what = f"{where}no such file or folder: {source}"
        report.wrong((*trail, "source"), what, "relative paths start from the folder of the mesh file")
    return GatewayAPI(wanted, str(path.absolute()), sha256, part.safe_upgrades, report.origin(trail))
