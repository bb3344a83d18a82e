"""Decode a document into the desired state, with all mistakes reported at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mesh.config.resolve import istio, trust
from mesh.config.resolve.automatic_links import automatic
from mesh.config.resolve.charts import charts
from mesh.config.resolve.clusters import clusters
from mesh.config.resolve.ignored import ignored
from mesh.config.resolve.links import links
from mesh.config.resolve.overrides import Overrides
from mesh.config.resolve.resources import resources
from mesh.config.resolve.rollout import rollout
from mesh.config.resolve.upstream import check_version, mesh_id, not_for_upstream
from mesh.config.schema.mesh_file import MeshPart
from mesh.config.schema.messages import complaints
from mesh.config.source.document import Document, Trail
from mesh.config.source.load import linked, load
from mesh.config.source.partial import placeholders, unset, with_stand_ins, without
from mesh.config.source.problems import BOUND, Problems
from mesh.config.source.scalars import shown
from mesh.errors import InputError, Problem
from mesh.model import Key
from mesh.model.spec import Mesh
from mesh.world.disk.input_file import leads_out

PASSES = 8
"""How often invalid parts are removed and the rest is validated again."""


def load_mesh(path: Path, overrides: Overrides | None = None) -> Mesh:
    """Read and decode a mesh file; raise `InputError` with every problem, sorted by position."""
    if overrides and overrides.bound and leads_out(path):
        what = f"is a link that leads out of its folder, which {BOUND} cannot be"
        raise InputError((Problem(str(path), 0, 0, "", what, "replace the link by the file"),))
    with linked(path):
        return decode(load(path), overrides)


def decode(doc: Document, overrides: Overrides | None = None) -> Mesh:
    """Return the desired state that a document describes; raise `InputError` with every problem."""
    if isinstance(doc.data, dict) and (other := _another_file(doc, doc.data)):
        raise InputError((other,))
    wishes = overrides or Overrides()
    report = Problems(doc, wishes.bound, wishes.http)
    for trail, problem in placeholders(doc):
        report.lost.add(trail)
        report.found.append(problem)
    part = _shape(doc, report)
    report.found.extend(unset(doc, {problem.path for problem in report.found}))
    if part is None:
        report.stop()
        raise AssertionError("a document without a model has at least one problem")
    mesh = _resolve(part, wishes, report)
    report.stop()
    return mesh


def _another_file(doc: Document, data: Mapping[str, Any]) -> Problem | None:
    """Return the only problem of a manifest or a values file given by mistake; None for a mesh file."""
    hint = "check the path, or run `mesh init` to create a mesh file"
    kind, version = data.get("kind"), data.get("apiVersion")
    if isinstance(kind, str) and isinstance(version, str) and not version.startswith("mesh"):
        if kind.lower() != "mesh":
            return doc.problem(("kind",), f"{shown(f'{version} {kind}')} is not mesh/v1 Mesh", hint)
    elif not data.keys() & {"apiVersion", "kind", "metadata", "spec"}:
        return doc.problem((), "is not a mesh file", hint)
    return None


def _shape(doc: Document, report: Problems) -> MeshPart | None:
    """Return the validated model; invalid parts are reported and removed, and the rest is validated again."""
    data, gone = doc.data, set[Trail]()
    for turn in range(PASSES):
        try:
            return MeshPart.model_validate(data)
        except ValidationError as error:
            found = complaints(error, doc)
        if not turn:
            reported = {problem.path for problem in report.found}
            report.found.extend(each.problem for each in found if each.problem.path not in reported)
        if not isinstance(data, dict):
            return None
        gone |= {report.written(each.gone) for each in found}
        report.lost |= {report.written(trail) for each in found for trail in each.lost}
        data, report.kept = without(doc.data, gone)
        data = with_stand_ins(data)
    return None


def _resolve(part: MeshPart, overrides: Overrides, report: Problems) -> Mesh:
    stops = istio.through(part.spec.istio, report)
    spec = part.spec.model_copy(update={"istio": istio.on_the_way(part.spec.istio, overrides)})
    release = istio.version(spec.istio, report)
    if spec.istio.distribution == "upstream":
        check_version(release, spec.istio.version, report)
        not_for_upstream(spec.istio, report)
    images = istio.images(spec.istio, release, report)
    releases = charts(spec.istio, release, overrides, report)
    members = clusters(spec, releases, release, overrides, report)
    mesh = Mesh(
        name=part.metadata.name,
        distribution=spec.istio.distribution,
        version=spec.istio.version,
        hub=images.hub,
        tag=images.tag,
        variant=images.variant,
        licence=istio.licence(spec.istio, report),
        root=trust.root_of_trust(spec.root_of_trust, report),
        gateway_api=istio.gateway_api(spec.gateway_api, release, overrides, report),
        clusters=members,
        links=links(spec, members, report),
        automatic=automatic(spec, release, report),
        sensitive=tuple(spec.sensitive),
        leave={
            Key.parse(each): report.origin(("spec", "leave", index)) for index, each in enumerate(spec.leave)
        },
        prevent_destroy={
            each: report.origin(("spec", "preventDestroy", index))
            for index, each in enumerate(spec.prevent_destroy)
        },
        ignore=ignored(spec.ignore, {member.name for member in members}, report),
        resources=resources(spec.resources, {member.name for member in members}, report),
        rollout=rollout(spec.rollout, {member.name for member in members}, report, overrides.settle),
        file=report.doc.file,
        mesh_id=mesh_id(spec.istio, part.metadata.name, report),
        through=stops,
    )
    _sensitive_exist(mesh, report)
    inputs = json.dumps([report.digests, overrides.charts, overrides.gateway_api, *overrides.stop])
    return replace(mesh, digest=hashlib.sha256(inputs.encode()).hexdigest())


def _sensitive_exist(mesh: Mesh, report: Problems) -> None:
    """Report paths that match no chart value: a mistyped path would print the secret in plans."""
    given = [chart.values for cluster in mesh.clusters for chart in cluster.charts.values()]
    for index, path in enumerate(mesh.sensitive):
        if not any(_has(values, path) for values in given):
            what = f"no chart value has the path {shown(path)}"
            report.wrong(("spec", "sensitive", index), what, "write the path as it is in the chart's values")


def _has(values: object, path: str) -> bool:
    """Return whether a dotted path exists in the values; a key that contains a dot is in quotes."""
    if not isinstance(values, Mapping):
        return False
    for key, value in values.items():
        name = f'"{key}"' if "." in key else key
        if path == name or (path.startswith(f"{name}.") and _has(value, path[len(name) + 1 :])):
            return True
    return False


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of a mesh file, for editors and other validators."""
    from mesh.config.schema import json_schema as schema

    return schema.json_schema()


def schema_text() -> str:
    """Return the text of `schemas/desired-state.schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path("schemas/desired-state.schema.json").write_text(schema_text())
