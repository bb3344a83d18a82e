"""What is the same on several clusters is folded; what is not stays apart; no step is lost."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from mesh.model import ABSENT, Action, Attrs, Field, Key, Plan, Reason, Step, Unknown
from mesh.planner.fold import Fold, fold, names
from tests.cli.views.plans import PLANS
from tests.support.meshes import mesh_of

Roles = Mapping[str, Mapping[str, str]]


def fleet(*clusters: str) -> Roles:
    return {
        name: {"cluster": name, "network": f"net-{name}", "trust domain": f"{name}.local"}
        for name in clusters
    }


def create(address: str, values: Attrs, *, notes: tuple[str, ...] = ()) -> Step:
    fields = tuple(Field((path,), ABSENT, value) for path, value in values.items())
    return Step(Action.CREATE, Key.parse(address), Reason.NEW, fields, notes=notes)


def values(fold: Fold) -> Attrs:
    return {field.dotted: field.after for field in fold.template.fields}


def test_names_that_follow_from_the_cluster_read_as_their_roles() -> None:
    steps = [create(f"chart/{each}/istiod", {"network": f"net-{each}", "hub": "x"}) for each in ("c1", "c10")]
    (only,) = fold(steps, fleet("c1", "c10"))
    assert str(only.template.key) == "chart/*/istiod"
    assert values(only) == {"network": "<network>", "hub": "x"}
    assert only.clusters == ("c1", "c10")


def test_a_name_inside_a_text_is_replaced_only_as_a_whole_word() -> None:
    texts = {"c1": "istio-remote-peer-c1, c10", "c2": "istio-remote-peer-c2, c10"}
    (only,) = fold([create(f"a/{each}/x", {"v": text}) for each, text in texts.items()], fleet(*texts))
    assert values(only) == {"v": "istio-remote-peer-<cluster>, c10"}


def test_the_links_of_a_full_mesh_are_one_fold() -> None:
    all_names = ("a", "b", "c")
    steps = [
        create(f"link/{one}/{other}", {"at": Unknown(Key("gateway", other, "ew")), "network": f"net-{other}"})
        for one in all_names
        for other in all_names
        if one != other
    ]
    (only,) = fold(steps, fleet(*all_names))
    assert str(only.template.key) == "link/*/*"
    assert values(only) == {"at": Unknown(Key("gateway", "*", "ew")), "network": "<network of the peer>"}


def test_a_value_that_is_a_name_by_accident_stays_what_it_is() -> None:
    steps = [create(f"label/{each}/x", {"env": "prod"}) for each in ("prod", "b", "c")]
    (only,) = fold(steps, fleet("prod", "b", "c"))
    assert values(only) == {"env": "prod"}


def test_a_name_with_two_roles_reads_as_the_one_that_holds_everywhere() -> None:
    roles = {"a": {"cluster": "a", "network": "a"}, "b": {"cluster": "b", "network": "other"}}
    (only,) = fold([create("x/a/y", {"n": "a"}), create("x/b/y", {"n": "other"})], roles)
    assert values(only) == {"n": "<network>"}


def test_addresses_and_digests_may_differ() -> None:
    steps = [
        create("x/a/y", {"ip": "10.0.0.1", "host": "a1.elb.example.com", "id": "sha256:0123456789ab"}),
        create("x/b/y", {"ip": "10.0.0.2", "host": "b2.elb.example.com", "id": "sha256:ba9876543210"}),
    ]
    (only,) = fold(steps, fleet("a", "b"))
    assert values(only) == {"ip": "<address>", "host": "<address>", "id": "<digest>"}


def test_the_same_address_everywhere_is_shown() -> None:
    (only,) = fold([create(f"x/{each}/y", {"ip": "10.0.0.1"}) for each in "ab"], fleet("a", "b"))
    assert values(only) == {"ip": "10.0.0.1"}


def test_an_outlier_is_apart_and_names_the_fold_that_it_is_like() -> None:
    steps = [create(f"chart/{each}/istiod", {"v": "2" if each == "b" else "1"}) for each in "abcd"]
    common, outlier = fold(steps, fleet(*"abcd"))
    assert (common.clusters, common.like) == (("a", "c", "d"), None)
    assert (outlier.clusters, outlier.like) == (("b",), 0)


def test_different_notes_reasons_and_actions_are_never_folded() -> None:
    one = create("x/a/y", {"v": 1})
    others = [create("x/b/y", {"v": 1}, notes=("restarts pods",))]
    others.append(Step(Action.UPDATE, Key("x", "c", "y"), Reason.NEW, one.fields))
    others.append(Step(Action.CREATE, Key("x", "d", "y"), Reason.DRIFT, one.fields))
    assert [len(each.steps) for each in fold([one, *others], fleet(*"abcd"))] == [1, 1, 1, 1]


def test_numbers_and_booleans_are_different_values() -> None:
    assert len(fold([create("x/a/y", {"v": 1}), create("x/b/y", {"v": True})], fleet("a", "b"))) == 2


def test_a_single_step_is_shown_as_it_is() -> None:
    step = create("x/a/y", {"v": "a", "ip": "10.0.0.1"})
    assert fold([step], fleet("a")) == (Fold(step, (step,)),)


def test_the_names_of_a_cluster_come_from_the_mesh_file() -> None:
    found = names(mesh_of("solo", network="net1", trustDomain="td.local"))
    assert found["a"] == {
        "cluster": "a",
        "context": "a",
        "cluster name": "a",
        "network": "net1",
        "trust domain": "td.local",
    }


@given(PLANS)
def test_unfolding_loses_nothing(plan: Plan) -> None:
    steps = plan.steps
    folds = fold(steps, fleet("cluster1", "cluster2"))
    unfolded = [step for each in folds for step in each.steps]
    assert sorted(map(repr, unfolded)) == sorted(map(repr, steps))
    for each in folds:
        assert {(step.action, step.reason, step.key.kind) for step in each.steps} == {
            (each.template.action, each.template.reason, each.steps[0].key.kind)
        }


@given(st.lists(st.text(max_size=8), min_size=1, max_size=6), st.text(max_size=8))
def test_hostile_names_are_folded_like_others(found: list[str], value: str) -> None:
    roles = {f"c{n}": {"cluster": f"c{n}", "network": text} for n, text in enumerate(found)}
    steps = [create(f"x/c{n}/y", {"v": value + text}) for n, text in enumerate(found)]
    assert sum(len(each.steps) for each in fold(steps, roles)) == len(steps)


def test_a_name_that_is_a_cluster_by_accident_still_finds_its_fold() -> None:
    steps = [Step(Action.CREATE, Key("toy", name, "one"), Reason.NEW) for name in ("one", "two", "three")]
    names = {name: {"cluster": name} for name in ("one", "two", "three")}
    (only,) = fold(steps, names)
    assert only.template.key.name == "one"
    assert only.clusters == ("one", "two", "three")


def test_fingerprints_of_a_secret_under_the_keys_of_their_clusters_are_the_same() -> None:
    steps = [
        Step(
            Action.UPDATE,
            Key("chart", name, "x"),
            fields=(Field(("licence",), f"hmac:{key}", "hmac:0a:" + "0" * 40),),
        )
        for name, key in (("a", "886a2f1e:" + "1" * 40), ("b", "99aa2f1e:" + "2" * 40))
    ]
    (only,) = fold(steps, {name: {"cluster": name} for name in "ab"})
    assert only.template.fields[0].before == "<digest>"
