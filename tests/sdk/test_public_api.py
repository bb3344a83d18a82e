"""The public API of `mesh.sdk`: a change of this list is a change for every package that adds a kind."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import mesh.sdk
from mesh.sdk import api

PUBLIC = {
    # the contract
    *("Provider", "Last", "OPEN", "Preview"),
    # capabilities
    *("Adoptable", "Busy", "Confirmed", "Disruptive", "Kept", "Leavable", "Listable", "Masked"),
    *(
        "NamedAfterCluster",
        "Permitted",
        "Renewable",
        "Resumable",
        "Returnable",
        "Scripted",
        "Shown",
        "Traced",
        "Verified",
    ),
    # what is sent
    *("Document",),
    # commands by hand
    *("Commands", "Input", "Raw", "Stage", "command", "comment", "heredoc", "kubectl_apply"),
    # rights
    *("Right", "applied"),
    # settings in the mesh file
    *("SpecError", "settings"),
    # one Kubernetes object, one Secret
    *("Manifest", "ManifestProvider", "KubeSecretProvider", "SecretLocator", "VisibleState", "as_left"),
    *("attrs_of", "digest", "dry_run", "find", "place_of", "token"),
    # marks and owners
    *("ADDRESS_ANNOTATION", "marks", "owner_of", "touches"),
    # values
    *("READY", "Attrs", "Found", "Key", "Live", "Locator", "ManifestChange", "Path", "Place", "Ready"),
    *("Reason", "Ref", "Sensitive", "Touch", "Unknown", "Unread", "never", "not_yet"),
    # clusters
    *("Kube", "Object", "ResourceType", "Snapshot", "World"),
    # errors
    *("KubeError", "MeshError", "RefusedError"),
}


def test_the_public_names_are_these() -> None:
    assert set(api.__all__) == PUBLIC
    assert len(api.__all__) == len(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_can_be_imported_and_what_has_a_body_is_documented(name: str) -> None:
    found = getattr(mesh.sdk, name)
    assert found is getattr(api, name)
    if inspect.isclass(found) or inspect.isfunction(found):
        assert inspect.getdoc(found)
        assert undocumented(found) == []


def undocumented(found: object) -> list[str]:
    """The public methods of a class without a docstring, its own or that of the method it overrides."""
    members = inspect.getmembers(found, inspect.isfunction) if inspect.isclass(found) else []
    return [name for name, each in members if not name.startswith("_") and not inspect.getdoc(each)]


def test_a_name_that_is_not_public_is_not_found() -> None:
    with pytest.raises(AttributeError, match=r"module 'mesh.sdk' has no attribute 'registry'"):
        _ = mesh.sdk.registry  # type: ignore[attr-defined]  # that is the point


def test_an_import_of_one_module_does_not_load_the_others() -> None:
    code = "import sys; from mesh.sdk import ask; print('mesh.sdk.kube_object' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
