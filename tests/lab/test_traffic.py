"""What a number of requests says, all together."""

from __future__ import annotations

from mesh.lab.traffic import Outcome, summary


def outcome(number: int, *, error: str = "", milliseconds: float = 1.0) -> Outcome:
    return Outcome(
        number=number,
        at=f"2026-11-27T00:00:{number:02d}Z",
        milliseconds=milliseconds,
        error=error,
        gateway="100.66.1.2:15008",
        gateway_identity="spiffe://cluster.local/ns/istio-eastwest/sa/gateway",
        server_identity="" if error else "spiffe://cluster.local/ns/a/sa/b",
        client_identity="",
        cluster="" if error else "cluster2",
        pod="" if error else "hello-1",
    )


def test_losses_are_counted_with_their_reasons_and_their_time() -> None:
    found = summary([outcome(1), outcome(2, error="reset"), outcome(3, error="reset"), outcome(4)])
    assert (found.sent, found.lost, found.errors) == (4, 2, (("reset", 2),))
    assert (found.lost_from, found.lost_until) == ("2026-11-27T00:00:02Z", "2026-11-27T00:00:03Z")
    assert found.answered_by == (("cluster2/hello-1", 2),)
    assert len(found.identities) == 2


def test_latencies_are_those_of_answered_requests() -> None:
    times = [outcome(number, milliseconds=float(number)) for number in range(1, 11)]
    found = summary([*times, outcome(11, error="no answer in time", milliseconds=5000)])
    assert (found.p50, found.p90, found.p99) == (6.0, 10.0, 10.0)


def test_nothing_sent_is_nothing_lost() -> None:
    assert summary([]).sent == summary([]).lost == 0
    assert summary([]).p99 == 0.0
