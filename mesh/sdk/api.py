"""The public names of `mesh.sdk`; tests/sdk/test_public_api.py holds the list."""

from __future__ import annotations

from mesh.errors import KubeError, MeshError, RefusedError
from mesh.model import (
    READY,
    Attrs,
    Found,
    Key,
    Live,
    Locator,
    ManifestChange,
    Path,
    Place,
    Ready,
    Reason,
    Sensitive,
    Touch,
    Unknown,
    Unread,
    never,
    not_yet,
)
from mesh.model.diff import digest
from mesh.model.refs import Ref
from mesh.sdk.capabilities import (
    Adoptable,
    Busy,
    Confirmed,
    Disruptive,
    Kept,
    Leavable,
    Listable,
    Masked,
    NamedAfterCluster,
    Permitted,
    Renewable,
    Resumable,
    Returnable,
    Scripted,
    Shown,
    Traced,
    Verified,
)
from mesh.sdk.contract import OPEN, Last, Preview, Provider
from mesh.sdk.document import Document
from mesh.sdk.kube_object import Manifest, ManifestProvider, attrs_of, dry_run, find, place_of, token
from mesh.sdk.kube_secret import KubeSecretProvider, SecretLocator
from mesh.sdk.kubectl import kubectl_apply
from mesh.sdk.listing import SpecError, settings
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, marks, owner_of, touches
from mesh.sdk.rights import Right, applied
from mesh.sdk.script import Commands, Input, Stage
from mesh.sdk.shell import Raw, command, comment, heredoc
from mesh.sdk.unreadable import VisibleState, as_left
from mesh.world import Kube, Object, World
from mesh.world.resources import ResourceType
from mesh.world.snapshot import Snapshot

__all__ = [
    "ADDRESS_ANNOTATION",
    "OPEN",
    "READY",
    "Adoptable",
    "Attrs",
    "Busy",
    "Commands",
    "Confirmed",
    "Disruptive",
    "Document",
    "Found",
    "Input",
    "Kept",
    "Key",
    "Kube",
    "KubeError",
    "KubeSecretProvider",
    "Last",
    "Leavable",
    "Listable",
    "Live",
    "Locator",
    "Manifest",
    "ManifestChange",
    "ManifestProvider",
    "Masked",
    "MeshError",
    "NamedAfterCluster",
    "Object",
    "Path",
    "Permitted",
    "Place",
    "Preview",
    "Provider",
    "Raw",
    "Ready",
    "Reason",
    "Ref",
    "RefusedError",
    "Renewable",
    "ResourceType",
    "Resumable",
    "Returnable",
    "Right",
    "Scripted",
    "SecretLocator",
    "Sensitive",
    "Shown",
    "Snapshot",
    "SpecError",
    "Stage",
    "Touch",
    "Traced",
    "Unknown",
    "Unread",
    "Verified",
    "VisibleState",
    "World",
    "applied",
    "as_left",
    "attrs_of",
    "command",
    "comment",
    "digest",
    "dry_run",
    "find",
    "heredoc",
    "kubectl_apply",
    "marks",
    "never",
    "not_yet",
    "owner_of",
    "place_of",
    "settings",
    "token",
    "touches",
]
