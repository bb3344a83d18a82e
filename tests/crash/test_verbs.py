"""`mesh state` and `mesh recover`: the record is corrected, what runs is never touched."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from tests.crash.conftest import Place

pytestmark = pytest.mark.long

REFUSED, USAGE = 5, 64


def test_a_rebuild_without_slices_goes_by_our_marks(place: Place) -> None:
    place.mesh.applied()
    before = place.mesh.lock()
    place.kubectl(place.cluster, "delete", "configmap", "mesh-demo-state", "-n", "istio-system")
    (place.mesh.folder / "mesh.lock").unlink()

    answer = place.mesh("state", "rebuild")
    assert answer.code == 0, answer
    assert "no copy of the state" in answer
    place.mesh.settled()
    after = place.mesh.lock()
    assert after["resources"].keys() == before["resources"].keys()
    for address, entry in before["resources"].items():
        if not address.startswith("cert/-/"):  # found on this machine: who made it does not matter
            assert {**after["resources"][address], "fields": {}} == {**entry, "fields": {}}, address
    place.mesh.applied()  # writes the slices anew
    place.rebuilt()


def test_a_cluster_gets_another_name_and_keeps_its_identity(place: Place) -> None:
    place.mesh.applied()
    old, new = place.cluster, "renamed"
    place.mesh.edit(lambda spec: spec["clusters"][0].update(name=new, context=old))
    refused = place.mesh("plan")
    assert refused.code == REFUSED
    assert f"mesh state rename {old} {new}" in refused

    refused = place.mesh("state", "rename", old, new, "--yes")
    assert refused.code == REFUSED
    assert f"set clusterName: {old}, network: {old}, trustDomain: {old}.local for cluster {new}" in refused
    identity = {"clusterName": old, "network": old, "trustDomain": f"{old}.local"}
    place.mesh.edit(lambda spec: spec["clusters"][0].update(identity))
    renamed = place.mesh("state", "rename", old, new, "--yes")
    assert renamed.code == 0, renamed

    plan = place.mesh("plan")
    assert "to destroy" not in plan or "0 to destroy" in plan, plan
    place.mesh.mended()


def test_what_is_forgotten_stays_in_the_cluster(place: Place) -> None:
    place.mesh.applied()
    label = place.at("label/*/istio-system")
    assert place.mesh("state", "forget", label).code == USAGE  # nobody there to say yes
    answer = place.mesh("state", "forget", label, "--yes")
    assert answer.code == 0, answer
    assert label not in place.mesh.lock()["resources"]
    place.mesh.settled()
    assert place.mesh("state", "forget", "label/nowhere/nothing", "--yes").code == USAGE
    place.mesh.applied()
    assert label in place.mesh.lock()["resources"]


@pytest.mark.parametrize("is_adopted", [False, True])
def test_a_release_that_is_not_ours_waits_for_recover(place: Place, is_adopted: bool) -> None:
    place.mesh.applied()
    place.mesh.edit(lambda spec: spec.update(defaults={"adopt": is_adopted}))
    name, address = "sh.helm.release.v1.istio-cni.v1", place.at("chart/*/cni")
    pend(place, name)
    for verb in (("plan",), ("apply", "--yes")):
        refused = place.mesh(*verb)
        assert refused.code == REFUSED, refused
        assert "pending-upgrade" in refused
    assert place.mesh("recover", address).code == USAGE
    answer = place.mesh("recover", address, "--yes")
    assert answer.code == 0, answer
    assert "revision 1 is marked as failed" in answer
    again = place.mesh("recover", address, "--yes")
    assert "nothing to recover" in again
    place.resumed()
    assert place.revisions()["istio-cni"][-1] == ("2", "deployed")


def pend(place: Place, name: str) -> None:
    """Leave a release as a killed `helm upgrade` of somebody else does."""
    find = ("get", "secret", name, "-n", "istio-system", "-o", "json")
    secret = json.loads(place.kubectl(place.cluster, *find))
    payload = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    payload["info"]["status"] = "pending-upgrade"
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(payload).encode()))).decode()
    secret["data"]["release"] = packed
    secret["metadata"]["labels"]["status"] = "pending-upgrade"
    place.kubectl(place.cluster, "replace", "-f", "-", stdin=json.dumps(secret))
