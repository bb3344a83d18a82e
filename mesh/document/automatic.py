"""Links that a management plane makes: where it runs, and where its charts are."""

from __future__ import annotations

from mesh.distribution.automatic import LABELLED
from mesh.distribution.versions import Version
from mesh.document.istio import check_url
from mesh.document.links import AT as LINKS
from mesh.document.links import written_names
from mesh.document.report import Report
from mesh.document.shape import LinksPart, SpecPart
from mesh.document.translate import did_you_mean
from mesh.load_document import Trail
from mesh.load_scalars import shown
from mesh.spec import Automatic

AT: Trail = (*LINKS, "automatic")


def automatic(spec: SpecPart, release: Version, report: Report) -> Automatic | None:
    """Return how the links are made by a management plane; None if they are written."""
    if not isinstance(spec.links, LinksPart):
        return None
    part = spec.links.automatic
    known = frozenset(written_names(report.doc.data))
    if known and part.management not in known:
        hint = did_you_mean(part.management, known) or "the management cluster is part of the mesh: list it"
        report.wrong((*AT, "management"), f"there is no cluster {shown(part.management)}", hint)
    if spec.istio.distribution != "solo":
        report.wrong(AT, "needs the Solo distribution", "write the links one by one, or full-mesh")
    elif release.line < LABELLED:
        report.wrong(AT, "needs Istio 1.25 or newer", "write the links one by one, or full-mesh")
    if part.source:
        check_url(part.source, (*AT, "source"), ("oci", "https", "http"), report)
    elif part.version:
        hint = "set source as well; without version, the charts stay as they are"
        report.wrong((*AT, "version"), "needs a source", hint)
    return Automatic(
        part.management,
        part.namespace or "gloo-mesh",
        (part.source or "").rstrip("/"),
        part.version or "",
        report.origin(AT),
    )
