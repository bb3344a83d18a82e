"""Kind `cert`, as far as it decides without a cluster, and the root on disk."""

import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mesh.errors import MeshError, RefusedError
from mesh.model import Key, Live, Unknown
from mesh.model.spec import CA, CommandCA, ExistingCA, FilesCA, GenerateCA, Intermediate
from mesh.providers.cert import (
    ISSUER,
    ROOT,
    CertProvider,
    IntermediateSpec,
    RootSpec,
    cacerts_place,
    root_place,
)
from mesh.sdk.contract import Last
from mesh.world import World, pki
from tests.providers.worlds import look, look_live, world_without_clusters

KIND = CertProvider()
KEY = Key("cert", "cluster1", "cacerts")
NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ISSUED = {
    "fingerprint": "sha256:root",
    "spki": "sha256:key",
    "certificate": "",
    "not_after": "2036-05-01T00:00:00+00:00",
}


def root_spec(ca: CA = GenerateCA()) -> RootSpec:  # noqa: B008  # frozen
    return RootSpec("prod", ca, "ecdsa-p384", 3650 * DAY)


def spec(**changes: Any) -> IntermediateSpec:
    one = IntermediateSpec("prod", "cluster1", "istio-system", Intermediate(), GenerateCA(), ISSUED)
    return replace(one, **changes)


def cacerts(
    *, issuer: str = "sha256:root", owner: str = "prod", days: int = 365, problems: tuple[str, ...] = ()
) -> Live:
    return Live(
        {"issuer": issuer, "key": "ecdsa-p256", "path_length": 0, "validity": f"{days}d"},
        "token",
        uid="uid",
        outputs={
            "root": issuer,
            "not_before": (NOW - timedelta(minutes=10)).isoformat(),
            "not_after": (NOW + days * DAY).isoformat(),
        },
        status={
            "by": "cacerts",
            "problems": list(problems),
            "address": str(KEY) if owner == "prod" else "",
        },
        owner=owner,
    )


def test_one_of_ours_is_as_wanted() -> None:
    assert KIND.wanted(spec(), cacerts(), None) == cacerts().attrs
    assert KIND.due(spec(), cacerts(), NOW) == ""
    assert KIND.ready(spec(), cacerts())


def test_before_the_root_is_made_the_issuer_is_unknown() -> None:
    unknown = spec(issuer=Unknown(ROOT))
    assert KIND.wanted(unknown, None, None)["issuer"] == Unknown(ROOT)
    assert KIND.refuse(unknown, None, None) == ""


def test_another_profile_differs() -> None:
    changed = spec(profile=Intermediate(validity=30 * DAY, renew_before=10 * DAY, key="rsa-4096"))
    assert KIND.wanted(changed, cacerts(), None) == {
        "issuer": "sha256:root",
        "key": "rsa-4096",
        "path_length": 0,
        "validity": "30d",
    }


def test_one_cut_short_by_its_root_is_as_wanted_and_not_renewed_for_ever() -> None:
    short = spec(issuer={**ISSUED, "not_after": (NOW + 100 * DAY).isoformat()})
    live = cacerts(days=100)
    assert KIND.wanted(short, live, None) == live.attrs
    assert KIND.due(short, live, NOW + 99 * DAY) == ""


@pytest.mark.parametrize(("day", "due"), [(274, ""), (275, "expires in 90 days"), (400, "expires in 0 days")])
def test_it_is_renewed_as_long_before_its_end_as_the_file_says(day: int, due: str) -> None:
    assert KIND.due(spec(), cacerts(), NOW + day * DAY) == due


def test_a_short_one_is_renewed_in_its_last_third_whatever_the_file_says() -> None:
    short = spec(profile=Intermediate(validity=30 * DAY))
    assert KIND.due(short, cacerts(days=30), NOW + 19 * DAY) == ""
    assert KIND.due(short, cacerts(days=30), NOW + 21 * DAY) == "expires in 9 days"


def test_one_of_ours_that_istiod_cannot_use_is_signed_anew() -> None:
    assert (
        KIND.due(spec(), cacerts(problems=("ca-key.pem: it is missing",)), NOW) == "ca-key.pem: it is missing"
    )


def test_another_root_is_refused_whoever_made_it() -> None:
    for owner in ("prod", "field manager kubectl"):
        why = KIND.refuse(spec(), cacerts(issuer="sha256:other", owner=owner), None)
        assert (
            "cacerts in cluster cluster1 was issued by root sha256:other, not by the mesh's root sha256:root"
            in why
        )
        assert "never overwritten" in why


def test_a_foreign_one_of_the_same_root_is_kept_as_it_is() -> None:
    foreign = cacerts(owner="field manager kubectl", days=9)
    assert KIND.wanted(spec(), foreign, None) == foreign.attrs
    assert KIND.due(spec(), foreign, NOW + 8 * DAY) == ""
    assert KIND.refuse(spec(), foreign, None) == ""


def test_a_foreign_one_that_istiod_cannot_use_is_refused_with_the_reason() -> None:
    why = KIND.refuse(spec(), cacerts(owner="", problems=("it expired",)), None)
    assert "istiod cannot use cacerts in cluster cluster1, not created by this mesh: it expired" in why


def test_one_that_lost_its_label_is_known_by_the_lockfile() -> None:
    last = Last(cacerts_place("istio-system"), uid="uid")
    lost = cacerts(owner="", problems=("it expired",))
    assert KIND.refuse(spec(), lost, last) == ""


def test_existing_ones_are_taken_as_they_are_and_must_be_there() -> None:
    existing = spec(ca=ExistingCA(), issuer=None)
    assert KIND.wanted(existing, cacerts(owner=""), None) == cacerts().attrs
    assert "says that it exists" in KIND.refuse(existing, None, None)
    assert not KIND.ready(existing, cacerts(problems=("it expired",)))


def test_roots_that_differ_are_named() -> None:
    a, b, none = frozenset({"sha256:a"}), frozenset({"sha256:b"}), frozenset[str]()
    assert pki.root_conflicts("sha256:a", {"one": a, "two": a | b, "three": none}) == ()
    assert pki.root_conflicts("sha256:a", {"one": b}) == (
        "cluster one has the root of trust sha256:b, and the mesh has sha256:a",
    )
    assert "a second root is never generated" in pki.root_conflicts(None, {"one": b, "two": none})[0]
    assert pki.one_root({"one": a, "two": a | b, "three": none}) == ()
    assert pki.one_root({"one": a, "two": b}) == (
        "the clusters do not share a root of trust: one sha256:a, two sha256:b",
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_without_clusters(tmp_path)


def files_of(world: World, ca: CA = GenerateCA()) -> pki.RootFiles:  # noqa: B008  # frozen
    return pki.root_files("prod", ca, pki.SigningContext(world.env, world.folder, world.clock.now()))


def test_a_root_is_made_once_in_the_users_folder_and_private(world: World) -> None:
    place = root_place("prod", GenerateCA())
    assert look(KIND, ROOT, place, world) is None
    assert "copy" in KIND.preview(root_spec(), ROOT, None, world).notes[0]
    KIND.create(root_spec(), ROOT, world)
    live = look_live(KIND, ROOT, place, world)
    KIND.create(root_spec(), ROOT, world)
    assert look(KIND, ROOT, place, world) == live
    files = files_of(world)
    assert files.key == world.folder / ".config/mesh/prod/root.key"
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert KIND.wanted(root_spec(), live, None) == live.attrs == {"key": "ecdsa-p384", "validity": "3650d"}
    assert set(live.outputs["issuer"]) == {"certificate", "fingerprint", "not_after", "spki", "subject"}
    assert live.status["key"] == "present"
    assert KIND.ready(root_spec(), live)


def test_a_root_survives_a_destroy(world: World) -> None:
    KIND.create(root_spec(), ROOT, world)
    place = root_place("prod", GenerateCA())
    live = look_live(KIND, ROOT, place, world)
    remarks = KIND.delete(ROOT, place, live, Last(place), world)
    assert str(files_of(world).key) in remarks[0]
    assert look(KIND, ROOT, place, world) == live


def test_xdg_and_a_path_of_the_users_are_respected(tmp_path: Path) -> None:
    world = world_without_clusters(tmp_path)
    moved = replace(world, env={**world.env, "XDG_CONFIG_HOME": str(tmp_path / "xdg")})
    assert files_of(moved).key == tmp_path / "xdg/mesh/prod/root.key"
    ca = GenerateCA("~/keys/my.key")
    KIND.create(root_spec(ca), ROOT, world)
    assert {each.name for each in (tmp_path / "keys").iterdir()} == {"my.key", "my.crt"}
    assert look(KIND, ROOT, root_place("prod", ca), world)


def test_a_crash_between_key_and_certificate_uses_the_key(world: World) -> None:
    KIND.create(root_spec(), ROOT, world)
    place, files = root_place("prod", GenerateCA()), files_of(world)
    before = look_live(KIND, ROOT, place, world).outputs["issuer"]["spki"]
    files.certificate.unlink()
    assert look(KIND, ROOT, place, world) is None
    KIND.create(root_spec(), ROOT, world)
    assert look_live(KIND, ROOT, place, world).outputs["issuer"]["spki"] == before


def test_a_certificate_without_its_key_is_not_given_another(world: World) -> None:
    KIND.create(root_spec(), ROOT, world)
    files_of(world).key.unlink()
    with pytest.raises(RefusedError, match=r"root\.key does not"):
        KIND.create(root_spec(), ROOT, world)


def test_without_the_key_the_recorded_root_is_there_and_signing_is_refused_with_the_ways_out(
    world: World, tmp_path: Path
) -> None:
    KIND.create(root_spec(), ROOT, world)
    place = root_place("prod", GenerateCA())
    live = look_live(KIND, ROOT, place, world)
    colleague = world_without_clusters(tmp_path / "colleague")
    last = {ROOT: Last(place, outputs=live.outputs)}
    seen = look(KIND, ROOT, place, colleague, last)
    assert isinstance(seen, Live)
    assert (seen.outputs, seen.status["key"]) == (live.outputs, "absent")
    assert KIND.refuse(root_spec(), seen, last[ROOT]) == ""
    issuer = seen.outputs["issuer"]
    refusals = KIND.preview(spec(issuer=issuer), KEY, None, colleague).refusals
    assert refusals[0].startswith(f"needs the root key {issuer['spki']}, and ")
    assert "copy the key there" in refusals[0]
    assert KIND.preview(spec(issuer=issuer), KEY, None, world).refusals == ()


def test_another_root_than_the_recorded_one_is_refused(world: World) -> None:
    KIND.create(root_spec(), ROOT, world)
    place = root_place("prod", GenerateCA())
    live = look_live(KIND, ROOT, place, world)
    last = Last(place, outputs={"issuer": {**live.outputs["issuer"], "fingerprint": "sha256:before"}})
    assert "was sha256:before at the last apply" in KIND.refuse(root_spec(), live, last)


def test_a_passphrase_locks_the_key(world: World) -> None:
    locked = replace(world, env={**world.env, "MESH_CA_PASSPHRASE": "open sesame"})
    KIND.create(root_spec(), ROOT, locked)
    assert b"ENCRYPTED" in files_of(world).key.read_bytes()
    issuer = look_live(KIND, ROOT, root_place("prod", GenerateCA()), world).outputs["issuer"]
    assert KIND.preview(spec(issuer=issuer), KEY, None, locked).refusals == ()
    assert "set MESH_CA_PASSPHRASE" in KIND.preview(spec(issuer=issuer), KEY, None, world).refusals[0]


def test_a_key_in_a_git_work_tree_is_refused_unless_ignored(world: World) -> None:
    subprocess.run(["git", "init", "-q", str(world.folder)], check=True)
    ca = GenerateCA("keys/root.key")
    assert "inside a git work tree" in KIND.preview(root_spec(ca), ROOT, None, world).refusals[0]
    with pytest.raises(RefusedError):
        KIND.create(root_spec(ca), ROOT, world)
    (world.folder / ".gitignore").write_text("keys/\n")
    KIND.create(root_spec(ca), ROOT, world)


def test_files_of_the_users_are_read_and_verified(world: World) -> None:
    KIND.create(root_spec(), ROOT, world)
    made = files_of(world)
    ca = FilesCA(str(made.certificate), str(made.key))
    live = look_live(KIND, ROOT, root_place("prod", ca), world)
    assert KIND.wanted(root_spec(ca), live, None) == live.attrs
    assert KIND.preview(spec(ca=ca, issuer=live.outputs["issuer"]), KEY, None, world).refusals == ()
    made.key.chmod(0o644)
    problems = pki.check_files(made.certificate, made.key, passphrase="", now=world.clock.now())
    assert "is open to other users" in problems[0]
    missing = FilesCA("none.crt", "none.key")
    assert look(KIND, ROOT, root_place("prod", missing), world) is None
    assert "none.crt does not exist" in KIND.preview(root_spec(missing), ROOT, None, world).refusals[0]


def test_a_key_of_another_certificate_is_told(world: World, tmp_path: Path) -> None:
    KIND.create(root_spec(), ROOT, world)
    other = tmp_path / "other.key"
    other.touch(mode=0o600)
    other.write_bytes(pki.key_pem(pki.new_key("ecdsa-p256")))
    problems = pki.check_files(files_of(world).certificate, other, passphrase="", now=world.clock.now())
    assert problems == (f"{other}: the key does not belong to the certificate",)


def test_a_signing_command_that_is_not_there_is_refused(world: World) -> None:
    ca = CommandCA(("no-such-signer",))
    refusals = KIND.preview(spec(ca=ca), KEY, None, world).refusals
    assert refusals[0].startswith("the signing command no-such-signer does not exist")


SIGNER = """#!/bin/sh
set -e
dir=$(mktemp -d); trap 'rm -r "$dir"' EXIT
cat > "$dir/csr"
printf 'basicConstraints=critical,CA:TRUE,pathlen:0\\nkeyUsage=critical,keyCertSign,cRLSign\\n' > "$dir/ext"
openssl x509 -req -in "$dir/csr" -CA ca.crt -CAkey ca.key -extfile "$dir/ext" -days 30 2>/dev/null
cat ca.crt
"""


def test_a_command_signs_and_its_root_is_learnt_first(world: World) -> None:
    KIND.create(root_spec(), ROOT, world)
    made = files_of(world)
    made.certificate.rename(world.folder / "ca.crt")
    made.key.rename(world.folder / "ca.key")
    signer = world.folder / "sign.sh"
    signer.write_text(SIGNER)
    signer.chmod(0o700)
    ca = CommandCA(("./sign.sh",))
    assert KIND.preview(root_spec(ca), ROOT, None, world).notes
    KIND.create(root_spec(ca), ROOT, world)
    live = look_live(KIND, ROOT, root_place("prod", ca), world)
    assert live.outputs["issuer"]["certificate"] == (world.folder / "ca.crt").read_text()
    assert not files_of(world).key.exists()
    context = pki.SigningContext(world.env, world.folder, world.clock.now() + timedelta(minutes=1))
    certificate = live.outputs["issuer"]["certificate"]
    bundle = pki.sign_bundle("prod", "cluster1", ca, certificate, Intermediate(), context)
    assert pki.check_bundle(bundle, context.now) == ()
    other = pki.issue_root(pki.new_key("ecdsa-p256"), "prod", validity=DAY, now=NOW)
    with pytest.raises(MeshError, match="the signer's root is"):
        pki.sign_bundle("prod", "cluster1", ca, other, Intermediate(), context)


def test_what_an_intermediate_refers_to_is_an_output_of_the_root() -> None:
    assert (ISSUER.key, ISSUER.name) == (ROOT, "issuer")
