"""Releases of a management plane: another owner installs them, mesh upgrades them at their version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from mesh.model import Live
from mesh.providers.chart.archive import is_whole, unpacked
from mesh.providers.chart.observe import view_of
from mesh.world import HelmJob
from mesh.world.helm.releases import ReleaseView

_LINE = re.compile(r"v?(\d{1,4})\.(\d{1,4})\.")


class PlatformChart(Protocol):
    """The spec of such a release."""

    @property
    def component(self) -> str:
        """Its chart."""

    @property
    def job(self) -> HelmJob:
        """The job for helm."""

    @property
    def oldest(self) -> tuple[int, int]:
        """The first release line that is accepted."""


def refuse_platform(spec: PlatformChart, live: Live, view: ReleaseView) -> str:
    """Refuse one that is too old, that never worked, or that has no chart available."""
    version = str(live.attrs["version"])
    found = _LINE.match(version)
    wanted = ".".join(map(str, spec.oldest))
    if found and (int(found[1]), int(found[2])) < spec.oldest:
        return f"{spec.component} is {version}: automatic linking needs {wanted} or newer, upgrade it first"
    if view.working is None:
        one = view.newest
        return f"release {one.name} in {one.namespace} has never been deployed: fix it with helm first"
    if not spec.job.ref and not is_whole(view.working):
        return (
            f"the record of release {view.newest.name} lacks the charts that {spec.component} is made of: "
            "set spec.links.automatic.source to the repository that it came from"
        )
    return ""


def is_from_record(job: HelmJob, live: Live | None) -> bool:
    """Return whether a job upgrades a release to the very chart that it has, from its own record."""
    view = view_of(live)
    return not job.ref and view is not None and view.working is not None


@contextmanager
def prepared(job: HelmJob, live: Live | None) -> Iterator[HelmJob]:
    """Yield the job; one without chart or version gets those of the release."""
    view = view_of(live)
    if job.ref or view is None or view.working is None:
        yield (
            job
            if job.version or not job.repo or live is None
            else replace(job, version=live.attrs["version"])
        )
        return
    with unpacked(view.working) as folder:
        yield replace(job, ref=str(folder), hooks=True)
