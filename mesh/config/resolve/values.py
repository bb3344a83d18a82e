"""Merge the user's chart values: files and inline, defaults and cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mesh.config.schema.mesh_file import DefaultsPart
from mesh.config.schema.messages import kind_of
from mesh.config.source.document import Document, Trail
from mesh.config.source.load import linked, load
from mesh.config.source.problems import Problems, path_type
from mesh.errors import InputError, Problem
from mesh.istio.computed_values_upstream import table
from mesh.istio.overlay import overlay
from mesh.model import Path
from mesh.model.spec import COMPONENTS, Component

Values = Mapping[Component, Mapping[str, Any]]


class ValuesReader:
    """Reads the values of the defaults and the clusters; each file is read once."""

    def __init__(self, report: Problems, distribution: Literal["solo", "upstream"] = "solo") -> None:
        self.report = report
        self.computed = table(distribution)
        self.files: dict[str, Document | None] = {}
        self.checked: set[tuple[str, Component]] = set()

    def read(self, part: DefaultsPart, trail: Trail) -> Values:
        """Return the values of one part: its files in order, then its inline values."""
        return {component: self._component(part, trail, component) for component in COMPONENTS}

    def _component(self, part: DefaultsPart, trail: Trail, component: Component) -> Mapping[str, Any]:
        values: Mapping[str, Any] = {}
        files: list[str] = getattr(part.values_files, component)
        for index, name in enumerate(files):
            values = overlay(values, self._file(name, (*trail, "valuesFiles", component, index), component))
        inline: dict[str, Any] = getattr(part.values, component)
        at = self.report.written((*trail, "values", component))
        self.report.found.extend(self._computed_by_hand(self.report.doc, inline, at, component))
        return overlay(values, inline)

    def _file(self, name: str, trail: Trail, component: Component) -> Mapping[str, Any]:
        if name not in self.files:
            self.files[name] = self._load(name, trail)
        doc = self.files[name]
        if doc is None:
            return {}
        if (name, component) not in self.checked:
            self.checked.add((name, component))
            self.report.found.extend(self._computed_by_hand(doc, doc.data, (), component))
        return dict(doc.data)

    def _load(self, name: str, trail: Trail) -> Document | None:
        path = self.report.path(name)
        if not self.report.reachable(trail, name):
            return None
        if not path_type(path):
            self.report.wrong(
                trail, f"no such file: {name}", "relative paths start from the folder of the mesh file"
            )
            return None
        try:
            with linked(path):
                doc = load(path)
        except InputError as error:
            self.report.found.extend(error.problems)
            return None
        self.report.digests.append(doc.digest)
        self.report.found.extend(doc.problems)
        if not isinstance(doc.data, dict):
            self.report.found.append(doc.problem((), f"must be a map of values, is {kind_of(doc.data)}"))
            return None
        return doc

    def _computed_by_hand(
        self, doc: Document, values: Mapping[str, Any], at: Trail, component: Component
    ) -> Iterator[Problem]:
        """Report values that mesh computes, and values that would hide a computed one."""
        reported: set[Path] = set()
        for path, instead in self.computed[component].items():
            hit = _reach(values, path)
            if hit == path:
                yield doc.key_problem((*at, *path), f"mesh sets this value of {component}", instead)
            elif hit and hit not in reported:
                reported.add(hit)
                yield doc.problem(
                    (*at, *hit), f"must be a map: mesh sets {'.'.join(path)}", "write a map, or remove it"
                )


def merged(defaults: Values, own: Values) -> Values:
    """Return the values of a cluster: the defaults, overridden by its own."""
    return {component: overlay(defaults[component], own[component]) for component in COMPONENTS}


def _reach(values: Any, path: Path) -> Path:
    """Return the path if it is set, the prefix of it that is not a map, or () if it is not set."""
    for depth, part in enumerate(path):
        if not isinstance(values, Mapping):
            return path[:depth]
        if part not in values:
            return ()
        values = values[part]
    return path
