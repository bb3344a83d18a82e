"""What mesh sends, as YAML: every kind says its own."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from mesh.cli.views.manifests import manifests_text, plain
from mesh.engine.registry import all_kinds
from mesh.istio.addresses import LICENCE
from mesh.model import SENSITIVE, Key, Sensitive, Unknown
from mesh.model.refs import Ref, bind
from mesh.planner.expand import expand
from mesh.sdk import ask
from mesh.sdk.capabilities import Shown
from mesh.sdk.document import Document, nothing
from mesh.world import World
from mesh.world.yaml_documents import read_all
from tests.engine.toy import Toy, ToyProvider
from tests.support.meshes import MESHES, mesh_of

KINDS = all_kinds()
KEY = Key("toy", "a", "one")


class ShownToy(ToyProvider, Shown[Toy]):
    """A foreign kind that says what it sends."""

    def documents(self, spec: Toy, key: Key, world: World | None) -> Iterable[Document]:
        return (Document({"toy": key.name, **spec.values}, ("a toy\nby hand",)),)


def text_of(how: str) -> str:
    return manifests_text(
        {
            key: ask.documents(KINDS.get(key.kind), bind(each.spec, unknown), key, None)
            for key, each in expand(mesh_of(how)).items()
        }
    )


def unknown(ref: Ref) -> Unknown | Sensitive:
    """The licence, which the session fills in, and what only a cluster knows."""
    return Sensitive("hunter") if ref.key == LICENCE else Unknown(ref.key)


def test_every_kind_says_what_it_sends() -> None:
    assert all(isinstance(kind, Shown) for kind in KINDS.values())


@pytest.mark.parametrize("how", MESHES)
def test_every_resource_of_a_mesh_is_printed_as_yaml_without_a_secret(how: str) -> None:
    text = text_of(how)
    assert "has no manifest to show" not in text
    assert "hunter" not in text
    assert all(isinstance(each, dict) for each in read_all(text.encode()))
    for key in expand(mesh_of(how)):
        assert f"---\n# {key}\n" in text


def test_a_foreign_kind_is_printed_as_it_says() -> None:
    documents = ask.documents(ShownToy(), Toy({"key": SENSITIVE, "at": Unknown(KEY)}), KEY, None)
    assert manifests_text({KEY: documents}) == (
        "---\n# toy/a/one\n# a toy\\nby hand\ntoy: one\nkey: (sensitive value)\nat: (known after toy/a/one)\n"
    )


@pytest.mark.parametrize("kind", [ToyProvider(), None])
def test_a_kind_that_does_not_say_is_named_and_not_dropped(kind: ToyProvider | None) -> None:
    documents = ask.documents(kind, Toy({}), KEY, None)
    assert manifests_text({KEY: documents}) == "---\n# toy/a/one\n# kind toy has no manifest to show\n"


def test_what_is_only_verified_has_no_body() -> None:
    assert manifests_text({KEY: (nothing("only verified"),)}) == "---\n# toy/a/one\n# only verified\n"


def test_masked_and_unknown_values_are_words_at_any_depth() -> None:
    assert plain({"a": [SENSITIVE, {"b": (Unknown(KEY), 1)}]}) == {
        "a": ["(sensitive value)", {"b": ["(known after toy/a/one)", 1]}]
    }
