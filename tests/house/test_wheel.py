"""The wheel holds the product and nothing that only the repository needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.docs.test_docs import tracked
from tests.house.figures import ROOT


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The files of a wheel that was built from a copy of the tracked files."""
    folder = tmp_path_factory.mktemp("wheel")
    for path in tracked():
        copy = folder / "source" / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    for link in ("providers", "schemas"):
        (folder / "source" / "mesh" / link).symlink_to(Path("..") / link)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "-q")
    argv = (sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(folder / "source"))
    subprocess.run(argv, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def test_one_top_level_name_is_installed(names: frozenset[str]) -> None:
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"mesh"}


def test_every_module_and_every_schema_is_in_it(names: frozenset[str]) -> None:
    sources = [path.relative_to(ROOT) for path in tracked() if path.suffix in {".py", ".json"}]
    wanted = {str(path) for path in sources if path.parts[0] == "mesh"}
    wanted |= {str("mesh" / path) for path in sources if path.parts[0] in {"providers", "schemas"}}
    assert wanted - names == set()


def test_no_program_of_the_repository_is_in_it(names: frozenset[str]) -> None:
    stems = {Path(name).stem for name in names if name.endswith(".py")}
    assert stems & {"demo", "pages", "generate"} == set()
