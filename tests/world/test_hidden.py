"""The secrets that a process knows, and the texts that it lets out."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from mesh.model import Action, Field, Key, Reason, Sensitive, Step
from mesh.world.hidden import clean, cleaned, forget, know, known

SECRET = "hunter2-canary"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    forget()
    yield
    forget()


def test_what_is_known_is_struck_out_until_it_is_forgotten() -> None:
    text = f"helm said {SECRET} and {base64.b64encode(SECRET.encode()).decode()}"
    assert clean(text) == text
    know([SECRET])
    assert clean(text) == "helm said *** and ***"
    forget()
    assert clean(text) == text


def test_names_of_the_mesh_and_short_texts_stay_readable() -> None:
    know(["istio-system", "ab", "true", SECRET], public=["istio-system"])
    assert known() == {SECRET}


def test_what_is_a_secret_by_its_shape_need_not_be_known() -> None:
    assert clean("https://bob:pw@charts.test") == "https://***@charts.test"


def test_a_plan_is_cleaned_in_every_text_and_stays_a_plan() -> None:
    field = Field(("data", "x"), "a", f"b {SECRET}")
    step = Step(Action.UPDATE, Key("chart", "a", "cni"), Reason.DRIFT, (field,), notes=(f"see {SECRET}",))
    assert cleaned(step) is step
    know([SECRET])
    shown = cleaned(step)
    assert (shown.fields[0].after, shown.notes) == ("b ***", ("see ***",))
    assert (shown.key, shown.action, shown.reason) == (step.key, step.action, step.reason)
    assert cleaned({SECRET: [SECRET, Sensitive(SECRET), 1]}) == {"***": ["***", Sensitive(SECRET), 1]}
