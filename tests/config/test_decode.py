"""The document to the desired state: what is filled in, what is refused, and in which words."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mesh.config.decode import load_mesh
from mesh.errors import InputError
from tests.config.decoding import BAD, ROOT, mesh, mistakes


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_told_in_these_words(path: Path) -> None:
    path = path.relative_to(ROOT) if path.is_absolute() else path
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        load_mesh(path)
    spent = time.process_time() - start
    expected = path.with_suffix(".expected")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(f"{caught.value}\n", encoding="utf-8")
    assert f"{caught.value}\n" == expected.read_text(encoding="utf-8")
    assert spent < 1


def test_there_are_enough_bad_files_and_none_is_left_behind() -> None:
    names = {path.stem for path in Path("tests/config/bad").glob("*.expected")}
    assert names == {path.stem for path in BAD}
    assert len(names) > 45


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_no_bad_file_tells_its_secrets(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_mesh(path)
    assert "c2VjcmV0" not in str(caught.value)


def test_the_digest_covers_every_file(tmp_path: Path) -> None:
    values = tmp_path / "v.yaml"
    text = f"defaults: {{valuesFiles: {{istiod: ['{values}']}}}}"
    values.write_text("a: 1\n")
    first = mesh(text).digest
    assert mesh(text).digest == first
    values.write_text("a: 2\n")
    assert mesh(text).digest != first


def test_sensitive_paths_must_lead_to_a_value() -> None:
    values = "defaults: {values: {istiod: {a: {password: x, dotted.key: {b: 1}}}}}"
    found = mesh(values + "\nsensitive: [a.password, 'a.\"dotted.key\".b']")
    assert found.sensitive == ("a.password", 'a."dotted.key".b')
    assert mistakes(values + "\nsensitive: [a.pasword]") == [
        'spec.sensitive[0]: no chart value has the path "a.pasword"'
    ]


def test_a_large_mesh_is_decoded_quickly() -> None:
    clusters = "".join(f"- {{name: c{n}}}\n" for n in range(250))
    start = time.process_time()
    assert len(mesh(f"clusters:\n{clusters}").links) == 250 * 249
    assert time.process_time() - start < 3
