"""What of the desired state the digest of a saved plan covers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mesh.config.decode import decode
from mesh.config.source.load import parse
from mesh.model.spec import Mesh
from mesh.planner.configuration import configuration
from mesh.planner.digest import sealed
from mesh.world.fingerprints import Fingerprints

TEXT = """
apiVersion: mesh/v1
kind: Mesh
metadata: {name: demo}
spec:
  istio:
    version: 1.30.2-solo
    license: {env: KEY}
  defaults: {values: {istiod: {password: one, pilot: {cpu: 1}}}}
  clusters: [{name: a, context: x}, {name: b}]
  rollout: {pause: 1m}
"""


def mesh(text: str = TEXT) -> Mesh:
    return decode(parse(text.encode(), "mesh.yaml"))


def digest(mesh: Mesh, folder: str = "/work", key: bytes = b"k" * 32) -> str:
    return sealed(configuration(mesh, Path(folder)), Fingerprints(key))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cpu: 1", "cpu: 2"),
        ("password: one", "password: two"),
        ("pause: 1m", "pause: 2m"),
        ("1.30.2-solo", "1.30.3-solo"),
        ("{name: b}", "{name: b}, {name: c}"),
    ],
)
def test_every_setting_counts(old: str, new: str) -> None:
    assert old in TEXT
    assert digest(mesh(TEXT.replace(old, new))) != digest(mesh())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("spec:\n", "# a comment\nspec:\n"),
        ("{name: b}", "{name:   b}"),
        ("context: x", "context: east"),
    ],
)
def test_layout_comments_and_names_of_contexts_do_not_count(old: str, new: str) -> None:
    assert old in TEXT
    assert digest(mesh(TEXT.replace(old, new))) == digest(mesh())


def test_a_path_below_the_folder_counts_as_it_is_there() -> None:
    def with_source(path: str) -> Mesh:
        found = mesh()
        return replace(found, gateway_api=replace(found.gateway_api, source=path))

    assert digest(with_source("/checkout/crds"), "/checkout") == digest(
        with_source("/home/ci/crds"), "/home/ci"
    )
    assert digest(with_source("/checkout/crds"), "/checkout") != digest(
        with_source("/checkout/other"), "/checkout"
    )


def test_a_secret_among_the_values_counts_by_its_fingerprint_only() -> None:
    assert digest(mesh(), key=b"k" * 32) != digest(mesh(), key=b"l" * 32)
    plain = mesh(TEXT.replace("password: one, ", ""))
    assert digest(plain, key=b"k" * 32) == digest(plain, key=b"l" * 32)
