"""Folds as lines: what is the same once, outliers by their difference, the usual by number."""

from __future__ import annotations

from dataclasses import replace

from mesh.cli.views.detail import Detail
from mesh.cli.views.plan_text import plan_text
from mesh.model import ABSENT, Action, Field, Key, ManifestChange, Plan, Reason, Step

NOTHING = Plan("demo", (), 1, "l", {}, digest="sha256:00")


def fleet(number: int) -> dict[str, dict[str, str]]:
    return {f"c{n}": {"cluster": f"c{n}", "network": f"net{n}"} for n in range(1, number + 1)}


def planned(steps: tuple[Step, ...], number: int, detail: Detail = Detail.FOLDED) -> str:
    plan = replace(NOTHING, steps=steps, clusters=dict.fromkeys(fleet(number), "uid"), fleet=fleet(number))
    return plan_text(plan, colour=False, width=100, detail=detail)


def upgrade(cluster: str, *more: Field) -> Step:
    return Step(
        Action.UPDATE,
        Key("chart", cluster, "istiod"),
        Reason.CONFIG,
        (Field(("version",), "1.30.2", "1.30.3"), *more),
        notes=("istiod restarts: running connections go on",),
    )


def install(cluster: str) -> Step:
    values = {"hub": "x", "pilot": {"env": {"OWN": "1", "GUIDE": "2"}}}
    return Step(
        Action.CREATE,
        Key("chart", cluster, "istiod"),
        fields=(Field(("values",), ABSENT, values), Field(("version",), ABSENT, "1.30.3")),
        manifests=(ManifestChange("Deployment istio-system/istiod", Action.CREATE),),
        usual=frozenset({("values", "hub"), ("values", "pilot", "env", "GUIDE")}),
    )


def test_what_is_the_same_in_all_clusters_is_shown_once() -> None:
    text = planned(tuple(upgrade(f"c{n}") for n in range(1, 51)), 50)
    assert "# chart/*/istiod will be updated in-place in all 50 clusters (configuration changed)\n" in text
    assert text.count('~ version = "1.30.2" -> "1.30.3"') == 1
    assert "  * Istio 1.30.2 -> 1.30.3 in all 50 clusters, one after another: istiod\n" in text
    assert "Plan: 0 to add, 50 to change, 0 to destroy." in text
    assert len(text.splitlines()) < 30


def test_an_outlier_stays_apart_with_its_difference() -> None:
    odd = upgrade("c7", Field(("values", "debug"), ABSENT, True))
    steps = tuple(odd if n == 7 else upgrade(f"c{n}") for n in range(1, 51))
    text = planned(steps, 50)
    assert "# chart/*/istiod will be updated in-place in 49 clusters (configuration changed)\n" in text
    head = "# chart/c7/istiod will be updated in-place (configuration changed), as chart/*/istiod but for:\n"
    apart = text.partition(head)[2].partition("\n\n")[0]
    assert "+ values.debug = true" in apart
    assert "version" not in apart
    assert len(text.splitlines()) < 50


def test_a_few_clusters_are_named_and_links_are_counted() -> None:
    pairs = [(one, other) for one in fleet(3) for other in fleet(3) if one != other]
    text = planned(tuple(Step(Action.CREATE, Key("link", *pair)) for pair in pairs), 3)
    assert "# link/*/* will be created 6 times, from each to each other of c1, c2, c3\n" in text
    assert "  * 6 links added\n" in text


def test_links_between_some_clusters_name_their_ends() -> None:
    def linked(*pairs: tuple[str, str]) -> str:
        return planned(tuple(Step(Action.CREATE, Key("link", *pair)) for pair in pairs), 6)

    two = linked(("c1", "c2"), ("c2", "c1"))
    assert "# link/*/* will be created for c1 -> c2, c2 -> c1\n" in two
    star = linked(*(("c1", f"c{n}") for n in range(2, 7)))
    assert "# link/c1/* will be created 5 times: c1 -> c2, c1 -> c3, c1 -> c4, c1 -> c5 and 1 more\n" in star


def test_of_an_installation_what_the_file_states_is_shown_and_the_rest_is_counted() -> None:
    text = planned((install("c1"), install("c2")), 2)
    assert '+ values.pilot.env.OWN = "1"' in text
    assert "GUIDE" not in text
    assert "# (2 values of the guide, 1 object created: shown by `--full`)" in text


def test_nothing_is_left_out_of_the_whole_plan() -> None:
    text = planned((install("c1"), install("c2")), 2, Detail.FULL)
    assert text.count("GUIDE") == text.count("Deployment istio-system/istiod") == 2
    assert "chart/*/" not in text


def test_before_a_question_each_fold_is_one_line() -> None:
    text = planned(tuple(upgrade(f"c{n}") for n in range(1, 51)), 50, Detail.HEADLINES)
    assert "  ~ chart/*/istiod will be updated in-place in all 50 clusters\n" in text
    assert "version" not in text.partition("following actions:")[2]
    assert len(text.splitlines()) < 20


def test_turns_of_a_rollout_and_effects_on_traffic_are_told_once() -> None:
    first, *others = (upgrade(f"c{n}") for n in range(1, 5))
    waiting = [
        replace(step, notes=(*step.notes, f"waits until c{n} is done and ready"))
        for n, step in enumerate(others, 1)
    ]
    text = planned((first, *waiting), 4)
    head = "will be updated in-place in c1, c2, c3, c4, one after another (configuration changed)\n"
    assert f"# chart/*/istiod {head}" in text
    assert "waits until" not in text
    assert text.count("istiod restarts: running connections go on") == 1
    whole = planned((first, *waiting), 4, Detail.FULL)
    assert whole.count("note: waits until c") == 3


def test_objects_that_follow_from_changed_fields_are_counted_and_others_are_shown() -> None:
    manifests = (
        ManifestChange("Deployment istio-system/istiod", Action.UPDATE, (Field(("image",), "a", "b"),)),
        ManifestChange("ConfigMap istio-system/new", Action.CREATE),
        ManifestChange("ConfigMap istio-system/old", Action.DELETE),
    )
    text = planned((replace(upgrade("c1"), manifests=manifests),), 1)
    assert "(1 object created, 1 object changed: shown by `--full`)" in text
    assert "- ConfigMap istio-system/old" in text
    assert "image" not in text
    drift = planned((replace(upgrade("c1"), manifests=manifests, reason=Reason.DRIFT),), 1)
    same_version = planned((replace(upgrade("c1"), manifests=manifests, fields=()),), 1)
    for whole in (drift, same_version):
        assert '~ image = "a" -> "b"' in whole


def test_of_what_is_destroyed_the_address_is_enough() -> None:
    gone = Field(("spec",), {"a": 1, "b": {"c": 2}}, ABSENT)
    steps = tuple(Step(Action.DELETE, Key("link", "c1", f"c{n}"), Reason.REMOVED, (gone,)) for n in (2, 3))
    text = planned(steps, 3)
    assert "  - link/c1/* will be destroyed for c1 -> c2, c1 -> c3 (no longer in the configuration)\n" in text
    assert "b.c" not in text
    assert "b.c" in planned(steps, 3, Detail.FULL)
