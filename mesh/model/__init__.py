"""The nouns of the engine: what is wanted, what is there, and what must happen.

Everything here is frozen and compares by value, so a stage is a function from these to these.
"""

from __future__ import annotations

from mesh.model.plan import ABSENT, Absent, Action, Deferral, Field, Left, ManifestChange, Plan, Reason, Step
from mesh.model.resources import (
    NO_CLUSTER,
    READY,
    SENSITIVE,
    Attrs,
    Found,
    Key,
    Live,
    Origin,
    Path,
    Place,
    Ready,
    Recorded,
    Resource,
    Sensitive,
    Touch,
    Unknown,
    Unread,
    UnreadSecret,
    Verdict,
    never,
    not_yet,
)

__all__ = [
    "ABSENT",
    "NO_CLUSTER",
    "READY",
    "SENSITIVE",
    "Absent",
    "Action",
    "Attrs",
    "Deferral",
    "Field",
    "Found",
    "Key",
    "Left",
    "Live",
    "ManifestChange",
    "Origin",
    "Path",
    "Place",
    "Plan",
    "Ready",
    "Reason",
    "Recorded",
    "Resource",
    "Sensitive",
    "Step",
    "Touch",
    "Unknown",
    "Unread",
    "UnreadSecret",
    "Verdict",
    "never",
    "not_yet",
]
