"""The errors of requests: which request, which cluster, which next step."""

from __future__ import annotations

from mesh.world.kube.errors import Call, Cause, Conflict, Failed, Forbidden, Unreachable

CALL = Call("east", "prod", "list", "secrets", "istio-system")


def test_a_call_reads_as_a_sentence() -> None:
    assert str(CALL) == "list secrets in istio-system"
    assert str(Call("east", "prod", "get", "nodes", "", "one")) == "get nodes one"
    assert CALL.place == "cluster east (context prod)"


def test_a_refusal_names_the_cluster_the_request_and_the_status() -> None:
    error = Forbidden(CALL, "no rights")
    assert error.message == "cluster east (context prod): cannot list secrets in istio-system: no rights"
    assert (error.verb, error.resource, error.status) == ("list", "secrets", 403)
    assert "kubectl auth can-i" in error.hint
    assert Failed(CALL, "odd", status=418).status == 418


def test_what_may_have_been_sent_is_known_of_an_unreachable_server() -> None:
    assert Unreachable(CALL, "cut off", sent=True).sent
    assert not Unreachable(CALL, "down").sent


def test_a_conflict_keeps_the_fields_and_their_managers() -> None:
    cause = Cause("kubectl", "spec.x", "conflict")
    assert Conflict(CALL, "held", causes=(cause,)).causes == (cause,)
