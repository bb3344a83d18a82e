"""Kind `cert` on real API servers."""

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mesh.errors import RefusedError, StalePlanError
from mesh.lab import Lab
from mesh.model import Key, Live, Unread
from mesh.model.spec import GenerateCA, Intermediate
from mesh.providers.cert import ROOT, CertProvider, IntermediateSpec, RootSpec, cacerts_place, root_place
from mesh.sdk.contract import Last
from mesh.world import World
from mesh.world.resources import CONFIG_MAP, SECRET
from mesh.world.snapshot import Snapshot
from tests.conftest import Tool
from tests.providers.worlds import ahead, fresh_namespace, look, look_live, without_rights, world_on

KIND = CertProvider()
CLUSTERS = ("cluster1", "cluster2")
KEY, OTHER = (Key("cert", name, "cacerts") for name in CLUSTERS)
DAY = timedelta(days=1)


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> World:
    return world_on(lab, tmp_path)


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    with fresh_namespace(world, *CLUSTERS) as name:
        yield name


def root_spec(namespaces: dict[str, str]) -> RootSpec:
    return RootSpec("prod", GenerateCA(), "ecdsa-p384", 3650 * DAY, namespaces)


@pytest.fixture
def spec(namespace: str, world: World) -> IntermediateSpec:
    KIND.create(root_spec({}), ROOT, world)
    issuer = look_live(KIND, ROOT, root_place("prod", GenerateCA()), world).outputs["issuer"]
    return IntermediateSpec("prod", "cluster1", namespace, Intermediate(), GenerateCA(), issuer)


def secret_files(world: World, namespace: str, folder: Path, cluster: str = "cluster1") -> Path:
    obj = world.kube(cluster).get(SECRET, namespace, "cacerts")
    assert obj is not None
    folder.mkdir()
    for name, value in obj["data"].items():
        (folder / name).write_bytes(base64.b64decode(value))
    return folder


def test_it_is_absent_then_as_wanted_then_gone(spec: IntermediateSpec, world: World) -> None:
    place = cacerts_place(spec.namespace)
    assert look(KIND, KEY, place, world) is None
    KIND.create(spec, KEY, world)
    live = look_live(KIND, KEY, place, world)
    KIND.create(spec, KEY, world)
    assert look_live(KIND, KEY, place, world) == live
    assert KIND.wanted(spec, live, None) == live.attrs
    assert KIND.due(spec, live, world.clock.now()) == ""
    assert KIND.refuse(spec, live, None) == ""
    assert KIND.ready(spec, live)
    assert "PRIVATE" not in repr(live)
    assert KIND.owned("prod", Snapshot("cluster1", world))[KEY] == place
    last = Last(place, uid=live.uid)
    assert KIND.delete(KEY, place, live, last, world) == ()
    assert KIND.delete(KEY, place, live, last, world) == ()
    assert look(KIND, KEY, place, world) is None


def test_two_clusters_share_the_root_and_openssl_accepts_both(
    spec: IntermediateSpec, world: World, tmp_path: Path
) -> None:
    KIND.create(spec, KEY, world)
    KIND.create(replace(spec, cluster="cluster2"), OTHER, world)
    place = cacerts_place(spec.namespace)
    one, two = look_live(KIND, KEY, place, world), look_live(KIND, OTHER, place, world)
    assert one.outputs["root"] == two.outputs["root"]
    assert one.outputs["fingerprint"] != two.outputs["fingerprint"]
    folders = [secret_files(world, spec.namespace, tmp_path / name, name) for name in CLUSTERS]
    assert len({(folder / "root-cert.pem").read_bytes() for folder in folders}) == 1
    for folder in folders:
        argv = ["openssl", "verify", "-x509_strict", "-CAfile", "root-cert.pem", "ca-cert.pem"]
        assert (
            subprocess.run(argv, cwd=folder, check=True, capture_output=True).stdout == b"ca-cert.pem: OK\n"
        )


def test_an_expiring_one_is_signed_anew_under_the_same_root_in_one_write(
    spec: IntermediateSpec, world: World, tmp_path: Path, kubectl: Tool
) -> None:
    KIND.create(spec, KEY, world)
    kubectl("cluster1", "-n", spec.namespace, "annotate", "secret", "cacerts", "note=kept")
    place, later = cacerts_place(spec.namespace), ahead(world, 299 * DAY)
    before = look_live(KIND, KEY, place, later)
    roots = secret_files(world, spec.namespace, tmp_path / "before") / "root-cert.pem"
    assert KIND.due(spec, before, later.clock.now()) == "expires in 65 days"
    assert KIND.preview(spec, KEY, before, later).refusals == ()
    KIND.update(spec, KEY, before, None, later)
    after = look_live(KIND, KEY, place, later)
    KIND.update(spec, KEY, before, None, later)
    assert look_live(KIND, KEY, place, later) == after
    assert (after.uid, after.outputs["root"]) == (before.uid, before.outputs["root"])
    assert after.token != before.token
    assert (KIND.due(spec, after, later.clock.now()), KIND.wanted(spec, after, None)) == ("", after.attrs)
    now = secret_files(world, spec.namespace, tmp_path / "after") / "root-cert.pem"
    assert now.read_bytes() == roots.read_bytes()
    note = ("get", "secret", "cacerts", "-o", "jsonpath={.metadata.annotations.note}")
    assert kubectl("cluster1", "-n", spec.namespace, *note) == "kept"


@pytest.mark.parametrize("algorithm", ["ecdsa-p384", "rsa-4096"])
def test_a_changed_profile_is_shown_and_closed(spec: IntermediateSpec, world: World, algorithm: str) -> None:
    KIND.create(spec, KEY, world)
    place = cacerts_place(spec.namespace)
    changed = replace(spec, profile=Intermediate(30 * DAY, 10 * DAY, algorithm))  # type: ignore[arg-type]  # a table
    live = look_live(KIND, KEY, place, world)
    assert KIND.wanted(changed, live, None) != live.attrs
    KIND.update(changed, KEY, live, None, world)
    mended = look_live(KIND, KEY, place, world)
    assert KIND.wanted(changed, mended, None) == mended.attrs
    assert KIND.ready(changed, mended)


def test_one_damaged_by_hand_is_told_and_mended(spec: IntermediateSpec, world: World, kubectl: Tool) -> None:
    KIND.create(spec, KEY, world)
    patch = '{"data": {"cert-chain.pem": ""}}'
    kubectl("cluster1", "-n", spec.namespace, "patch", "secret", "cacerts", "-p", patch)
    live = look_live(KIND, KEY, cacerts_place(spec.namespace), world)
    assert KIND.due(spec, live, world.clock.now()) == "cert-chain.pem: it is missing"
    assert live.touches[0].manager.startswith("kubectl")
    KIND.update(spec, KEY, live, None, world)
    assert KIND.ready(spec, look_live(KIND, KEY, cacerts_place(spec.namespace), world))


def make_foreign(
    world: World, spec: IntermediateSpec, folder: Path, kubectl: Tool, key: Path, cert: Path
) -> None:
    """What the guides do by hand: an intermediate made with openssl, put there with kubectl."""
    folder.mkdir()
    (folder / "ext").write_text(
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
    )
    for line in (
        "ecparam -name prime256v1 -genkey -noout -out ca-key.pem",
        "req -new -key ca-key.pem -subj /O=Istio/CN=by-hand -out csr",
        f"x509 -req -in csr -CA {cert} -CAkey {key} -extfile ext -days 99 -out ca-cert.pem",
    ):
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)
    root = cert.read_text()
    (folder / "root-cert.pem").write_text(root)
    (folder / "cert-chain.pem").write_text((folder / "ca-cert.pem").read_text() + root)
    names = ("ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem")
    files = [f"--from-file={folder / name}" for name in names]
    kubectl("cluster1", "-n", spec.namespace, "create", "secret", "generic", "cacerts", *files)


def test_a_foreign_one_of_the_mesh_root_is_kept(
    spec: IntermediateSpec, world: World, tmp_path: Path, kubectl: Tool
) -> None:
    folder = tmp_path / ".config/mesh/prod"
    make_foreign(world, spec, tmp_path / "foreign", kubectl, folder / "root.key", folder / "root.crt")
    place = cacerts_place(spec.namespace)
    live = look_live(KIND, KEY, place, world)
    assert KIND.refuse(spec, live, None) == ""
    assert KIND.wanted(spec, live, None) == live.attrs
    KIND.create(spec, KEY, world)
    assert look_live(KIND, KEY, place, world) == live
    left = KIND.delete(KEY, place, live, Last(place, created=False, uid=live.uid), world)
    assert left == ("cacerts in cluster cluster1 was not created by mesh and stays",)


def test_one_of_another_root_is_refused_and_never_overwritten(
    spec: IntermediateSpec, world: World, tmp_path: Path, kubectl: Tool
) -> None:
    key, cert = tmp_path / "other.key", tmp_path / "other.crt"
    request = f"req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {cert} -subj /CN=other -days 9"
    subprocess.run(["openssl", *request.split()], check=True, capture_output=True)
    make_foreign(world, spec, tmp_path / "foreign", kubectl, key, cert)
    place = cacerts_place(spec.namespace)
    live = look_live(KIND, KEY, place, world)
    assert "not by the mesh's root" in KIND.refuse(spec, live, None)
    with pytest.raises(RefusedError):
        KIND.create(spec, KEY, world)
    with pytest.raises(RefusedError):
        KIND.update(spec, KEY, live, None, world)
    assert look_live(KIND, KEY, place, world) == live


def test_one_made_again_since_the_plan_is_not_touched(spec: IntermediateSpec, world: World) -> None:
    KIND.create(spec, KEY, world)
    place = cacerts_place(spec.namespace)
    planned = look_live(KIND, KEY, place, world)
    KIND.delete(KEY, place, planned, Last(place), world)
    KIND.create(spec, KEY, world)
    with pytest.raises(StalePlanError):
        KIND.update(spec, KEY, planned, None, world)


@pytest.mark.parametrize("shown_by", ["cacerts", "published"])
def test_a_second_root_is_never_generated_while_a_cluster_shows_one(
    spec: IntermediateSpec, world: World, tmp_path: Path, shown_by: str
) -> None:
    issuer = spec.issuer
    assert isinstance(issuer, dict)
    if shown_by == "cacerts":
        KIND.create(spec, KEY, world)
    else:
        published = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "istio-ca-root-cert", "namespace": spec.namespace},
            "data": {"root-cert.pem": issuer["certificate"]},
        }
        world.kube("cluster2").apply(published, manager="istiod")
    elsewhere = replace(world, env={**world.env, "HOME": str(tmp_path / "elsewhere")})
    wanted = root_spec(dict.fromkeys(CLUSTERS, spec.namespace))
    refusals = KIND.preview(wanted, ROOT, None, elsewhere).refusals
    assert issuer["fingerprint"] in "".join(refusals)
    assert "a second root is never generated" in refusals[0]
    with pytest.raises(RefusedError):
        KIND.create(wanted, ROOT, elsewhere)
    assert not (tmp_path / "elsewhere").exists()
    assert KIND.preview(wanted, ROOT, None, without_rights(elsewhere)).refusals == ()
    cleanup = (SECRET, "cacerts", "cluster1"), (CONFIG_MAP, "istio-ca-root-cert", "cluster2")
    for resource, name, cluster in cleanup:
        world.kube(cluster).delete(resource, spec.namespace, name)


def test_a_cluster_that_may_not_be_read_is_unread(spec: IntermediateSpec, world: World) -> None:
    found = look(KIND, KEY, cacerts_place(spec.namespace), without_rights(world))
    assert isinstance(found, Unread)
    assert not isinstance(found, Live)
