"""The JSON Schema is current, and agrees with the models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mesh.config.decode import decode, json_schema, load_mesh, schema_text
from mesh.config.schema.mesh_file import MeshPart
from mesh.config.source.document import Document
from mesh.config.source.load import parse
from mesh.errors import InputError
from tests.config.decoding import BAD, ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*/mesh.yaml"))


VALIDATOR = jsonschema.Draft7Validator(json_schema())


def test_the_schema_in_the_repository_is_current() -> None:
    assert (ROOT / "schemas/desired-state.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_example_is_valid_for_both(path: Path) -> None:
    doc = parse(path.read_bytes(), str(path))
    assert list(VALIDATOR.iter_errors(doc.data)) == []
    load_mesh(path)
    first = path.read_text(encoding="utf-8").splitlines()[0]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / schema).resolve() == ROOT / "schemas/desired-state.schema.json"


def fits(data: Any) -> bool:
    """Whether the models take it: keys, types and the forms of words."""
    try:
        MeshPart.model_validate(data)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_schema_refuses_what_has_the_wrong_shape(path: Path) -> None:
    try:
        doc = parse(path.read_bytes(), str(path))
    except InputError:
        return
    if not fits(doc.data):
        assert list(VALIDATOR.iter_errors(doc.data))


def test_the_schema_alone_finds_half_of_the_bad_files() -> None:
    found = 0
    for path in BAD:
        try:
            found += bool(list(VALIDATOR.iter_errors(parse(path.read_bytes(), str(path)).data)))
        except InputError:
            found += 1
    assert found > len(BAD) / 2


WORDS = st.sampled_from(
    ["a", "b", "full-mesh", "1.30.2-solo", "Mesh", "mesh/v1", "365d", "", "${X}", "x y", "A" * 70]
)


KEYS = st.sampled_from(
    sorted({key for part in json_schema()["definitions"].values() for key in part["properties"]})
)


DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | WORDS
    | st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


def good() -> dict[str, Any]:
    return {
        "apiVersion": "mesh/v1",
        "kind": "Mesh",
        "metadata": {"name": "prod"},
        "spec": {
            "istio": {"version": "1.30.2-solo", "license": {"env": "KEY"}},
            "rootOfTrust": {"ca": {"generate": {}}, "intermediate": {"validity": "30d"}},
            "defaults": {"values": {"istiod": {"a": 1}}, "eastwest": {"service": "LoadBalancer"}},
            "clusters": [{"name": "a", "namespaces": {"cni": "kube-system"}}, {"name": "b"}],
            "links": [{"from": "a", "to": ["b"]}],
            "sensitive": [],
        },
    }


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in inner for place in places(item, (*at, key)))]


def decoded(data: Any) -> bool:
    """Whether the decoder takes it; anything else than `InputError` fails the test."""
    try:
        decode(Document("f.yaml", data))
    except InputError as error:
        assert error.problems
        assert all("\x1b" not in str(problem) for problem in error.problems)
        return False
    return True


@given(DATA)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_data_is_decoded_or_refused(data: Any) -> None:
    decoded(data)


@given(st.sampled_from(places(good())[1:]), DATA)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_good_file_with_one_change_is_decoded_or_refused_as_the_schema_says(
    place: tuple[Any, ...], value: Any
) -> None:
    data = good()
    target: Any = data
    for part in place[:-1]:
        target = target[part]
    target[place[-1]] = value
    accepted, refused = decoded(data), list(VALIDATOR.iter_errors(data))
    assert not (accepted and refused)
    assert refused or fits(data)


def test_the_reference_names_every_key() -> None:
    text = (ROOT / "docs/reference/mesh-file.md").read_text(encoding="utf-8")
    keys = {key for part in json_schema()["definitions"].values() for key in part["properties"]}
    missing = {key for key in keys if not re.search(rf"\b{re.escape(key)}\b", text)}
    assert missing == set()
