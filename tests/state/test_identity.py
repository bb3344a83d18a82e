"""What is refused: the wrong cluster, a changed identity, a mesh in use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.engine.in_use import refuse_enrolled
from mesh.errors import RefusedError
from mesh.model import Key
from mesh.planner.refusals import refuse_all
from mesh.state.identity import check_identities, check_uids, identities
from mesh.state.lockfile import ClusterIdentity, State
from mesh.world import World
from mesh.world.clock import SystemClock
from mesh.world.kube.errors import Call, Forbidden, Unreachable
from mesh.world.resources import ResourceType
from mesh.world.snapshot import Snapshot
from tests.engine.toy import open_session

ONE = ClusterIdentity("uid-1", "cluster1", "cluster1", "cluster1.local", context="ctx1")
TWO = ClusterIdentity("uid-2", "cluster2", "cluster2", "cluster2.local", context="ctx2")


def refused(wanted: dict[str, ClusterIdentity], recorded: dict[str, ClusterIdentity]) -> str:
    with pytest.raises(RefusedError) as error:
        check_identities(wanted, recorded)
    assert error.value.hint
    return f"{error.value.message}; {error.value.hint}"


def test_the_same_clusters_pass_whether_they_answered_or_not() -> None:
    check_identities({"one": ONE, "two": TWO}, {})
    check_identities({"one": ONE, "two": TWO}, {"one": ONE, "two": TWO})
    check_identities({"one": replace(ONE, uid="")}, {"one": ONE})
    check_identities({"one": replace(ONE, uid=""), "two": replace(TWO, uid="")}, {})


def test_a_cluster_that_left_the_file_is_no_error() -> None:
    check_identities({"one": ONE}, {"one": ONE, "two": TWO})


def test_a_cluster_that_left_the_file_is_checked_like_every_other() -> None:
    recorded = {"one": ONE, "two": TWO}
    check_identities({"one": ONE}, recorded, {"one": "uid-1", "two": "uid-2"})
    check_identities({"one": ONE}, recorded, {"one": "uid-1"})
    with pytest.raises(RefusedError) as error:
        check_identities({"one": ONE}, recorded, {"one": "uid-1", "two": "uid-1"})
    assert error.value.message == (
        "cluster two, which is no longer in the mesh file, is not the cluster of the last apply: "
        "context ctx2 leads to kube-system uid-1, the state has uid-2"
    )
    assert "`mesh state forget --cluster two`" in error.value.hint
    with pytest.raises(RefusedError, match="the state has none"):
        check_identities({"one": ONE}, {"two": replace(TWO, uid="")}, {"two": "uid-2"})


def test_two_recorded_names_for_one_cluster_are_refused() -> None:
    with pytest.raises(RefusedError, match="clusters one and two are the same cluster"):
        check_identities({"one": ONE}, {"one": ONE, "two": replace(TWO, uid="uid-1")}, {})


def test_a_rebuild_checks_the_uids_and_nothing_else() -> None:
    check_uids({"one": replace(ONE, network="other")}, {"one": ONE, "two": TWO})
    with pytest.raises(RefusedError, match="cluster one is not the cluster of the last apply"):
        check_uids({"one": replace(ONE, uid="uid-9")}, {"one": ONE})
    with pytest.raises(RefusedError, match="are the same cluster"):
        check_uids({"one": ONE, "two": replace(TWO, uid="uid-1")}, {})


def test_another_context_for_the_same_cluster_is_no_error() -> None:
    check_identities({"one": replace(ONE, context="other", kubeconfig="elsewhere")}, {"one": ONE})


def test_two_names_for_one_cluster_are_refused() -> None:
    why = refused({"one": ONE, "two": replace(TWO, uid="uid-1")}, {})
    assert "clusters one and two are the same cluster (kube-system uid-1)" in why
    assert "ctx1 and ctx2 lead to one API server" in why


def test_another_cluster_behind_the_context_is_refused() -> None:
    why = refused({"one": replace(ONE, uid="uid-9")}, {"one": ONE})
    assert (
        "cluster one is not the cluster of the last apply: "
        "context ctx1 leads to kube-system uid-9, the state has uid-1"
    ) in why
    assert "mesh state forget" in why


def test_a_recorded_cluster_under_another_name_is_refused_with_both_ways_out() -> None:
    why = refused({"west": ONE}, {"one": ONE})
    assert "cluster west is recorded under the name one" in why
    assert "`mesh state rename one west`" in why
    assert "re-identify it, which is disruptive" in why


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cluster_name": "x"}, "clusterName"),
        ({"network": "x"}, "network"),
        ({"trust_domain": "x"}, "trustDomain"),
        ({"namespace": "x"}, "namespaces.istiod"),
    ],
)
@pytest.mark.parametrize("uid", ["uid-1", ""])
def test_a_changed_identity_is_refused_even_if_the_cluster_does_not_answer(
    change: dict[str, str], field: str, uid: str
) -> None:
    why = refused({"one": replace(ONE, uid=uid, **change)}, {"one": ONE})
    assert f"{field} of cluster one was " in why
    assert "is now 'x'" in why
    assert f"set {field}: " in why
    assert "re-identify the cluster, which is disruptive" in why


def test_identities_come_from_the_file_and_the_uids_from_the_clusters(tmp_path: Path) -> None:
    found = identities(open_session(tmp_path).mesh, {"cluster1": "uid-1"})
    assert found["cluster1"] == replace(ONE, context="cluster1")
    assert found["cluster2"].uid == ""


def test_all_refusals_are_told_at_once_each_with_what_it_is_about_and_none_twice() -> None:
    refuse_all({})
    why = {Key("cert", "b", "x"): "second", Key("cert", "a", "x"): "first", Key("cert", "c", "x"): "first"}
    why[Key("cert", "d", "x")] = "cert/d/x is the third"
    with pytest.raises(RefusedError) as error:
        refuse_all(why)
    assert error.value.message == "cert/a/x, cert/c/x: first\ncert/b/x: second\ncert/d/x is the third"


class Answers:
    """An API server that lists what it is given, or raises."""

    cluster = context = "one"

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def list(self, resource: ResourceType, **_query: Any) -> Any:
        answer = self.answers.get(resource.plural, [])
        if isinstance(answer, Exception):
            raise answer
        return answer


def check(**answers: Any) -> None:
    world = World({"one": Answers(**answers)}, {}, SystemClock(), {}, Path())  # type: ignore[dict-item]
    refuse_enrolled({"one": Snapshot("one", world)}, State("demo", "lineage", clusters={"one": ONE}))


def named(name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace} if namespace else {"name": name}, **more}


CALL = Call("one", "one", "list", "pods")
FORBIDDEN = Forbidden(CALL, "pods is forbidden")


def test_a_mesh_that_nobody_uses_may_go() -> None:
    check()
    check(gateways=[named("other", "shop", spec={"gatewayClassName": "nginx"})])


def test_everybody_who_uses_the_mesh_is_listed() -> None:
    waypoint = named("wp", "shop", spec={"gatewayClassName": "istio-waypoint"})
    with pytest.raises(RefusedError) as error:
        check(
            namespaces=[named("shop")],
            pods=[named("cart", "shop")],
            services=[named("api", "shop")],
            gateways=[waypoint],
        )
    assert error.value.message.splitlines() == [
        "the mesh is in use:",
        "  one: Namespace shop is enrolled",
        "  one: Pod shop/cart is enrolled",
        "  one: Service shop/api is shared with the mesh",
        "  one: Gateway shop/wp is a waypoint",
    ]
    assert "--ignore-enrolled" in error.value.hint


def test_what_may_not_be_read_is_not_taken_for_unused() -> None:
    with pytest.raises(RefusedError) as error:
        check(namespaces=[named("shop")], pods=FORBIDDEN)
    assert "one: Namespace shop is enrolled" in error.value.message
    assert "who uses the mesh cannot be read" in error.value.message


def test_a_cluster_that_does_not_answer_stops_nobody() -> None:
    check(namespaces=Unreachable(CALL, "no answer"))
