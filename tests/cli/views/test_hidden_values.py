"""Wherever a secret stands among values, no view of them shows it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.cli.views.manifests import manifests_text
from mesh.cli.views.plan_json import plan_json
from mesh.cli.views.plan_markdown import plan_markdown
from mesh.cli.views.plan_text import plan_text
from mesh.model import Action, Key, Plan, Reason, Step
from mesh.model.diff import diff, fingerprints
from mesh.model.mask import mask
from mesh.sdk.chart_diff import changes
from mesh.sdk.document import Document
from tests.support.canaries import hits

SECRET = "canary7Zq9x-and-more/+='"
KEY = Key("chart", "a", "cni")
NAMES = st.sampled_from(["a", "name", "value", "env", "public", "data", "list", "x.y", "config"])
SECRET_NAMES = st.sampled_from(
    ["password", "tokens", "DB_PASS", "dsn", "credentials", "clientSecret", "secrets"]
)
PLAIN = st.sampled_from(["one", 2, True, None, "", "a: b", "text\nof lines\n"])


@st.composite
def planted(draw: st.DrawFn, depth: int = 3) -> Any:
    """Draw a value with the secret somewhere below a name of a secret, or in a text that says what it is."""
    kind = draw(st.sampled_from(["named", "listed", "variable", "json", "line", "deeper", "deeper"]))
    if depth == 0 or kind == "named":
        return {draw(SECRET_NAMES): SECRET, draw(NAMES): draw(PLAIN)}
    if kind == "listed":
        return {draw(SECRET_NAMES): [draw(PLAIN), {draw(NAMES.filter("name".__ne__)): SECRET}]}
    if kind == "variable":
        item = {"name": draw(SECRET_NAMES), "value": SECRET}
        return {"env": draw(st.permutations([item, {"name": "A", "value": "b"}]))}
    if kind == "json":
        return {draw(NAMES): json.dumps({draw(SECRET_NAMES): SECRET})}
    if kind == "line":
        return {draw(NAMES): f"a: b\n{draw(SECRET_NAMES)}: {SECRET.replace(chr(39), '')}\n"}
    inner = draw(planted(depth=depth - 1))
    return draw(st.sampled_from([{draw(NAMES): inner}, {draw(NAMES): [draw(PLAIN), inner]}]))


def shown(step: Step) -> str:
    plan = Plan("demo", (step,), 1, "lineage", {"a": "uid"})
    parts = [plan_text(plan, colour=False, width=100), plan_markdown(plan), json.dumps(plan_json(plan))]
    return "\n".join(parts)


@settings(deadline=None, max_examples=200)
@given(planted(), planted())
def test_no_view_of_values_shows_the_secret(before: Any, after: Any) -> None:
    old, new = mask({"values": before}), mask({"values": after})
    steps = [
        Step(Action.UPDATE, KEY, Reason.DRIFT, diff(old, new)),
        Step(Action.CREATE, KEY, Reason.NEW, diff({}, new)),
        Step(Action.DELETE, KEY, Reason.REMOVED, diff(old, {})),
    ]
    texts = [shown(step) for step in steps]
    texts.append(manifests_text({KEY: [Document(new)]}))
    texts.append(json.dumps(fingerprints(new)))
    assert list(hits("\n".join(texts), [SECRET, SECRET.replace("'", "")])) == []


@settings(deadline=None, max_examples=100)
@given(planted(), planted())
def test_no_rendering_that_quotes_the_values_shows_the_secret(before: Any, after: Any) -> None:
    def rendered(values: Any) -> list[dict[str, Any]]:
        meta = {"name": "x", "annotations": {"all": json.dumps(values)}}
        return [
            {
                "apiVersion": "v1",
                "kind": kind,
                "metadata": meta,
                "data": {"x": json.dumps(values)},
                "spec": values,
            }
            for kind in ("ConfigMap", "Secret", "Deployment")
        ]

    found = changes(rendered(before), rendered(after), {SECRET, SECRET.replace("'", "")})
    text = shown(Step(Action.UPDATE, KEY, Reason.DRIFT, manifests=found))
    assert list(hits(text, [SECRET, SECRET.replace("'", "")])) == []
