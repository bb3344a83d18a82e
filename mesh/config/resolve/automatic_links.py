"""Links that a management plane makes: where it runs, and where its charts are."""

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
