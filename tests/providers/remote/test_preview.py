"""What a plan learns of a remote secret before it is written."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from mesh.model import Key, Place
from mesh.providers.remote import RemoteProvider
from mesh.providers.remote.secret import RemoteSpec
from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.kube.errors import Call, WebhookDenied
from tests.engine.toy import Kube

KEY = Key("remote", "a", "b")
READER = Place("istio-system", "reader")
SPEC = RemoteSpec("demo", KEY, "istio-system", "cluster-b", READER, "https://b", "c4", "t0ken", "sha256:r")
TOKEN = {name: base64.b64encode(b"x").decode() for name in ("token", "ca.crt")}


class Guarded(Kube):
    """An API server whose admission policy refuses every write."""

    def apply(self, obj: Object, **_how: Any) -> Object:
        raise WebhookDenied(Call("a", "a", "apply", "secrets"), "no secrets for istiod here")


def world(source: Kube, folder: Path, data: dict[str, str]) -> World:
    target = Kube("b")
    target.objects["secrets", READER.namespace, READER.name] = {"metadata": {}, "data": data}
    return World({"a": source, "b": target}, {}, SystemClock(), {}, folder)


def test_a_secret_that_an_admission_policy_refuses_ends_the_plan(tmp_path: Path) -> None:
    with pytest.raises(WebhookDenied, match="no secrets for istiod here"):
        RemoteProvider().preview(SPEC, KEY, None, world(Guarded("a"), tmp_path, TOKEN))


def test_a_reader_without_a_token_is_a_note(tmp_path: Path) -> None:
    (note,) = RemoteProvider().preview(SPEC, KEY, None, world(Guarded("a"), tmp_path, {})).notes
    assert note.startswith("not checked by the API server: Secret istio-system/reader of cluster b holds no")


def test_an_accepted_write_has_no_notes(tmp_path: Path) -> None:
    assert RemoteProvider().preview(SPEC, KEY, None, world(Kube("a"), tmp_path, TOKEN)).notes == ()
