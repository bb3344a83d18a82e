"""Places and locators: typed in a run, text in the lockfile."""

from __future__ import annotations

import json

import pytest

from mesh.errors import StateError
from mesh.model import BY_NAME, Key, Locator, Place, RecordedLocator
from mesh.providers.cert.specs import CertLocator, Layout
from mesh.providers.chart.locator import ReleaseLocator
from mesh.providers.label import LabelLocator
from mesh.sdk.contract import Last
from mesh.sdk.kube_secret import SecretLocator
from mesh.sdk.network_gateway import NetworkLocator
from mesh.state.lockfile import Entry, State, from_text, to_text

RECORDED = {
    "": ReleaseLocator(),
    "by chart": ReleaseLocator(by_chart=True),
    " and root of trust": ReleaseLocator(roots=True),
    "by chart and root of trust": ReleaseLocator(by_chart=True, roots=True),
    "network1": NetworkLocator("network1"),
    "network1 migrates": NetworkLocator("network1", pods=True),
    " migrates": NetworkLocator("", pods=True),
    "topology.istio.io/network": LabelLocator("topology.istio.io/network"),
    "intermediate": CertLocator(Layout.INTERMEDIATE),
    "root": CertLocator(Layout.ROOT),
    "root-key": CertLocator(Layout.ROOT_KEY),
    "root-certificate": CertLocator(Layout.ROOT_CERTIFICATE),
    "prod": SecretLocator("prod"),
}
"""What lockfiles of every version hold: this table may grow, and no line of it may change."""


@pytest.mark.parametrize(("text", "locator"), RECORDED.items(), ids=repr)
def test_a_locator_is_recorded_as_it_always_was_and_read_back_the_same(text: str, locator: Locator) -> None:
    place = Place("istio-system", "one", locator)
    assert place.recorded() == ["istio-system", "one", text]
    again = Place.read(*place.recorded())
    assert type(locator).of(again) == locator
    assert type(type(locator).of(again)) is type(locator)


@pytest.mark.parametrize(("text", "locator"), RECORDED.items(), ids=repr)
def test_a_lockfile_keeps_its_text_when_the_kind_has_read_its_places(text: str, locator: Locator) -> None:
    key, place = Key("any", "cluster1", "one"), Place("istio-system", "one", locator)
    written = to_text(State("prod", "lineage", entries={key: Entry(Last(place))}))
    assert json.loads(written)["resources"][str(key)]["place"] == ["istio-system", "one", text]
    read = from_text(written, "mesh.lock")
    assert read.entries[key].last.place == place
    assert to_text(read) == written


def test_a_place_of_two_parts_is_one_that_is_found_by_its_name() -> None:
    assert Place.read("istio-system", "one") == Place("istio-system", "one", BY_NAME)


def test_places_are_equal_and_sorted_by_what_is_recorded() -> None:
    one, two = Place("a", "b", RecordedLocator("net1")), Place("a", "b", NetworkLocator("net1"))
    assert one == two
    assert len({one, two}) == 1
    assert one < Place("a", "b", NetworkLocator("net2"))


def test_a_text_that_no_locator_of_the_kind_has_is_an_error_with_a_way_out() -> None:
    place = Place.read("istio-system", "one", "by moonlight")
    for kind in (ReleaseLocator, CertLocator):
        with pytest.raises(StateError, match=r"locates istio-system/one by 'by moonlight'") as caught:
            kind.of(place)
        assert "mesh state rebuild" in caught.value.hint
