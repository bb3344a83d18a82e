"""What a reviewer approves of each step beside its fields: what it sends, hides, touches and reads; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mesh import __version__
from mesh.engine.session import Session
from mesh.model import ABSENT, Action, Key, Live, Review, Step
from mesh.model.diff import dotted, leaves
from mesh.model.refs import pick, refs_in, unknowns_in
from mesh.planner.decisions import Decisions
from mesh.planner.digest import Fingerprint, hidden_in, sealed
from mesh.planner.inputs import Inputs
from mesh.sdk import ask
from mesh.sdk.chart_diff import name_of
from mesh.sdk.contract import Preview, Provider, Registry

NOTHING = Preview()


def reviewed(
    decisions: Decisions,
    inputs: Inputs,
    kinds: Registry,
    previews: Mapping[Key, Preview],
    fingerprint: Fingerprint,
) -> Decisions:
    """Return the decisions with the digests of every step that does more than wait."""

    def each(key: Key, step: Step) -> Step:
        if step.action is Action.READ:
            return step
        about = _About(inputs, kinds[key.kind], key, decisions.specs.get(key), fingerprint)
        return replace(step, review=about.review(previews.get(key, NOTHING)))

    return decisions.with_steps({key: each(key, step) for key, step in decisions.steps.items()})


def tools(session: Session, steps: Iterable[Step]) -> dict[str, str]:
    """Return the versions of the programs that make the steps; helm is only asked if it renders one."""
    helm = (
        next(iter(session.world.helms.values()), None) if any(each.review.charts for each in steps) else None
    )
    return {"mesh": __version__, **({"helm": helm.version()} if helm else {})}


@dataclass(frozen=True, slots=True)
class _About:
    """One step: `spec` is bound, and None for what is no longer wanted."""

    inputs: Inputs
    kind: Provider[Any]
    key: Key
    spec: Any
    fingerprint: Fingerprint

    @property
    def live(self) -> Live | None:
        found = self.inputs.found.get(self.key)
        return found if isinstance(found, Live) else None

    def hide(self, text: str) -> str:
        """Return the fingerprint of a secret; equal secrets of two resources have different ones."""
        return self.fingerprint(f"{self.key}\0{text}")

    def review(self, preview: Preview) -> Review:
        sends = {**dict(self._documents()), **preview.sends}
        if not sends and self.spec is not None:
            sends = {"attributes": self.kind.wanted(self.spec, None, None)}
        return Review(
            objects={name: sealed(value, self.hide) for name, value in sorted(sends.items())},
            hidden=dict(sorted(self._hidden())),
            charts=dict(preview.charts),
            uid=self.live.uid if self.live else "",
            token=self._token(),
            reads=dict(sorted(self._reads())),
        )

    def _documents(self) -> Iterator[tuple[str, Any]]:
        """Yield what the kind says that it sends."""
        if self.spec is None:
            return
        for each in ask.documents(self.kind, self.spec, self.key, None):
            if body := each.body:
                is_object = "kind" in body and "name" in body.get("metadata", {})
                yield name_of(dict(body)) if is_object else "values", body

    def _hidden(self) -> Iterator[tuple[str, str]]:
        for source in (self.spec, dict(self._documents())):
            for path, value in hidden_in(source):
                yield path, self.hide(f"{path}\0{sealed(value, self.hide)}")

    def _token(self) -> str:
        """Return a digest of the live values of the fields that mesh sets: no other matters to the step."""
        if self.live is None or self.spec is None:
            return ""
        there = dict(leaves(ask.seen(self.kind, self.spec, self.live)))
        ours = [path for path, _ in leaves(self.kind.wanted(self.spec, None, None))]
        return sealed({dotted(path): there.get(path, ABSENT) for path in ours}, self.hide)

    def _reads(self) -> Iterator[tuple[str, str]]:
        """Yield the values that the step takes from resources that no step of this plan makes."""
        resource = self.inputs.resources.get(self.key)
        if resource is None:
            return
        made = {each.after for each in unknowns_in(self.spec)}
        for ref in refs_in(resource.spec):
            found = self.inputs.found.get(ref.key)
            if isinstance(found, Live) and ref.key not in made:
                yield f"{ref.key} {ref.name}", f"{found.uid}:{sealed(pick(found.outputs, ref), self.hide)}"
