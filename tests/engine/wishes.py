"""Wishes for hypothesis, and folders in which each of them is tried."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from mesh.engine.session import Session
from mesh.model import Origin, Resource
from mesh.model.refs import Ref
from tests.engine.toy import Toy, key, open_session, toy

LAW = settings(max_examples=15, deadline=None)


@st.composite
def wishes(draw: st.DrawFn, names: str = "abcdefg") -> tuple[Resource[Toy], ...]:
    """Toys in two clusters, each needing or referring to some before it."""
    made: list[Resource[Toy]] = []
    for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=6)):
        cluster = draw(st.sampled_from(["cluster1", "cluster2"]))
        before = [each.key for each in made]
        needs = frozenset(draw(st.sets(st.sampled_from(before), max_size=2))) if before else frozenset()
        values: dict[str, Any] = {"out": draw(st.integers(0, 2))}
        if before and draw(st.booleans()):
            values["in"] = Ref(draw(st.sampled_from(before)), "out")
        made.append(toy(name, cluster, needs, **values))
    return tuple(made)


def fresh(folders: Path) -> Session:
    return open_session(Path(tempfile.mkdtemp(dir=folders)))


def left(here: Session, *names: str) -> Session:
    """The same context with a file that leaves these toys to others."""
    return replace(
        here, mesh=replace(here.mesh, leave=dict.fromkeys(map(key, names), Origin("mesh.yaml", 7, 10)))
    )
