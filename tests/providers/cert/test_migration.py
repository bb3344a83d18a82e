"""A cluster under another root of trust: found out, refused, and moved when the file says so."""

import base64
import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mesh.errors import RefusedError
from mesh.lab import Lab
from mesh.model import Key, Live, Unknown
from mesh.model.spec import CA, CommandCA, ExistingCA, GenerateCA, Intermediate
from mesh.providers.cert import ROOT, CertProvider, IntermediateSpec, RootSpec, cacerts_place, root_place
from mesh.providers.cert.observe import CSR, SELF_SIGNED, UNPLUGGED
from mesh.world import Object, World
from mesh.world.pki import issue_root, new_key
from mesh.world.resources import CONFIG_MAP, SECRET
from tests.providers.worlds import fresh_namespace, look, look_live, world_on

KIND = CertProvider()
KEY = Key("cert", "cluster1", "cacerts")
DAY = timedelta(days=1)
ISSUED = {
    "fingerprint": "sha256:ours",
    "spki": "",
    "certificate": "",
    "not_after": "2036-05-01T00:00:00+00:00",
}


def pure(ca: CA = GenerateCA(), **changes: Any) -> IntermediateSpec:  # noqa: B008  # frozen
    one = IntermediateSpec("prod", "cluster1", "istio-system", Intermediate(), ca, ISSUED)
    return replace(one, **changes)


def signs(by: str, root: str = "sha256:theirs", **status: Any) -> Live:
    attrs = {"issuer": root, "key": "", "path_length": None, "validity": ""}
    told = {"by": by, "problems": [], "roots": [root], "address": "", **status}
    return Live(attrs, "token", uid="uid" if by == "cacerts" else "", outputs={"root": root}, status=told)


def test_an_istiod_with_a_root_of_its_own_is_refused_and_the_way_is_offered() -> None:
    why = KIND.refuse(pure(), signs(SELF_SIGNED), None)
    assert "the root of trust of cluster cluster1 is sha256:theirs, self-signed by its istiod" in why
    assert "set spec.rootOfTrust.migrate: restart" in why
    assert KIND.wanted(pure(), signs(SELF_SIGNED), None) == signs(SELF_SIGNED).attrs


def test_a_program_never_signed_it_whatever_its_root_will_be() -> None:
    spec = pure(CommandCA(("sign",)), issuer=Unknown(ROOT))
    assert "which is not the mesh's" in KIND.refuse(spec, signs(SELF_SIGNED), None)


def test_what_has_the_root_of_the_mesh_is_kept_whoever_signs() -> None:
    for by in (SELF_SIGNED, CSR, "cacerts"):
        for spec in (pure(), pure(migrate="restart")):
            live = signs(by, "sha256:ours")
            assert (KIND.refuse(spec, live, None), KIND.wanted(spec, live, None)) == ("", live.attrs)


def test_a_move_is_allowed_by_the_file_and_changes_the_issuer() -> None:
    spec = pure(migrate="restart")
    assert KIND.refuse(spec, signs(SELF_SIGNED), None) == ""
    assert KIND.wanted(spec, signs(SELF_SIGNED), None) == {
        "issuer": "sha256:ours",
        "key": "ecdsa-p256",
        "path_length": 0,
        "validity": "365d",
    }
    assert KIND.asks == {("issuer",)}


def test_a_cacerts_is_replaced_only_if_it_is_saved_first() -> None:
    spec = pure(migrate="restart")
    assert "spec.rootOfTrust.migrateBackup" in KIND.refuse(spec, signs("cacerts"), None)
    assert KIND.refuse(replace(spec, backup="saved"), signs("cacerts"), None) == ""
    kept = signs("cacerts", certificate="istio-ca")
    assert "kept by cert-manager" in KIND.refuse(replace(spec, backup="saved"), kept, None)


def test_another_signer_than_istiod_is_never_moved_and_is_enough_where_all_exists() -> None:
    assert "let istiod sign" in KIND.refuse(pure(migrate="restart"), signs(CSR), None)
    assert KIND.refuse(pure(ExistingCA(), issuer=None), signs(CSR), None) == ""
    assert "is missing" in KIND.refuse(pure(ExistingCA(), issuer=None), signs(SELF_SIGNED), None)


def test_a_cacerts_that_is_gone_is_made_again_under_the_same_root_only() -> None:
    lost = signs(UNPLUGGED, "sha256:ours")
    assert KIND.refuse(pure(), lost, None) == ""
    assert KIND.wanted(pure(), lost, None)["key"] == "ecdsa-p256"
    assert "not the mesh's root sha256:ours" in KIND.refuse(pure(), signs(UNPLUGGED), None)


# --- on a real API server ----------------------------------------------------------------------------------


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> World:
    return world_on(lab, tmp_path)


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    with fresh_namespace(world, "cluster1") as name:
        yield name


@pytest.fixture
def spec(namespace: str, world: World) -> IntermediateSpec:
    KIND.create(RootSpec("moved", GenerateCA(), "ecdsa-p384", 3650 * DAY), ROOT, world)
    issuer = look_live(KIND, ROOT, root_place("moved", GenerateCA()), world).outputs["issuer"]
    one = IntermediateSpec("moved", "cluster1", namespace, Intermediate(), GenerateCA(), issuer)
    return replace(one, migrate="restart", backup="saved/here")


def put(world: World, kind: str, namespace: str, name: str, **more: Any) -> Object:
    group = "apps/v1" if kind == "Deployment" else "v1"
    meta = {"name": name, "namespace": namespace, **more.pop("metadata", {})}
    obj = {"apiVersion": group, "kind": kind, "metadata": meta, **more}
    return world.kube("cluster1").create(obj, manager="test")


def istiod(world: World, namespace: str, **env: str) -> None:
    """An istiod as far as its Deployment shows; no pod of it ever runs."""
    container = {
        "name": "discovery",
        "image": "x",
        "env": [{"name": name, "value": value} for name, value in env.items()],
    }
    template = {"metadata": {"labels": {"app": "istiod"}}, "spec": {"containers": [container]}}
    selector = {"matchLabels": {"app": "istiod"}}
    labels = {"labels": {"app": "istiod"}}
    body = {"replicas": 0, "selector": selector, "template": template}
    put(world, "Deployment", namespace, "istiod", metadata=labels, spec=body)


def their_root(world: World) -> str:
    return issue_root(new_key("ecdsa-p256"), "theirs", validity=DAY, now=world.clock.now())


def publish(world: World, namespace: str, pem: str) -> None:
    found = world.kube("cluster1").list(CONFIG_MAP, namespace=namespace)
    assert [each for each in found if each["metadata"]["name"] == "istio-ca-root-cert"] == []
    put(world, "ConfigMap", namespace, "istio-ca-root-cert", data={"root-cert.pem": pem})


def test_without_an_istiod_there_is_nothing_to_move(spec: IntermediateSpec, world: World) -> None:
    publish(world, spec.namespace, their_root(world))
    assert look(KIND, KEY, cacerts_place(spec.namespace), world) is None


@pytest.mark.parametrize(("env", "by"), [({}, SELF_SIGNED), ({"ENABLE_CA_SERVER": "false"}, CSR)])
def test_who_signs_is_told_by_what_istiod_publishes_and_keeps(
    spec: IntermediateSpec, world: World, env: dict[str, str], by: str
) -> None:
    istiod(world, spec.namespace, **env)
    place = cacerts_place(spec.namespace)
    assert look(KIND, KEY, place, world) is None
    pem = base64.b64encode(their_root(world).encode()).decode()
    put(world, "Secret", spec.namespace, "istio-ca-secret", data={"ca-cert.pem": pem})
    assert look_live(KIND, KEY, place, world).status["by"] == by


def test_what_an_istiod_signed_with_before_its_cacerts_is_not_what_it_signs_with(
    spec: IntermediateSpec, world: World
) -> None:
    istiod(world, spec.namespace)
    own = base64.b64encode(their_root(world).encode()).decode()
    put(world, "Secret", spec.namespace, "istio-ca-secret", data={"ca-cert.pem": own})
    publish(world, spec.namespace, spec.issuer["certificate"])
    lost = look_live(KIND, KEY, cacerts_place(spec.namespace), world)
    assert (lost.status["by"], lost.outputs["root"]) == (UNPLUGGED, spec.issuer["fingerprint"])
    KIND.update(spec, KEY, lost, None, world)
    assert look_live(KIND, KEY, cacerts_place(spec.namespace), world).status["by"] == "cacerts"


def test_a_self_signed_cluster_gets_a_cacerts_and_keeps_it_while_its_istiod_stays(
    spec: IntermediateSpec, world: World
) -> None:
    istiod(world, spec.namespace)
    publish(world, spec.namespace, their_root(world))
    place = cacerts_place(spec.namespace)
    before = look_live(KIND, KEY, place, world)
    assert before.outputs["root"] != spec.issuer["fingerprint"]
    KIND.update(spec, KEY, before, None, world)
    after = look_live(KIND, KEY, place, world)
    KIND.update(spec, KEY, before, None, world)
    assert look_live(KIND, KEY, place, world) == after
    assert after.attrs == KIND.wanted(spec, after, None)
    assert KIND.refuse(replace(spec, migrate="", backup=""), after, None) == ""


@pytest.mark.parametrize("kind", ["Opaque", "kubernetes.io/tls"])
def test_a_foreign_cacerts_is_saved_and_nothing_of_it_is_left(
    spec: IntermediateSpec, world: World, kind: str
) -> None:
    names = ("tls.crt", "tls.key", "ca.crt") if kind != "Opaque" else ("root-cert.pem", "ca-key.pem")
    data = {name: base64.b64encode(their_root(world).encode()).decode() for name in names}
    put(world, "Secret", spec.namespace, "cacerts", type=kind, data=data)
    before = look_live(KIND, KEY, cacerts_place(spec.namespace), world)
    assert "saved first" not in KIND.refuse(spec, before, None)
    KIND.update(spec, KEY, before, None, world)
    now = world.kube("cluster1").get(SECRET, spec.namespace, "cacerts")
    assert now is not None
    assert sorted(now["data"]) == ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]
    saved = world.folder / "saved" / "here-cluster1.yaml"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert json.loads(saved.read_text())["data"] == data


def test_a_file_that_is_there_is_never_overwritten(spec: IntermediateSpec, world: World) -> None:
    put(world, "Secret", spec.namespace, "cacerts", data={"ca-key.pem": "eA=="})
    saved = world.folder / "saved"
    saved.mkdir(mode=0o700)
    (saved / "here-cluster1.yaml").write_text("mine")
    (saved / "here-cluster1.yaml").chmod(0o600)
    before = look_live(KIND, KEY, cacerts_place(spec.namespace), world)
    with pytest.raises(RefusedError, match="holds something else"):
        KIND.update(spec, KEY, before, None, world)
    now = world.kube("cluster1").get(SECRET, spec.namespace, "cacerts")
    assert now is not None
    assert now["data"] == {"ca-key.pem": "eA=="}
