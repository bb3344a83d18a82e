"""Automatic links: the cluster of the management plane, and the source of its charts."""

from __future__ import annotations

from mesh.config.resolve.istio import check_url
from mesh.config.resolve.links import AT as LINKS
from mesh.config.resolve.links import written_names
from mesh.config.schema.mesh_file import LinksPart, SpecPart
from mesh.config.schema.messages import did_you_mean
from mesh.config.source.document import Trail
from mesh.config.source.problems import Problems
from mesh.config.source.scalars import shown
from mesh.istio.management_plane import LABELLED
from mesh.istio.versions import Version
from mesh.model.spec import Automatic

AT: Trail = (*LINKS, "automatic")


def automatic(spec: SpecPart, release: Version, report: Problems) -> Automatic | None:
    """Return the settings of automatic links; None if the file lists the links."""
    if not isinstance(spec.links, LinksPart):
        return None
    part = spec.links.automatic
    known = frozenset(written_names(report.doc.data))
    if known and part.management not in known:
        hint = did_you_mean(part.management, known) or "add the management cluster to spec.clusters"
        report.wrong((*AT, "management"), f"there is no cluster {shown(part.management)}", hint)
    if spec.istio.distribution != "solo":
        report.wrong(AT, "needs the Solo distribution", "list the links, or write full-mesh")
    elif release.line < LABELLED:
        report.wrong(AT, "needs Istio 1.25 or newer", "list the links, or write full-mesh")
    if part.source:
        check_url(part.source, (*AT, "source"), ("oci", "https", "http"), report)
    elif part.version:
        hint = "set source as well, or remove version to keep the installed charts"
        report.wrong((*AT, "version"), "needs a source", hint)
    return Automatic(
        part.management,
        part.namespace or "gloo-mesh",
        (part.source or "").rstrip("/"),
        part.version or "",
        report.origin(AT),
    )
