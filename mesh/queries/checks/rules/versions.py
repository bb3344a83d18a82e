"""Checks of versions: the step of an upgrade, versions side by side, images, deprecations, istioctl."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mesh.istio.addresses import chart_key
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
    place,
    read,
    shown,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable, NotFound, Severity, Skip
from mesh.queries.checks.paste import word
from mesh.queries.status.judge import image_tag
from mesh.world import Object

SCOPE = "solo.io/service-scope"
OLD_SCOPES = {"local": f"{SCOPE}=cluster", "global-only": f"{SCOPE}=global solo.io/service-takeover=true"}
"""Deprecated values, and the labels that replace them."""


def stepwise(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P15: verify that the upgrade is one minor version, and that no agent is newer than istiod.

    Istio supports one minor version at a time; newer agents request configuration that an older istiod does
    not know.
    """
    wanted = Version.parse(scene.mesh.version)
    if wanted is None:
        raise Skip(f"spec.istio.version {scene.mesh.version} cannot be compared")
    found = {name: release for name in COMPONENTS if (release := deployed(facts, name))}
    if not found:
        raise NotApplicable("Helm has installed nothing yet")
    yield from _beside(facts)
    for component, release in found.items():
        there = Version.parse(release.chart_version)
        if there is None:
            raise Skip(f"chart version {release.chart_version} of {component} cannot be compared")
        yield from _step(component, there, wanted)


def _step(component: str, there: Version, wanted: Version) -> Iterator[Finding]:
    jump = (wanted.major - there.major, wanted.minor - there.minor)
    evidence = {"component": component, "deployed": _text(there), "wanted": _text(wanted)}
    if jump[0] == 0 and jump[1] > 1:
        yield Finding(
            f"{component} is at {_text(there)}, {_text(wanted)} is {jump[1]} minor versions ahead: upgrade"
            " one minor version at a time",
            evidence,
            fix=f"set spec.istio.version to a {there.major}.{there.minor + 1} version first",
        )
    elif jump < (0, 0):
        yield Finding(
            f"{component} is at {_text(there)}, {_text(wanted)} is older: Istio does not support downgrades",
            evidence,
            fix=f"set spec.istio.version to {_text(there)}, or allow it with --allow-downgrade",
        )


def _text(version: Version) -> str:
    return f"{version.major}.{version.minor}.{version.patch}"


def _beside(facts: ClusterFacts) -> Iterator[Finding]:
    """Agents newer than istiod, and agents of different minor versions; judged by the images that run."""
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
                chart_key(facts.name, component),
            )
    pair = {running[each].line for each in ("cni", "ztunnel") if each in running}
    if len(pair) > 1:
        yield Finding(
            f"cni {_text(running['cni'])} and ztunnel {_text(running['ztunnel'])} differ in minor version",
            {"cni": _text(running["cni"]), "ztunnel": _text(running["ztunnel"])},
            chart_key(facts.name, "ztunnel"),
            Severity.WARNING,
        )


RUNNING: Mapping[Component, Callable[[ClusterFacts], Object]] = {
    "istiod": istiod,
    "cni": lambda facts: daemon(facts, "cni"),
    "ztunnel": lambda facts: daemon(facts, "ztunnel"),
}


def _tag(workload: Object) -> str:
    """The version in an image's tag, without the suffix of its build variant."""
    tag = image_tag(next(iter(images(workload)), ""))
    return tag.removesuffix("-distroless").removesuffix("-debug")


def tagged(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S07: verify that images are builds of the mesh's distribution, in the version of their chart.

    A community image starts and reports healthy, but does not support peering.
    """
    wanted = Version.parse(scene.mesh.version)
    if wanted and wanted < OLDEST:
        yield Finding(
            f"{scene.mesh.version} does not support multicluster peering",
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
                f"{component} runs image tag {tag}: community images do not support peering",
                {"component": component, "tag": tag},
                chart_key(facts.name, component),
            )
        elif release and tag and tag != release.chart_version and scene.mesh.tag == scene.mesh.version:
            yield Finding(
                f"{component} runs image tag {tag}, but its chart is {release.chart_version}",
                {"component": component, "tag": tag, "chart": release.chart_version},
                chart_key(facts.name, component),
                Severity.WARNING,
            )
    if not looked:
        raise NotApplicable("nothing runs yet")


def current(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P33: verify that no deprecated label is in use, and that the licence is not in the values of a release.

    Values of a release are stored in clear text in Helm's Secret and shown by `helm get values`.
    """
    del scene
    for what in ("services", "namespaces"):
        for obj in facts.rows(what):
            scope = labels(obj).get(SCOPE, "")
            if scope in OLD_SCOPES:
                kind = what[:-1]
                yield Finding(
                    f"{kind} {shown(obj)} has {SCOPE}={scope}, which is deprecated: use {OLD_SCOPES[scope]}",
                    {"object": shown(obj), "scope": scope},
                    fix=_relabel(kind, obj, OLD_SCOPES[scope]),
                )
    release = deployed(facts, "istiod")
    if release and (release.config.get("license") or {}).get("value"):
        yield Finding(
            "the values of the istiod release contain the licence in clear text",
            {"release": release.name, "value": "license.value"},
            chart_key(facts.name, "istiod"),
        )


def _relabel(kind: str, obj: Object, wanted: str) -> str:
    """The command that replaces a deprecated label."""
    namespace, name = place(obj)
    where = f" -n {word(namespace)}" if namespace else ""
    return f"kubectl --context {{context}}{where} label {kind} {word(name)} {wanted} --overwrite"


def same_istioctl(scene: MeshFacts) -> Findings:
    """P34: verify that the istioctl on PATH has the mesh's distribution and minor version.

    Only Solo's build has `istioctl multicluster`, and another version reports healthy meshes as broken.
    """
    told = read(scene.istioctl)
    if not told:
        raise NotApplicable("istioctl is not on PATH, and mesh does not need it")
    there, wanted = Version.parse(told), Version.parse(scene.mesh.version)
    if there is None or wanted is None:
        raise Skip(f"versions {told} and {scene.mesh.version} cannot be compared")
    evidence = {"istioctl": told, "mesh": scene.mesh.version}
    if there.solo != wanted.solo:
        names = {True: "Solo", False: "upstream"}
        yield Finding(
            f"istioctl {told} is the {names[there.solo]} build, the mesh is {names[wanted.solo]}", evidence
        )
    elif (there.major, there.minor) != (wanted.major, wanted.minor):
        yield Finding(
            f"istioctl is {told}, the mesh {scene.mesh.version}: another minor version can report a healthy "
            "mesh as broken",
            evidence,
        )
