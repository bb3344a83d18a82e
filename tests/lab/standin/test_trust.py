"""What an istiod signs with: read at its start, reloaded or refused later."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from mesh.lab.standin.objects import at
from tests.lab.standin import authority
from tests.lab.standin.authority import Root
from tests.lab.standin.guide import EDGE, SYSTEM
from tests.lab.standin.hand import CONNECTED, SUCCEEDED, Hand, eventually

LOADED = "Istiod has detected the newly added intermediate CA"
REFUSED = "Multi root is disabled, updating new ROOT-CA not supported"
BAD_CERTIFICATE = "tls: bad certificate: the two clusters have no common root of trust"


def handed_out(hand: Hand, namespace: str = EDGE) -> str:
    root = hand.get("cluster2", "configmap", "istio-ca-root-cert", namespace)
    return str(root.get("data", {}).get("root-cert.pem", ""))


def pods(hand: Hand) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(
        hand.kubectl("cluster2", "get", "pods", "-n", SYSTEM, "-l", "app=istiod", "-o", "json")
    )["items"]
    return items


def waiting(hand: Hand) -> dict[str, str]:
    """Why the one istiod pod of cluster2 does not run."""
    states = [each["state"] for pod in pods(hand) for each in at(pod, "status", "containerStatuses") or ()]
    found: dict[str, str] = states[0].get("waiting", {}) if len(states) == 1 else {}
    return found


def says(hand: Hand, text: str) -> None:
    eventually(lambda: hand.conditions("cluster1").get(SUCCEEDED, ("", "", ""))[2], lambda seen: text in seen)


def logged(hand: Hand, text: str, since: int) -> None:
    eventually(lambda: hand.log()[since:], lambda seen: text in seen)


def with_fresh(hand: Hand, root: Root) -> None:
    """Start again with a good CA, and wait until all is well."""
    hand.cacerts("cluster2", root.intermediate("cluster2"))
    hand.kubectl("cluster2", "delete", "pods", "-n", SYSTEM, "-l", "app=istiod")
    hand.healthy("cluster1")
    eventually(lambda: handed_out(hand), lambda seen: seen == root.pem)


def test_the_root_is_in_every_namespace(hand: Hand, root: Root) -> None:
    hand.kubectl("cluster2", "create", "namespace", "app")
    eventually(lambda: handed_out(hand, "app"), lambda seen: seen == root.pem)
    hand.kubectl("cluster2", "delete", "configmap", "istio-ca-root-cert", "-n", "app")
    eventually(lambda: handed_out(hand, "app"), lambda seen: seen == root.pem)
    hand.kubectl("cluster2", "delete", "namespace", "app", "--wait=false")


def test_an_intermediate_of_the_same_root_is_loaded_without_a_restart(hand: Hand, root: Root) -> None:
    since, before = len(hand.log()), [pod["metadata"]["uid"] for pod in pods(hand)]
    hand.cacerts("cluster2", root.intermediate("cluster2"))
    logged(hand, LOADED, since)
    assert hand.conditions("cluster1")[CONNECTED][0] == "True"
    assert [pod["metadata"]["uid"] for pod in pods(hand)] == before


def test_another_root_is_refused_until_the_pod_is_replaced(hand: Hand, root: Root, other_root: Root) -> None:
    since = len(hand.log())
    hand.cacerts("cluster2", other_root.intermediate("cluster2"))
    logged(hand, REFUSED, since)
    assert handed_out(hand) == root.pem
    assert hand.conditions("cluster1")[CONNECTED][0] == "True"
    hand.restart("cluster2")
    eventually(lambda: handed_out(hand), lambda seen: seen == other_root.pem)
    says(hand, BAD_CERTIFICATE)
    assert hand.conditions("cluster1")[CONNECTED] == ("False", "Pending", "not connected to peer")
    with_fresh(hand, root)


def test_what_a_running_pod_uses_outlives_a_restart_of_the_stand_in(
    hand: Hand, root: Root, other_root: Root
) -> None:
    since = len(hand.log())
    hand.cacerts("cluster2", other_root.intermediate("cluster2"))
    logged(hand, REFUSED, since)
    since = len(hand.log())
    hand.lab.stop("-", "standin")
    hand.lab.start("-")
    logged(hand, "cluster2: pod istio-system/istiod", since)
    assert handed_out(hand) == root.pem
    hand.kubectl("cluster2", "delete", "configmap", "istio-ca-root-cert", "-n", EDGE)
    eventually(lambda: handed_out(hand), lambda seen: seen == root.pem)
    hand.healthy("cluster1")
    with_fresh(hand, root)


def test_bad_new_files_are_not_used(hand: Hand, root: Root) -> None:
    since = len(hand.log())
    hand.cacerts("cluster2", root.expired())
    logged(hand, "new CA files are not used", since)
    hand.healthy("cluster1")
    with_fresh(hand, root)


def test_a_bundle_that_contains_the_old_root_is_taken_where_several_are_allowed(
    hand: Hand, root: Root, other_root: Root
) -> None:
    hand.environment("cluster2", "ISTIO_MULTIROOT_MESH=true")
    files = root.intermediate("cluster2")
    both = root.pem + other_root.pem
    hand.cacerts("cluster2", {**files, "root-cert.pem": both})
    eventually(lambda: handed_out(hand), lambda seen: seen == both)
    hand.healthy("cluster1")
    # The same certificates in another order: no byte-for-byte part of what is in use.
    since = len(hand.log())
    hand.cacerts("cluster2", {**files, "root-cert.pem": other_root.pem + root.pem})
    logged(hand, REFUSED, since)
    hand.cacerts("cluster2", files)
    eventually(lambda: handed_out(hand), lambda seen: seen == root.pem)
    hand.environment("cluster2", "ISTIO_MULTIROOT_MESH-")
    hand.healthy("cluster1")


def test_without_cacerts_istiod_signs_for_itself_and_sees_no_later_secret(hand: Hand, root: Root) -> None:
    hand.kubectl("cluster2", "delete", "secret", "cacerts", "-n", SYSTEM)
    hand.restart("cluster2")
    says(hand, BAD_CERTIFICATE)
    own = hand.get("cluster2", "secret", "istio-ca-secret")
    certificate = base64.b64decode(own["data"]["ca-cert.pem"]).decode()
    eventually(lambda: handed_out(hand), lambda seen: seen == certificate)
    hand.cacerts("cluster2", root.intermediate("cluster2"))
    hand.kubectl("cluster2", "create", "namespace", "later")
    eventually(lambda: handed_out(hand, "later"), lambda seen: seen == certificate)
    assert hand.conditions("cluster1")[CONNECTED][0] == "False"
    hand.kubectl("cluster2", "delete", "namespace", "later", "--wait=false")
    with_fresh(hand, root)


BAD = {
    "incomplete": "incomplete signing CA bundle detected: no cert-chain.pem",
    "mixed": "the key does not match the signing certificate",
    "expired": "failed to verify the certificate chain to the root",
    "plain": "is not a CA certificate",
    "foreign": "failed to verify the certificate chain: it does not lead to the root",
}


def bad_files(kind: str, root: Root, other_root: Root) -> dict[str, str]:
    files, again = root.intermediate("cluster2"), root.intermediate("cluster2")
    match kind:
        case "incomplete":
            return {key: value for key, value in files.items() if key != "cert-chain.pem"}
        case "mixed":
            return {**files, "ca-key.pem": again["ca-key.pem"]}
        case "expired":
            return root.expired()
        case "plain":
            return root.intermediate("cluster2", extensions=authority.PLAIN)
        case _:
            return {**files, "root-cert.pem": other_root.pem}


@pytest.mark.parametrize("kind", BAD)
def test_istiod_does_not_start_with_a_bad_ca_and_recovers_by_itself(
    hand: Hand, root: Root, other_root: Root, kind: str
) -> None:
    hand.cacerts("cluster2", bad_files(kind, root, other_root))
    hand.kubectl("cluster2", "delete", "pods", "-n", SYSTEM, "-l", "app=istiod")
    seen = eventually(lambda: waiting(hand), bool)
    assert seen["reason"] == "CrashLoopBackOff"
    assert BAD[kind] in seen["message"]
    says(hand, "the peer's istiod is not ready")
    hand.cacerts("cluster2", root.intermediate("cluster2"))
    hand.healthy("cluster1")
    hand.rolled_out("cluster2")
