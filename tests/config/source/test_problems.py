"""All problems of a run are collected, within bounds."""

from __future__ import annotations

import pytest

from mesh.errors import InputError
from tests.config.decoding import mesh, mistakes


@pytest.mark.parametrize(
    "path", ["x" * 5000, "~nobody-here/x", "~/none", "/dev/null/x", "a/" * 900, "../" * 50 + "x"]
)
def test_a_path_that_cannot_be_is_a_file_that_is_not_there(path: str) -> None:
    found = mistakes(
        f"rootOfTrust: {{ca: {{files: {{cert: '{path}', key: '{path}'}}}}}}\n"
        f"gatewayAPI: {{source: '{path}'}}\n"
        f"defaults: {{kubeconfig: '{path}', valuesFiles: {{cni: ['{path}']}}}}",
        istio=f"{{version: 1.30.2-solo, charts: {{source: '{path}'}}, license: {{file: '{path}'}}}}",
    )
    assert len(found) == 5
    assert all("no such" in each for each in found)


def test_a_flood_of_mistakes_is_cut_with_a_count() -> None:
    many = "".join(f"- {{name: c{n}, wrong: 1}}\n" for n in range(250))
    with pytest.raises(InputError) as caught:
        mesh(f"clusters:\n{many}")
    assert len(caught.value.problems) == 101
    assert caught.value.problems[-1].what.endswith("more from here")
