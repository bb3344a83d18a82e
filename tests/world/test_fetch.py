"""Files from a URL or a path, pinned by a digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mesh.errors import MeshError, RefusedError
from mesh.world.fetch import LIMIT, fetch
from tests.support.stumbling import Stumbling, answer

DIGEST = hashlib.sha256(b"one").hexdigest()


def test_a_folder_is_its_yaml_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, text in {"b.yaml": "two", "a.yml": "one", "c.txt": "no", "kustomization.yaml": "no"}.items():
        (tmp_path / name).write_text(text)
    assert fetch(".", tmp_path, sha256="") == b"one\n---\ntwo"


def test_a_digest_that_differs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("one")
    assert fetch("one", tmp_path, sha256=f"sha256:{DIGEST}") == b"one"
    with pytest.raises(RefusedError, match="the configuration pins 00"):
        fetch("one", tmp_path, sha256="00")


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r"none cannot be read: No such file"):
        fetch("none", tmp_path, sha256="")


def test_a_url_is_downloaded_and_checked(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(200, b"one")]
    assert fetch(f"{server.url}/x", tmp_path, sha256=DIGEST) == b"one"


def test_an_answer_other_than_200_is_an_error(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(404, b"")]
    with pytest.raises(MeshError, match="answers 404"):
        fetch(f"{server.url}/x", tmp_path, sha256="")


def test_a_download_is_bounded(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(200, b"x" * (LIMIT + 1))]
    with pytest.raises(MeshError, match="larger than 16 MiB"):
        fetch(f"{server.url}/x", tmp_path, sha256="")
