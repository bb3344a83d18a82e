"""The chart values that mesh computes for the upstream distribution; see `computed_values`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mesh.istio.computed_values import COMPUTED
from mesh.model import Path
from mesh.model.spec import Component

_NO_PEERING = "remove it: only the Solo distribution has peering"
_NO_LICENCE = "remove it: the upstream distribution has no licence"
_ENV = {
    "AMBIENT_ENABLE_MULTI_NETWORK": "remove it: it is always enabled",
    "ENABLE_PEERING_DISCOVERY": _NO_PEERING,
    "SOLO_LICENSE_KEY": _NO_LICENCE,
    "SOLO_LICENSE_SECRET": _NO_LICENCE,
}
UPSTREAM: Mapping[Component, Mapping[Path, str]] = {
    **COMPUTED,
    "istiod": {
        **COMPUTED["istiod"],
        **{(*section, "env", name): use for section in ((), ("pilot",)) for name, use in _ENV.items()},
        ("global", "meshID"): "use spec.istio.meshID",
        ("platforms", "peering", "enabled"): _NO_PEERING,
        ("license",): _NO_LICENCE,
    },
}


def table(distribution: Literal["solo", "upstream"]) -> Mapping[Component, Mapping[Path, str]]:
    """Return the computed values of a distribution: component to path to hint."""
    return UPSTREAM if distribution == "upstream" else COMPUTED
