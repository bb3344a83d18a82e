"""Checks of versions: the way of an upgrade, what runs beside what, images that are not the guide's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mesh.istio.versions import OLDEST, Version
from mesh.model.spec import COMPONENTS, Component
from mesh.queries.checks.facts import (
    ClusterFacts,
    MeshFacts,
    daemon,
    deployed,
    images,
    istiod,
    labels,
    read,
    shown,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable, NotFound, Severity, Skip
from mesh.queries.status.judge import image_tag
from mesh.world import Object

SCOPE = "solo.io/service-scope"
OLD_SCOPES = {"local": "cluster", "global-only": "global, with solo.io/service-takeover"}
"""Values that newer versions know under other names."""


def stepwise(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P15."""
    wanted = Version.parse(scene.mesh.version)
    if wanted is None:
        raise Skip(f"{scene.mesh.version} is no version of Istio that can be compared")
    found = {name: release for name in COMPONENTS if (release := deployed(facts, name))}
    if not found:
        raise NotApplicable("nothing is installed by Helm yet")
    yield from _beside(facts)
    for component, release in found.items():
        there = Version.parse(release.chart_version)
        if there is None:
            raise Skip(f"{component} is of chart version {release.chart_version}, which cannot be compared")
        yield from _step(component, there, wanted)


def _step(component: str, there: Version, wanted: Version) -> Iterator[Finding]:
    jump = (wanted.major - there.major, wanted.minor - there.minor)
    evidence = {"component": component, "deployed": _text(there), "wanted": _text(wanted)}
    if jump[0] == 0 and jump[1] > 1:
        yield Finding(
            f"{component} is at {_text(there)}, {_text(wanted)} is {jump[1]} minors on: one at a time",
            evidence,
            fix=f"set spec.istio.version to a {there.major}.{there.minor + 1} version first",
        )
    elif jump < (0, 0):
        yield Finding(
            f"{component} is at {_text(there)}, {_text(wanted)} is older: a downgrade, which Istio does not"
            " support",
            evidence,
            fix=f"set spec.istio.version to {_text(there)}, or allow it with --allow-downgrade",
        )


def _text(version: Version) -> str:
    return f"{version.major}.{version.minor}.{version.patch}"


def _beside(facts: ClusterFacts) -> Iterator[Finding]:
    """No cni or ztunnel newer than istiod, and those two of one line: judged by what runs."""
    running: dict[str, Version] = {}
    for component, find in RUNNING.items():
        try:
            version = Version.parse(_tag(find(facts)))
        except NotFound:
            continue
        if version:
            running[component] = version
    control = running.get("istiod")
    for component in ("cni", "ztunnel"):
        own = running.get(component)
        if control and own and own.line > control.line:
            yield Finding(
                f"{component} is newer ({_text(own)}) than istiod ({_text(control)})",
                {"component": component, "runs": _text(own), "istiod": _text(control)},
                facts.key("chart", component),
            )
    pair = {running[each].line for each in ("cni", "ztunnel") if each in running}
    if len(pair) > 1:
        yield Finding(
            f"cni ({_text(running['cni'])}) and ztunnel ({_text(running['ztunnel'])}) are of different lines",
            {"cni": _text(running["cni"]), "ztunnel": _text(running["ztunnel"])},
            facts.key("chart", "ztunnel"),
            Severity.WARNING,
        )


RUNNING: Mapping[Component, Callable[[ClusterFacts], Object]] = {
    "istiod": istiod,
    "cni": lambda facts: daemon(facts, "cni"),
    "ztunnel": lambda facts: daemon(facts, "ztunnel"),
}


def _tag(workload: Object) -> str:
    """The version in an image's tag, without what says how it was built."""
    tag = image_tag(next(iter(images(workload)), ""))
    return tag.removesuffix("-distroless").removesuffix("-debug")


def tagged(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S07."""
    wanted = Version.parse(scene.mesh.version)
    if wanted and wanted < OLDEST:
        yield Finding(
            f"{scene.mesh.version} has no multicluster peering yet",
            {"version": scene.mesh.version},
            fix="set spec.istio.version to 1.24.3-solo or newer",
        )
    looked = 0
    for component, find in RUNNING.items():
        try:
            workload = find(facts)
        except NotFound:
            continue
        looked += 1
        tag, release = _tag(workload), deployed(facts, component)
        if scene.mesh.distribution == "solo" and tag and "solo" not in tag:
            yield Finding(
                f"{component} runs image tag {tag}: a community image knows nothing of peering",
                {"component": component, "tag": tag},
                facts.key("chart", component),
            )
        elif release and tag and tag != release.chart_version and scene.mesh.tag == scene.mesh.version:
            yield Finding(
                f"{component} runs image tag {tag}, its chart is {release.chart_version}",
                {"component": component, "tag": tag, "chart": release.chart_version},
                facts.key("chart", component),
                Severity.WARNING,
            )
    if not looked:
        raise NotApplicable("nothing runs yet")


def current(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P33."""
    del scene
    for what in ("services", "namespaces"):
        for obj in facts.rows(what):
            scope = labels(obj).get(SCOPE, "")
            if scope in OLD_SCOPES:
                kind = what[:-1]
                yield Finding(
                    f"{kind} {shown(obj)} has {SCOPE}={scope}, which is now {OLD_SCOPES[scope]}",
                    {"object": shown(obj), "scope": scope},
                    fix=f"kubectl --context {{context}} label {kind} … {SCOPE}=… --overwrite",
                )
    release = deployed(facts, "istiod")
    if release and (release.config.get("license") or {}).get("value"):
        yield Finding(
            "the licence is in the values of the istiod release, in clear text",
            {"release": release.name, "value": "license.value"},
            facts.key("chart", "istiod"),
        )


def same_istioctl(scene: MeshFacts) -> Findings:
    """P34."""
    told = read(scene.istioctl)
    if not told:
        raise NotApplicable("there is no istioctl on PATH, and none is needed")
    there, wanted = Version.parse(told), Version.parse(scene.mesh.version)
    if there is None or wanted is None:
        raise Skip(f"versions {told} and {scene.mesh.version} cannot be compared")
    evidence = {"istioctl": told, "mesh": scene.mesh.version}
    if there.solo != wanted.solo:
        names = {True: "Solo's", False: "upstream's"}
        yield Finding(f"istioctl {told} is {names[there.solo]}, the mesh is {names[wanted.solo]}", evidence)
    elif (there.major, there.minor) != (wanted.major, wanted.minor):
        yield Finding(
            f"istioctl is {told}, the mesh {scene.mesh.version}: another minor version may report a healthy "
            "mesh as broken",
            evidence,
        )
