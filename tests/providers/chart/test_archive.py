"""The chart of a release, unpacked from the release's own Secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.errors import HelmError
from mesh.providers.chart.archive import is_whole, unpacked
from tests.providers.chart.releases import chart, coded, secret

TEMPLATE = {"name": "templates/deep/one.yaml", "data": coded("kind: ConfigMap")}
FILE = {"name": "files/profile.yaml", "data": coded("a: b")}


def test_every_part_of_the_chart_is_written_where_helm_looks_for_it() -> None:
    about = chart(templates=[TEMPLATE], files=[FILE], values={"a": 1}, schema=coded('{"type": "object"}'))
    with unpacked(secret(about)) as folder:
        assert folder.name == "istiod"
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


@pytest.mark.parametrize("name", ["../outside", "templates/../../outside", "/etc/outside"])
@pytest.mark.parametrize("part", ["templates", "files"])
def test_a_file_that_leads_out_of_the_folder_is_an_error(part: str, name: str) -> None:
    hostile = secret(chart(**{part: [{"name": name, "data": coded("x")}]}))
    with pytest.raises(HelmError) as caught, unpacked(hostile):
        pass
    assert caught.value.message == f"the release holds a file outside its chart: {name}"


@pytest.mark.parametrize(("dependencies", "whole"), [(None, True), ([], True), ([{"name": "x"}], False)])
def test_a_release_lacks_the_charts_that_its_chart_depends_on(dependencies: Any, *, whole: bool) -> None:
    about = chart()
    about["metadata"]["dependencies"] = dependencies
    assert is_whole(secret(about)) is whole
