"""The root of trust: what is desired, where it is found, and which clusters already have one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mesh.errors import KubeError, RefusedError
from mesh.model import Live, Place, Unread
from mesh.model.spec import CA, CommandCA, FilesCA, GenerateCA
from mesh.providers.cert.migration import OFFER
from mesh.providers.cert.root import Root, roots_shown
from mesh.providers.cert.specs import ROOT, RootSpec, root_place
from mesh.sdk.contract import Last
from mesh.world import Object, World, pki
from mesh.world.clock import SystemClock
from mesh.world.kube.errors import Forbidden, Unreachable
from mesh.world.resources import ResourceType
from tests.providers.worlds import look
from tests.support.check_facts import NOW
from tests.support.check_server import CALL, Server

KIND = Root()
DAY = timedelta(days=1)
PEM = pki.issue_root(pki.new_key("ecdsa-p256"), "other", validity=DAY, now=NOW)
FINGERPRINT = pki.describe(PEM).fingerprint
DOWN, DENIED = Unreachable(CALL, "no route"), Forbidden(CALL, "no")


class Published(Server):
    """An API server whose istiod publishes a root."""

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        return next(
            (obj for obj in self.list(resource, namespace=namespace) if obj["metadata"]["name"] == name),
            None,
        )


def publishes(pem: str) -> Published:
    meta = {"name": "istio-ca-root-cert", "namespace": "default"}
    return Published({"configmaps": [{"metadata": meta, "data": {"root-cert.pem": pem}}]})


def fails(error: Exception) -> Published:
    return Published(fails={"secrets": error})


def world(folder: Path, **servers: Any) -> World:
    return World(servers, {}, SystemClock(), {"HOME": str(folder), "PATH": "/usr/bin:/bin"}, folder)


def spec(ca: CA = GenerateCA(), *clusters: str, migrate: str = "") -> RootSpec:  # noqa: B008  # frozen
    return RootSpec("demo", ca, "ecdsa-p256", 10 * DAY, dict.fromkeys(clusters, "istio-system"), migrate)


def live(fingerprint: str = "sha256:a", *problems: str) -> Live:
    status = {"path": "/root.crt", "problems": list(problems)}
    return Live({"key": "k"}, "", outputs={"issuer": {"fingerprint": fingerprint}}, status=status)


@pytest.mark.parametrize(
    ("ca", "attrs"),
    [
        (GenerateCA(), {"key": "ecdsa-p256", "validity": "10d"}),
        (FilesCA("a", "b"), {"source": "files"}),
        (CommandCA(("sign",)), {"source": "command"}),
    ],
)
def test_a_root_is_desired_as_the_file_says_only_until_one_exists(ca: CA, attrs: dict[str, str]) -> None:
    assert KIND.wanted(spec(ca), None, None) == attrs
    assert KIND.wanted(spec(ca), live(), None) == {"key": "k"}


@pytest.mark.parametrize(
    ("before", "is_refused"),
    [("sha256:a", False), ("sha256:b", True), ("", False)],
    ids=["same", "new", "none"],
)
def test_an_apply_never_changes_the_root(before: str, *, is_refused: bool) -> None:
    last = Last(Place("", ""), outputs={"issuer": {"fingerprint": before}})
    why = KIND.refuse(spec(), live(), last)
    assert why.startswith("the root of trust was sha256:b at the last apply and is sha256:a in") is is_refused
    assert bool(why) is is_refused


def test_a_root_that_may_not_sign_will_never_be_ready() -> None:
    assert KIND.ready(spec(), live())
    assert KIND.ready(spec(), live("sha256:a", "it expired", "no CA")).why == "it expired; no CA"


def test_roots_are_collected_by_cluster_and_an_error_is_kept_beside_them(tmp_path: Path) -> None:
    clusters = world(tmp_path, a=publishes(PEM), b=publishes(""), c=fails(DENIED))
    shown, unseen = roots_shown(dict.fromkeys("abc", "istio-system"), clusters)
    assert shown == {"a": frozenset({FINGERPRINT}), "b": frozenset()}
    assert unseen == {"c": DENIED}


def test_a_cluster_with_a_root_refuses_another_one_unless_it_moves(tmp_path: Path) -> None:
    clusters = world(tmp_path, a=publishes(PEM))
    first, offer = KIND.preview(spec(GenerateCA(), "a"), ROOT, None, clusters).refusals
    assert FINGERPRINT in first
    assert offer == f"or {OFFER}"
    with pytest.raises(RefusedError):
        KIND.create(spec(GenerateCA(), "a"), ROOT, clusters)
    assert KIND.preview(spec(GenerateCA(), "a", migrate="restart"), ROOT, None, clusters).refusals == ()
    KIND.create(spec(GenerateCA(), "a", migrate="restart"), ROOT, clusters)
    assert isinstance(look(KIND, ROOT, root_place("demo", GenerateCA()), clusters), Live)


def test_a_root_is_not_decided_while_no_cluster_answers(tmp_path: Path) -> None:
    found = KIND.preview(spec(GenerateCA(), "a"), ROOT, None, world(tmp_path, a=fails(DOWN)))
    assert found.unknown.startswith("no cluster answers")


@pytest.mark.parametrize(("error", "why"), [(DOWN, ""), (DENIED, f": {DENIED.message}")])
def test_a_cluster_of_which_the_root_is_unknown_is_named(error: KubeError, why: str, tmp_path: Path) -> None:
    clusters = world(tmp_path, a=fails(error), b=publishes(""))
    found = KIND.preview(spec(GenerateCA(), "a", "b"), ROOT, None, clusters)
    assert found.unknown == ""
    assert found.notes[0].startswith("the root key will be in ")
    assert found.notes[1:] == (f"the root of trust of cluster a could not be read{why}",)


def test_an_existing_root_has_no_preview(tmp_path: Path) -> None:
    assert KIND.preview(spec(GenerateCA(), "a"), ROOT, live(), world(tmp_path)).notes == ()


def test_a_deleted_root_stays_on_disk_and_its_files_are_named(tmp_path: Path) -> None:
    ca = GenerateCA("keys/root.key")
    place = root_place("demo", ca)
    KIND.create(spec(ca), ROOT, world(tmp_path))
    (told,) = KIND.delete(ROOT, place, live(), Last(place), world(tmp_path))
    files = (tmp_path / "keys/root.crt", tmp_path / "keys/root.key")
    assert told == f"the root of trust is kept in {files[0]} and {files[1]}; the next apply uses it again"
    assert all(each.exists() for each in files)


def test_a_certificate_that_cannot_be_parsed_leaves_the_root_unread(tmp_path: Path) -> None:
    block = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n"
    (tmp_path / "ca.crt").write_text(block)
    assert isinstance(
        look(KIND, ROOT, root_place("demo", FilesCA("ca.crt", "ca.key")), world(tmp_path)), Unread
    )
