"""The contexts of a kubeconfig, and the names of their clusters."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mesh.cli.kube_contexts import chosen, shown
from mesh.errors import UsageError


def kubeconfig(path: Path, *contexts: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"contexts": [{"name": name, "context": {}} for name in contexts]}))
    return path


def pairs(path: Path | None, *wanted: str) -> list[str]:
    return [f"{each.name}={each.context}" for each in chosen(path, wanted)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((), ["east=kind-east", "a-b=a=b"]),
        (("kind-east",), ["east=kind-east"]),
        (("West Side=kind-east",), ["west-side=kind-east"]),
        (("a=b",), ["a-b=a=b"]),
        (("!=kind-east",), ["cluster=kind-east"]),
    ],
)
def test_a_context_is_named_by_the_user_or_after_itself(
    wanted: tuple[str, ...], found: list[str], folder: Path
) -> None:
    path = kubeconfig(folder / "config", "kind-east", "a=b")
    assert pairs(path, *wanted) == found


def test_a_context_that_does_not_exist_is_refused_with_those_that_do(folder: Path) -> None:
    path = kubeconfig(folder / "config", *(f"c{number}" for number in range(10)))
    with pytest.raises(UsageError, match="there is no context nowhere in the kubeconfig") as error:
        chosen(path, ("c1", "east=nowhere"))
    assert error.value.hint == "the contexts are c0, c1, c2, c3, c4, c5, c6, c7"


def test_the_files_of_the_variable_are_read_in_order_and_missing_ones_have_no_contexts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [kubeconfig(folder / "one", "b", "a"), folder / "missing", kubeconfig(folder / "two", "c", "a")]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["", *map(str, files)]))
    assert pairs(None) == ["b=b", "a=a", "c=c"]


def test_without_the_variable_the_file_of_the_home_folder_counts(folder: Path) -> None:
    assert pairs(None) == []
    kubeconfig(folder.parent / ".kube" / "config", "home")
    assert pairs(None) == ["home=home"]


def test_a_path_in_the_home_folder_is_shown_for_every_user(folder: Path) -> None:
    assert shown(Path("config")) == f"~/{folder.name}/config"
    assert shown(Path("/etc/kube/config")) == "/etc/kube/config"
