"""How the status of a mesh is printed, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from mesh.cli.views.status import status_json, status_text
from mesh.queries.status.model import ClusterStatus, PeerStatus, Status
from tests.support.statuses import absent, broken, drifted, fine, healthy, unread


def text_of(*clusters: ClusterStatus, roots: tuple[str, ...] = ()) -> str:
    return status_text(Status("demo", clusters, roots), colour=False)


def test_a_healthy_mesh_is_told_in_tables_and_nothing_else() -> None:
    assert text_of(healthy("c1")) == (
        "Mesh demo: 1 of 1 cluster ready, 1 of 1 links up.\n"
        "\n"
        "Clusters\n"
        "CLUSTER  CONTEXT   NETWORK  LICENCE  STATE\n"
        "c1       c1-admin  c1       present  ready\n"
        "\n"
        "Pods\n"
        "CLUSTER  COMPONENT  NAMESPACE     READY  NODES  TAG          CHART        RELEASE\n"
        "c1       ztunnel    istio-system  2/2    2      1.30.2-solo  1.30.2-solo  deployed\n"
        "\n"
        "East-west gateways\n"
        "CLUSTER  NAMESPACE       NAME            CLASS           ADDRESS   PROGRAMMED  OWNER\n"
        "c1       istio-eastwest  istio-eastwest  istio-eastwest  10.0.0.1  True        demo\n"
        "\n"
        "Peers\n"
        "CLUSTER  NAMESPACE       NAME                     CLASS         TARGET  NETWORK  ADDRESS   CONNECTED"
        "  SUCCEEDED  OWNER\n"
        "c1       istio-eastwest  istio-remote-peer-other  istio-remote  other   other    10.0.0.2  True     "
        "  True       demo\n"
        "\n"
        "Intermediate certificates (nothing to compare)\n"
        "CLUSTER  SUBJECT     ISSUER        ROOT                 EXPIRES     DAYS LEFT\n"
        "c1       CN=demo/c1  CN=demo Root  sha256:abababababab  2027-01-02  300\n"
    )


def test_a_cluster_that_does_not_answer_is_a_row_and_hides_no_other() -> None:
    silent = ClusterStatus("c2", "c2-admin", "c2", "istio-system/x", unreachable="timed out")
    text = text_of(healthy("c1"), silent)
    assert "c2       c2-admin  ?        ?        unreachable\n" in text
    assert "c1       c1-admin  c1       present  ready\n" in text
    assert "Not ready\n  c2: it cannot be reached: timed out\n" in text
    assert "Warning: cluster c2 cannot be reached\n" in text
    assert not Status("demo", (healthy("c1"), silent)).ready


def test_what_does_not_work_and_what_differs_are_two_lists() -> None:
    found = replace(healthy("c1"), resources=(broken("gateway/c1/e", "no pods"), drifted("chart/c1/cni")))
    text = text_of(found)
    assert "Not ready\n  c1: gateway/c1/e: no pods\n" in text
    assert (
        "Not in sync with the mesh file (see `mesh plan`)\n"
        "  c1: chart/c1/cni: differs in 1 field (changed outside mesh): spec.x\n"
    ) in text
    assert "c1       c1-admin  c1       present  not ready\n" in text


def test_what_differs_and_works_leaves_a_mesh_ready() -> None:
    found = Status("demo", (replace(healthy("c1"), resources=(drifted("chart/c1/cni"),)),))
    data = status_json(found)
    assert (data["ready"], data["in_sync"]) == (True, False)
    assert status_text(found, colour=False).startswith("Mesh demo: 1 of 1 cluster ready, 1 of 1 links up.\n")


def test_what_belongs_to_no_cluster_is_listed_without_one() -> None:
    text = status_text(Status("demo", (healthy("c1"),), resources=(absent("cert/-/root"),)), colour=False)
    assert "Not ready\n  cert/-/root: missing\n" in text


def test_a_cluster_of_which_something_could_not_be_read_says_so() -> None:
    found = replace(healthy("c1"), resources=(unread("crds/c1/gateway-api", "forbidden"),))
    text = text_of(found)
    assert "c1       c1-admin  c1       present  not read\n" in text
    assert "  c1: crds/c1/gateway-api: could not be read: forbidden\n" in text


def test_a_licence_in_the_values_of_istiod_is_called_that() -> None:
    cluster = replace(healthy("c1"), has_licence=False, clear_licence=True)
    assert cluster.troubles == ()
    assert "c1       c1-admin  c1       in clear text  ready\n" in text_of(cluster)


def test_the_headline_of_certificates_says_whether_roots_differ() -> None:
    differ = "the clusters do not share a root of trust: c1 a, c2 b"
    assert "Intermediate certificates (ROOTS DIFFER)" in text_of(
        healthy("c1"), healthy("c2"), roots=(differ,)
    )
    assert "Intermediate certificates (one root in all clusters)" in text_of(healthy("c1"), healthy("c2"))


def test_words_of_a_cluster_do_not_act_on_the_terminal() -> None:
    nasty = "\x1b]0;x\x07\u202e\n"
    text = text_of(
        replace(healthy("c1"), network=nasty, peers=(PeerStatus("e", nasty, owner=nasty, why=nasty),))
    )
    assert all(line.isprintable() for line in text.split("\n"))


def test_json_has_one_shape_whatever_is_there() -> None:
    silent = ClusterStatus("c2", "c2-admin", "c2", "istio-system/x", unreachable="timed out")
    data = json.loads(json.dumps(status_json(Status("demo", (healthy("c1"), silent)))))
    assert data["format_version"] == "1.2"
    assert (data["ready"], data["same_root"], data["mesh"]) == (False, None, "demo")
    first, second = data["clusters"]
    assert first.keys() == second.keys()
    assert first["peers"][0]["class"] == "istio-remote"
    assert first["intermediate_ca"]["expires"] == "2027-01-02T00:00:00+00:00"
    assert (second["reachable"], second["error"], second["intermediate_ca"]) == (False, "timed out", None)


def test_json_has_the_state_of_each_resource_with_the_action_and_reason_of_a_plan() -> None:
    states = (
        fine("label/c1/x"),
        broken("gateway/c1/e", "no pods"),
        absent("crds/c1/g"),
        drifted("chart/c1/cni"),
    )
    data = status_json(Status("demo", (replace(healthy("c1"), resources=states),)))
    rows = {each["address"]: each for each in data["clusters"][0]["resources"]}
    assert [(each["state"], each["is_ready"], each["in_sync"], each["why"]) for each in rows.values()] == [
        ("ready", True, True, ""),
        ("not ready", False, True, "no pods"),
        ("missing", False, False, "missing"),
        ("differs", True, False, ""),
    ]
    assert [(each["action"], each["action_reason"]) for each in rows.values()] == [
        ("", ""),
        ("read", "unhealthy"),
        ("create", "new"),
        ("update", "drift"),
    ]
    assert data["clusters"][0]["not_ready"] == ["gateway/c1/e: no pods", "crds/c1/g: missing"]
