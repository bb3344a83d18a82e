"""The digests of a step: what it sends, hides, touches and reads."""

from __future__ import annotations

from dataclasses import replace

from mesh.engine.session import Session
from mesh.model import Key, Live, Review, Sensitive
from mesh.model.refs import Ref
from mesh.planner.digest import sealed
from mesh.sdk.contract import Preview
from mesh.world import World
from mesh.world.fingerprints import Fingerprints
from tests.engine.toy import Toy, ToyProvider, carry_out, key, plan, toy, toys


class Rendered(ToyProvider):
    """Toys that are rendered from a chart."""

    objects: dict[str, object]
    chart = "sha256:one"

    def preview(self, spec: Toy, key: Key, live: Live | None, world: World) -> Preview:
        return Preview(sends=self.objects, charts={"istiod": self.chart})


def keyed(here: Session, key: bytes = b"k") -> Session:
    return replace(here, world=replace(here.world, fingerprint=Fingerprints(key * 32)))


def review_of(here: Session, **values: object) -> Review:
    (step,) = plan(here, toy("a", **values)).plan.steps
    return step.review


def test_the_digest_of_a_plan_covers_the_rendered_objects_and_the_bytes_of_the_chart(here: Session) -> None:
    kind = Rendered()
    here = replace(here, kinds={"toy": kind})

    def digest(objects: dict[str, object], chart: str = "sha256:one") -> str:
        kind.objects, kind.chart = objects, chart
        return plan(here, toy("a", out=1)).plan.digest

    good: dict[str, object] = {"ConfigMap x": {"data": {"a": "1"}}}
    evil = {**good, "ClusterRoleBinding evil-admin": {"roleRef": "cluster-admin"}}
    changed = {"ConfigMap x": {"data": {"a": "2"}}}
    assert len({digest(good), digest(good), digest(evil), digest(changed), digest(good, "sha256:two")}) == 4


def test_the_digest_of_a_plan_covers_values_that_it_does_not_show(here: Session) -> None:
    here = keyed(here)
    one, same, other = (plan(here, toy("a", password=Sensitive(text))) for text in ("x", "x", "y"))
    shown = [str(each.plan.steps[0].fields) for each in (one, other)]
    assert shown[0] == shown[1]
    assert one.plan.digest == same.plan.digest != other.plan.digest


def test_a_hidden_value_is_told_by_its_path_and_keyed_by_its_address(here: Session) -> None:
    one = review_of(keyed(here), password=Sensitive("x")).hidden
    other = review_of(keyed(here, b"l"), password=Sensitive("x")).hidden
    assert one.keys() == other.keys() == {"values.password"}
    assert one != other
    both = plan(keyed(here), toy("a", p=Sensitive("x")), toy("b", p=Sensitive("x"))).plan.steps
    assert both[0].review.hidden != both[1].review.hidden


def test_a_stand_in_for_a_secret_is_not_a_hidden_value(here: Session) -> None:
    assert review_of(here, password=Sensitive(None)).hidden == {}


def test_the_token_moves_with_the_fields_that_mesh_sets_and_no_others(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    kube = toys(here.world, "cluster1")

    def token() -> str:
        (step,) = plan(here, toy("a", out=2)).plan.steps
        assert step.review.uid == kube.toys["a"]["uid"]
        return step.review.token

    before = token()
    kube.toys["a"]["values"]["label"] = "of another owner"
    assert token() == before
    kube.toys["a"]["values"]["out"] = 7
    assert token() != before


def test_a_step_holds_what_it_reads_unless_a_step_of_the_plan_makes_it(here: Session) -> None:
    wanted = toy("a", out=1), toy("b", taken=Ref(key("a"), "out"))
    steps = {step.key: step for step in plan(here, *wanted).plan.steps}
    assert steps[key("b")].review.reads == {}
    carry_out(here, plan(here, wanted[0]))
    (step,) = plan(here, *wanted).plan.steps
    uid = toys(here.world, "cluster1").toys["a"]["uid"]
    assert step.review.reads == {"toy/cluster1/a out": f"{uid}:{sealed(1, str)}"}


def test_a_deletion_is_about_one_object_whatever_it_holds(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    (step,) = plan(here).plan.steps
    assert step.review == Review(uid=toys(here.world, "cluster1").toys["a"]["uid"])
