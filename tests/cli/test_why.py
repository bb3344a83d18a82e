"""`mesh why`: addresses, and who wrote the live object."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mesh.cli.why import _written
from mesh.engine import plan as planning
from mesh.engine.session import Session
from mesh.errors import KubeError
from mesh.model import Key, Live, Place, Touch
from mesh.planner.inputs import PlanOptions
from mesh.sdk.capabilities import Traced
from mesh.world import World
from tests.cli.unreachable import Unreachable
from tests.engine.toy import ToyProvider, toy, toys


class TracedToys(ToyProvider, Traced):
    """Toys that know who wrote them, unless one is named `secret`."""

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        if place.name == "secret":
            raise KubeError("secret may not be read")
        return (Touch(("values",), f"writer of {place.name}", ""),)


def written(here: Session, name: str) -> tuple[Touch, ...]:
    here = replace(here, kinds={"toy": TracedToys()})
    resource = toy(name, out=1)
    return _written(here, planning.decided(here, {resource.key: resource}, PlanOptions()), resource.key)


def test_an_unknown_address_is_refused_with_the_nearest_one(unreachable: Unreachable) -> None:
    answer = unreachable("why", "chart/cluster1/istio")
    assert (answer.code, answer.out) == (64, "")
    assert "there is no resource 'chart/cluster1/istio' in the configuration" in answer.err
    assert "did you mean chart/cluster1/istiod?" in answer.err


def test_a_resource_that_cannot_be_read_is_explained_as_json(unreachable: Unreachable) -> None:
    answer = unreachable("why", "chart/cluster1/istiod", "--json")
    assert answer.code == 6
    data = json.loads(answer.out)
    assert (data["address"], data["state"], data["fields"]) == ("chart/cluster1/istiod", "not known", [])
    text = unreachable("why", "chart/cluster1/istiod")
    assert (text.code, (text.out + text.err).count("cannot be reached")) == (6, 1)
    assert "missing" not in text.out


def test_only_a_live_object_has_writers(here: Session) -> None:
    assert written(here, "a") == ()
    toys(here.world, "cluster1").put("a", {"out": 1})
    assert [touch.manager for touch in written(here, "a")] == ["writer of a"]


def test_writers_that_cannot_be_read_are_a_warning(here: Session, capsys: pytest.CaptureFixture[str]) -> None:
    toys(here.world, "cluster1").put("secret", {"out": 1})
    assert written(here, "secret") == ()
    assert capsys.readouterr().err == "Warning: cannot read the managedFields: secret may not be read\n"
