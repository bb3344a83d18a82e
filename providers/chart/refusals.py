"""Releases that mesh refuses to change, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mesh.istio.versions import Version
from mesh.providers.chart.upgrade import refuse_path
from mesh.sdk.shell import command
from mesh.world.helm.releases import ReleaseView

REVISIONS: Mapping[str, str] = {"revision": "", "revisionTags": "null", "defaultRevision": "default"}
"""The values that make an Istio a revision, each with its value without revisions."""


def pending(view: ReleaseView) -> str:
    """Return that another helm works on the release, or was killed."""
    one = view.newest
    return (
        f"release {one.name} in {one.namespace} is {view.status} since {one.last_deployed} (revision "
        f"{one.revision}), and not by a run that the state knows of: wait for that helm to end; if it was "
        "killed, run `mesh recover` for it"
    )


def several(component: str, view: ReleaseView, others: Iterable[str]) -> str:
    """Return that the cluster has several releases of the chart."""
    names = ", ".join([f"{view.newest.namespace}/{view.newest.name}", *others])
    return (
        f"this cluster has several releases of the chart {component}: {names}; a mesh has one of each: "
        "uninstall the others, or set adopt: false and name the release in spec.istio.charts"
    )


def elsewhere(component: str, view: ReleaseView, namespace: str, *, is_istio: bool) -> str:
    """Return that the release is in another namespace than the file says."""
    one = view.newest
    field = f"namespaces.{'istiod' if component == 'base' else component}" if is_istio else "namespace"
    whose = "the cluster" if is_istio else "spec.links.automatic"
    return (
        f"the {component} of this cluster is release {one.name} in {one.namespace}, the configuration "
        f"says {namespace}: set {field}: {one.namespace} for {whose}"
    )


def refuse_way(component: str, there: str, wanted: str, images: str, *, downgrade: bool) -> str:
    """Return why the version cannot be reached: the chart's, or that of the images if the two differ."""
    if why := refuse_path(component, there, wanted, downgrade=downgrade):
        return why
    before, after = Version.parse(there), Version.parse(images)
    if before is None or after is None or before.line == after.line:
        return ""
    why = refuse_path(component, there, images, downgrade=downgrade)
    return f"{why}; the charts are of {wanted or 'a version that only helm can tell'}" if why else ""


def revisioned(component: str, view: ReleaseView, values: Mapping[str, object]) -> str:
    """Return that the release is a revision, which ambient meshes lack; "" if it is not."""
    found = {name: values[name] for name in REVISIONS if values.get(name) not in (None, "", "default", [])}
    if not found:
        return ""
    one, sets = view.newest, [part for name in found for part in ("--set", f"{name}={REVISIONS[name]}")]
    words = ("helm", "upgrade", one.name, "CHART", "-n", one.namespace, "--reuse-values", *sets)
    way = f"take it out with `{command(*words)}`"
    if component == "istiod" and "revision" in found:
        way = "install istiod without one beside it, move everything there, and uninstall this one"
    told = ", ".join(f"{name}: {_listed(value)}" for name, value in found.items())
    return (
        f"the {component} of this cluster, release {one.name} in {one.namespace}, is of a revision ({told}): "
        f"cni and ztunnel have none, so that a mesh is upgraded in place; {way} "
        "(docs/how-to/guide-a.md#revisions)"
    )


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
