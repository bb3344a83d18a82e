"""How a release is found: by its name, or as the release of a chart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Self

from mesh.model import Locator, Place


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseLocator(Locator):
    """With `by_chart`, the place names a chart: any release of it, in any namespace, is the one.

    `roots` also reads the root of trust that is published in each namespace: one more LIST.
    """

    by_chart: bool = False
    roots: bool = False

    def recorded(self) -> str:
        """Return the words for what is set."""
        return ("by chart" if self.by_chart else "") + (" and root of trust" if self.roots else "")

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the locator whose text this is."""
        for by_chart, roots in product((False, True), repeat=2):
            if (each := cls(by_chart, roots)).recorded() == text:
                return each
        raise ValueError(text)


def any_release(chart: str, namespace: str) -> Place:
    """Return the place of the release of a chart, in whatever namespace; it should be in this one."""
    return Place(namespace, chart, ReleaseLocator(by_chart=True))


def with_roots(place: Place) -> Place:
    """Return the place with the published root of trust to be read as well."""
    return replace(place, locator=replace(ReleaseLocator.of(place), roots=True))
