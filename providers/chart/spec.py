"""What a release must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.model import Unknown
from mesh.model.refs import Ref
from mesh.model.spec import Ignore
from mesh.world import HelmJob


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """A Helm release. `sensitive` are dotted paths of values that are secrets.

    With `adopt`, any release of the chart is accepted: it keeps its name, its namespace must be that of
    the file. `downgrade` allows a version older than the live one. `root` is the root of trust that an
    istiod must publish in the namespaces `shown_in` before it counts as ready; `reissues` says that
    every identity may be issued again. `new_objects` allows a chart from the release's own record to create
    what the cluster does not have. `stated` are the values that the mesh file states itself. `ignore` are
    the fields of its objects that others may change.

    Mesh never installs a chart that is not part of Istio: `missing` says what to do without it, `oldest` is
    the first release line that is accepted. A job without `ref` upgrades a release to the
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
    new_objects: bool = False
    ignore: tuple[Ignore, ...] = ()
    stated: Mapping[str, Any] = field(default_factory=dict)
