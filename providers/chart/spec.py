"""What a release must be."""

from __future__ import annotations

from dataclasses import dataclass

from mesh.model import Unknown
from mesh.model.refs import Ref
from mesh.world import HelmJob


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """A release that must be there. `sensitive` are dotted paths of values that are secrets.

    With `adopt`, any release of the chart will do: its name is its own, its namespace must be ours.
    `downgrade` allows a version older than the one that is there. `root` is the root of trust that an
    istiod must publish in the namespaces `shown_in` before it counts as ready; `reissues` says that
    every identity may be issued anew.

    A chart that is no part of Istio is never installed by us: `missing` says what to do if it is not
    there, `oldest` is the first line that will do. A job without `ref` upgrades a release to the
    very chart that it has, one without `version` to the version that it has. `images` is the version
    of Istio that its images are of, "" if it has none of them.
    """

    mesh: str
    component: str
    job: HelmJob
    sensitive: tuple[str, ...] = ()
    adopt: bool = False
    downgrade: bool = False
    oldest: tuple[int, int] = (0, 0)
    missing: str = ""
    images: str = ""
    root: str | Ref | Unknown = ""
    shown_in: frozenset[str] = frozenset()
    reissues: bool = False
