"""The chart of a release, unpacked from the release's own Secret."""

from __future__ import annotations

import json
import re
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.providers.chart.archive import LARGEST, MOST, UnsafeChartError, files_of, forged, is_whole, unpacked
from tests.providers.chart.releases import chart, coded, secret, view

TEMPLATE = {"name": "templates/deep/one.yaml", "data": coded("kind: ConfigMap")}
FILE = {"name": "files/profile.yaml", "data": coded("a: b")}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all temporary folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_every_part_of_the_chart_is_written_where_helm_looks_for_it() -> None:
    about = chart(templates=[TEMPLATE], files=[FILE], values={"a": 1}, schema=coded('{"type": "object"}'))
    with unpacked(secret(about)) as folder:
        assert folder.name == "chart"
        assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        found = {str(each.relative_to(folder)): each for each in folder.rglob("*") if each.is_file()}
        texts = {name: path.read_text() for name, path in found.items()}
    assert json.loads(texts.pop("Chart.yaml")) == about["metadata"]
    assert json.loads(texts.pop("values.yaml")) == {"a": 1}
    assert json.loads(texts.pop("values.schema.json")) == {"type": "object"}
    assert texts == {"templates/deep/one.yaml": "kind: ConfigMap", "files/profile.yaml": "a: b"}
    assert not folder.exists()


def test_a_chart_with_nothing_but_a_name_has_empty_values_and_no_schema() -> None:
    about: dict[str, Any] = {"metadata": {"name": "base"}, "templates": None, "files": None, "values": None}
    with unpacked(secret(about)) as folder:
        assert sorted(each.name for each in folder.iterdir()) == ["Chart.yaml", "values.yaml"]
        assert (folder / "values.yaml").read_text() == "{}"


OUTSIDE = (
    "../outside",
    "templates/../../outside",
    "/etc/outside",
    "templates//x",
    "templates/./x",
    "templates/.. /x",
    "templates/...",
    "templates/x.",
    "templates/x ",
    "templates/",
    "",
    ".",
    "..",
    "templates\\..\\..\\outside",
    "C:/outside",
    "templates/x\0y",
    "templates/x\ny",
    "templates/\u202ex",
    "templates/" + "a" * 600,
    "templates/" + "a/" * 20 + "x",
)
"""Names that lead out of a folder somewhere, or that some file system does not keep as they are."""


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("part", ["templates", "files"])
def test_a_file_that_leads_out_of_the_folder_is_an_error(part: str, name: str, temporary: Path) -> None:
    parts: dict[str, Any] = {part: [one(name)]}
    hostile = secret(chart(**parts))
    with pytest.raises(UnsafeChartError) as caught, unpacked(hostile):
        pass
    assert "it holds a file outside its chart" in caught.value.message
    assert caught.value.message.isprintable()
    assert list(temporary.iterdir()) == [], "it is refused before anything is written"


def one(name: str, data: str = "x") -> dict[str, str]:
    return {"name": name, "data": coded(data)}


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"templates": [one("templates/a.yaml"), one("templates/a.yaml")]}, "twice"),
        ({"templates": [one("templates/a.yaml"), one("templates/A.yaml")]}, "are one file"),
        ({"templates": [one("templates/\u00e9"), one("templates/e\u0301")]}, "are one file"),
        ({"templates": [one("templates/a"), one("templates/a/b")]}, "is a file and a folder"),
        ({"templates": [one("templates/A/b"), one("templates/a")]}, "is a file and a folder"),
        ({"files": [one("Chart.yaml")]}, "twice"),
        ({"files": [one("VALUES.yaml")]}, "twice"),
        ({"files": [one("values.yaml/x")]}, "twice"),
        ({"files": [one("values.schema.json")]}, "twice"),
        ({"files": [one("charts/evil/Chart.yaml")]}, "a chart inside the chart"),
        ({"files": [one("Charts/evil.tgz")]}, "a chart inside the chart"),
        ({"templates": [one("charts/evil/templates/x.yaml")]}, "is listed among its templates"),
        ({"templates": [one("__init__.py")]}, "is listed among its templates"),
        ({"templates": [one("templates")]}, "is listed among its templates"),
        ({"files": [one("templates/hidden.yaml")]}, "is listed among its files"),
        ({"files": [{"data": coded("x")}]}, "has no name"),
        ({"files": [{"name": 5, "data": coded("x")}]}, "has no name"),
        ({"files": ["x"]}, "has no name"),
        ({"files": "x"}, "no list of them"),
        ({"files": [{"name": "x", "data": "a"}]}, "is not base64"),
        ({"files": [{"name": "x", "data": 5}]}, "is not base64"),
        ({"schema": 5}, "is not base64"),
        ({"files": [one("x", "a" * (LARGEST + 1))]}, "has more than"),
        ({"files": [one(f"f{n}", "a" * LARGEST) for n in range(4)]}, "bytes together"),
        ({"files": [one(f"f{n}", "") for n in range(MOST + 1)]}, f"more than {MOST} files"),
    ],
)
def test_a_chart_that_helm_cannot_have_stored_is_refused_before_anything_is_written(
    parts: dict[str, Any], why: str, temporary: Path
) -> None:
    with pytest.raises(UnsafeChartError, match=re.escape(why)), unpacked(secret(chart(**parts))):
        pass
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["/tmp/evil", "../evil", ".", "..", "", "a/b", "a\\b", "-x", "a\0", "a b"])
def test_the_name_of_a_chart_is_never_a_part_of_a_path(name: str, temporary: Path) -> None:
    with (
        pytest.raises(UnsafeChartError, match="its name is not that of a chart"),
        unpacked(secret(chart(name))),
    ):
        pass
    assert list(temporary.iterdir()) == []
    assert "is not the name of a chart" in forged(view(secret(chart(name))))


@given(st.lists(st.text(max_size=40), max_size=5), st.sampled_from(["templates", "files"]))
def test_whatever_the_names_are_every_path_stays_below_the_folder(names: list[str], part: str) -> None:
    entries = [one(f"templates/{name}" if part == "templates" else name) for name in names]
    parts: dict[str, Any] = {part: entries}
    try:
        files = files_of(chart(**parts))
    except UnsafeChartError:
        return
    for path in files:
        assert not path.is_absolute()
        assert not {"..", ".", ""} & set(path.parts)


@pytest.mark.parametrize("name", ["--post-renderer=x", "../../x", "UPPER", "a" * 54])
def test_a_record_with_a_name_that_helm_refuses_is_forged(name: str) -> None:
    assert "helm did not write it" in forged(view(secret(release=name)))


def test_a_record_that_calls_itself_otherwise_than_its_secret_is_forged() -> None:
    one = secret()
    one["metadata"]["labels"]["name"] = "other"
    two = secret()
    two["metadata"]["namespace"] = "other"
    assert [bool(forged(view(each))) for each in (one, two, secret())] == [True, True, False]


@pytest.mark.parametrize(("dependencies", "whole"), [(None, True), ([], True), ([{"name": "x"}], False)])
def test_a_release_lacks_the_charts_that_its_chart_depends_on(dependencies: Any, *, whole: bool) -> None:
    about = chart()
    about["metadata"]["dependencies"] = dependencies
    assert is_whole(secret(about)) is whole
