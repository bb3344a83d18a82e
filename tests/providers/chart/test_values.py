"""The values of a release that was taken over: ours over theirs, and no restart for our annotations alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mesh.model import Key, Place, Unknown
from mesh.model.diff import fingerprints
from mesh.providers.chart.values import merged, theirs_only, undisturbed
from mesh.sdk.contract import Last

CA = "meshform.io/ca"
THEIRS: dict[str, Any] = {"network": "net1", "logLevel": "debug"}


def ours(root: object = "sha256:one") -> dict[str, Any]:
    return {"network": "net1", "podAnnotations": {CA: root}}


def recorded(values: dict[str, Any]) -> Last:
    return Last(Place("istio-system", "ztunnel"), fingerprints({"values": values}))


def test_what_has_all_that_it_needs_is_left_without_our_annotation() -> None:
    assert undisturbed(merged(ours(), THEIRS, None), THEIRS, None) == THEIRS
    theirs = {**THEIRS, "podAnnotations": {"team": "web"}}
    assert undisturbed(merged(ours(), theirs, None), theirs, None) == theirs


def test_the_annotation_comes_with_any_other_change() -> None:
    theirs = {"logLevel": "debug"}
    assert undisturbed(merged(ours(), theirs, None), theirs, None) == {**theirs, **ours()}


def test_it_comes_when_what_it_tells_of_differs_from_the_record_or_is_not_known_yet() -> None:
    last = recorded(ours())
    assert undisturbed(merged(ours(), THEIRS, last), THEIRS, last) == THEIRS
    changed = merged(ours("sha256:two"), THEIRS, last)
    assert undisturbed(changed, THEIRS, last) == changed
    unknown = merged(ours(Unknown(Key("cert", "-", "root"))), THEIRS, last)
    assert undisturbed(unknown, THEIRS, last) == unknown


def test_an_annotation_that_is_there_is_kept_right() -> None:
    theirs = {**THEIRS, "podAnnotations": {CA: "sha256:old"}}
    values = merged(ours(), theirs, None)
    assert undisturbed(values, theirs, None) == values == {**THEIRS, **ours()}


def test_a_licence_in_clear_text_goes_where_the_chart_is_pointed_at_a_secret() -> None:
    secret = {"license": {"secretRef": {"name": "mine"}}}
    assert merged(secret, {"license": {"value": "x"}}, None) == secret
    assert merged({}, {"license": {"value": "x"}}, None) == {"license": {"value": "x"}}


def test_what_is_given_back_is_what_others_set() -> None:
    values = merged(ours(), THEIRS, None)
    assert theirs_only(values, recorded(ours())) == {"logLevel": "debug"}


def test_a_value_that_they_had_set_too_stays_when_we_let_go() -> None:
    last = replace(recorded(ours()), theirs=frozenset({"values.network"}))
    assert theirs_only(merged(ours(), THEIRS, None), last) == THEIRS
    assert merged({}, {**THEIRS, **ours()}, last) == THEIRS
