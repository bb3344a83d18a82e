"""Kind `secret`: the licence, ours or verified."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from mesh.errors import MeshError
from mesh.model import Key, Live, Sensitive
from mesh.model.diff import diff, fingerprints
from mesh.model.spec import Licence, SecretRef
from mesh.providers.secret import SecretProvider, SecretSpec, resolve_licence
from mesh.sdk.contract import Last
from mesh.sdk.kube_secret import place
from mesh.world import World
from mesh.world.clock import SystemClock
from mesh.world.fingerprint_keys import FingerprintKeys
from mesh.world.snapshot import Snapshot
from tests.support.check_server import Server

KIND = SecretProvider()
KEY = Key("secret", "cluster1", "solo-license")
VALUE = "eyJhbGciOi.very-secret"


def spec(value: str | None = VALUE) -> SecretSpec:
    return SecretSpec("prod", KEY, "istio-system", "solo-license", Sensitive(value) if value else None)


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def live(data: dict[str, str], owner: str = "prod") -> Live:
    return Live({"type": "Opaque", "data": data}, "token", owner=owner)


def test_the_licence_comes_from_the_environment_or_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "licence.txt").write_text(f"{VALUE}\n")
    assert resolve_licence(Licence(env="KEY"), {"KEY": f"{VALUE}\n"}, tmp_path) == Sensitive(VALUE)
    assert resolve_licence(Licence(file="licence.txt"), {}, tmp_path) == Sensitive(VALUE)
    assert resolve_licence(Licence(file="~/licence.txt"), {"HOME": str(tmp_path)}, Path("/")) == Sensitive(
        VALUE
    )
    assert resolve_licence(Licence(secret=SecretRef("a", "b")), {}, tmp_path) is None


def test_a_licence_that_every_user_can_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "licence.txt"
    path.write_text(VALUE)
    path.chmod(0o666)
    with pytest.raises(MeshError, match=r"is writable by every user \(mode 0666\)"):
        resolve_licence(Licence(file="licence.txt"), {}, tmp_path)


def test_a_licence_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "licence.txt"
    path.write_text(VALUE)
    if not os.geteuid():
        os.chown(path, 1, -1)
    owner = path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    with pytest.raises(MeshError, match="belongs to another user"):
        resolve_licence(Licence(file="licence.txt"), {}, tmp_path)


@pytest.mark.parametrize(
    ("licence", "why"),
    [
        (Licence(env="GLOO_MESH_LICENSE_KEY"), "environment variable GLOO_MESH_LICENSE_KEY is not set"),
        (Licence(env="EMPTY"), "environment variable EMPTY is empty"),
        (Licence(file="none.txt"), "none.txt cannot be read: No such file or directory"),
        (Licence(file="empty.txt"), "empty.txt is empty"),
        (Licence(file="binary"), "binary cannot be read: it is not text"),
    ],
)
def test_a_licence_that_is_not_there_is_an_error(licence: Licence, why: str, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(MeshError) as caught:
        resolve_licence(licence, {"EMPTY": " "}, tmp_path)
    assert caught.value.message.startswith("licence: ")
    assert caught.value.message.endswith(why)


def test_the_value_is_compared_and_never_shown() -> None:
    ours = KIND.wanted(spec(), None, None)
    assert VALUE not in repr(ours) + repr(spec())
    assert diff(KIND.wanted(spec(), None, None), ours) == ()
    assert fingerprints(ours)["data.license-key"] == "*"


def test_its_output_is_a_fingerprint_under_the_key_of_the_cluster() -> None:
    def read(value: str, **keys: bytes) -> Live:
        stored = {
            "metadata": {"name": "mesh-prod-key", "namespace": "istio-system"},
            "data": {k: coded(v) for k, v in keys.items()},
        }
        body = {"metadata": {"name": "x", "uid": "1"}, "data": {"license-key": coded(value.encode())}}
        server: Any = Server({"secrets": [stored] if keys else []})
        namespaces = FingerprintKeys("prod", {"a": "istio-system"})
        world = World({"a": server}, {}, SystemClock(), {}, Path(), keys=namespaces)
        return KIND.live(KEY, place("prod", "istio-system", "x"), body, Snapshot("a", world))

    one, other = b"1" * 32, b"2" * 32
    found = read(VALUE, key=one)
    assert found.attrs["data"] == {"license-key": Sensitive(VALUE)}
    assert found.outputs["digest"].startswith("hmac:")
    assert found.outputs == read(VALUE, key=one).outputs
    assert found.outputs != read(VALUE, key=other).outputs != read("changed", key=other).outputs
    assert read(VALUE).outputs == {"digest": "*"}
    assert VALUE not in repr(found)


def test_other_keys_of_our_secret_are_left() -> None:
    wanted = KIND.wanted(spec(), live({"license-key": "old", "gloo-mesh-license-key": "theirs"}), None)
    assert wanted["data"]["gloo-mesh-license-key"] == "theirs"
    assert wanted["data"]["license-key"] != "old"


def test_a_given_secret_is_taken_as_it_is_or_refused_with_the_reason() -> None:
    given = live({"gloo-mesh-license-key": "abc"}, owner="field manager kubectl")
    assert KIND.wanted(spec(None), given, None) == given.attrs
    assert KIND.refuse(spec(None), given, None) == ""
    assert "is missing" in KIND.refuse(spec(None), None, None)
    assert "has none of the keys license-key," in KIND.refuse(spec(None), live({}), None)


def test_ours_is_never_refused() -> None:
    assert KIND.refuse(spec(), None, None) == ""


def test_a_secret_that_is_not_ours_is_not_deleted() -> None:
    from tests.providers.worlds import world_without_clusters

    where = place("prod", "istio-system", "solo-license")
    left = KIND.delete(
        KEY, where, live({}, "helm"), Last(where, created=False), world_without_clusters(Path())
    )
    assert left == ("Secret istio-system/solo-license was not created by mesh and stays",)
