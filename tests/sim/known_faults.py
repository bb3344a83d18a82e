"""Faults that the product once had, put back: the simulation has to find each of them.

Each is the smallest change that brings the old behaviour back; the test fails if its place has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

import mesh.engine.plan
import mesh.state.held_leases
import mesh.state.lease
import mesh.state.publish
from mesh.errors import KubeError
from mesh.providers.crds import CrdsProvider
from mesh.state.publish import Publisher
from mesh.world.kube.errors import Unreachable
from mesh.world.resources import LEASE


@contextmanager
def unlocked() -> Iterator[None]:
    """A run that got a 5xx for its lease goes on without one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mesh.state.lease, "is_passing", lambda error: isinstance(error, Unreachable))
        patch.setattr(mesh.state.lease, "_is_denied", lambda error: not isinstance(error, Unreachable))
        yield


@contextmanager
def kept() -> Iterator[None]:
    """A lease is given back by one request, and nothing is said if that fails."""

    def once(kube: Any, lease: Any, _clock: Any, **_how: Any) -> str:
        meta = lease["metadata"]
        with suppress(KubeError):
            kube.within(3.0).delete(LEASE, meta["namespace"], meta["name"], uid=meta["uid"])
        return ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mesh.state.held_leases, "give_back", once)
        yield


@contextmanager
def blind() -> Iterator[None]:
    """A plan counts as fresh if the state of a cluster cannot be read again under the lease."""
    refuse = Publisher.refuse_stale
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Publisher, "refuse_stale", lambda self, planned, _known: refuse(self, planned, ()))
        patch.setattr(mesh.state.publish, "repeated", lambda attempt, _clock, **_more: attempt())
        yield


@contextmanager
def half() -> Iterator[None]:
    """A part of the Gateway API counts as the whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CrdsProvider, "due", lambda *_args: "")
        yield


@contextmanager
def forgotten() -> Iterator[None]:
    """That a cluster was restored from a backup is not noticed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mesh.engine.plan, "restored", lambda *_args: {})
        yield


@dataclass(frozen=True)
class Fault:
    """A fault that can be put back, and in which words the simulation reports it."""

    back: Callable[[], AbstractContextManager[None]]
    words: str


FAULTS = {
    "lease-unlocked": Fault(unlocked, "two writers|had written serial|two runs wrote serial"),
    "lease-kept": Fault(kept, "left the lease .* without a word|a lease stays"),
    "plan-blind": Fault(blind, "two runs wrote serial|had written serial"),
    "restore-unseen": Fault(forgotten, "claims to be done: .*(links to|stays)"),
    "bundle-half": Fault(half, "does not serve gateway"),
}
