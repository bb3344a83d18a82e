"""Facts by version of Istio: the location of charts and images, the matching Gateway API.

Source of the tables: the vendor's guides and workshops, by version. Each row applies from its
version on; for a version, the newest row that is not newer than it applies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Minor = tuple[int, int]

_FORM = re.compile(
    r"(?P<major>\d{1,4})\.(?P<minor>\d{1,4})\.(?P<patch>\d{1,4})"
    r"(?P<pre>-(?:alpha|beta|rc)[0-9A-Za-z.]*)?(?:-patch(?P<repatch>\d{1,4}))?(?P<solo>-solo)?(?P<fips>-fips)?"
)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version of Istio; versions are ordered, with a pre-release before its release."""

    major: int
    minor: int
    patch: int
    final: bool = True
    repatch: int = -1
    solo: bool = False

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Parse `1.30.2-solo`, `1.29.2-patch0-solo-fips`, …; return None if it is not a version of Istio."""
        found = _FORM.fullmatch(text)
        if found is None:
            return None
        return cls(
            int(found["major"]),
            int(found["minor"]),
            int(found["patch"]),
            final=not found["pre"],
            repatch=int(found["repatch"] or -1),
            solo=bool(found["solo"]),
        )

    @property
    def line(self) -> Minor:
        """The minor version: major and minor number."""
        return self.major, self.minor


OLDEST = Version(1, 24, 3, solo=True)
"""The first version with multicluster peering."""

PUBLIC_REGISTRY: Minor = (1, 29)
"""The first version with charts and images that need no repository key."""

UPSTREAM_OLDEST = Version(1, 27, 0)
"""The first upstream version that supports ambient clusters on several networks."""

UPSTREAM_BETA: Minor = (1, 29)
"""The first version in which this is beta, and in which custom trust domains work (istio#58427)."""

UPSTREAM_CHARTS = "https://istio-release.storage.googleapis.com/charts"
UPSTREAM_IMAGES = frozenset({"docker.io/istio", "registry.istio.io/release"})
"""The images that upstream's charts use by themselves; which of them, their version decides."""

NODE_PORT: Minor = (1, 28)
"""The first version with peering through node ports."""

CHARTS: Sequence[tuple[Minor, str]] = (
    ((1, 24), "oci://us-docker.pkg.dev/gloo-mesh/istio-helm-{repo_key}"),
    (PUBLIC_REGISTRY, "oci://us-docker.pkg.dev/soloio-img/istio-helm"),
)
IMAGES: Sequence[tuple[Minor, str]] = (
    ((1, 24), "us-docker.pkg.dev/gloo-mesh/istio-{repo_key}"),
    (PUBLIC_REGISTRY, "us-docker.pkg.dev/soloio-img/istio"),
)
OFFICIAL_CHARTS = (
    "oci://us-docker.pkg.dev/soloio-img/istio-helm",
    "oci://us-docker.pkg.dev/gloo-mesh",
    UPSTREAM_CHARTS,
)
"""The chart repositories of the guides; an untrusted mesh file may name no others by default."""

GATEWAY_API: Sequence[tuple[Minor, str]] = (
    ((1, 24), "v1.2.1"),
    ((1, 27), "v1.3.0"),
    ((1, 28), "v1.4.0"),
    ((1, 30), "v1.5.0"),
)
GATEWAY_API_SOURCE = (
    "https://github.com/kubernetes-sigs/gateway-api/releases/download/{version}/standard-install.yaml"
)

GATEWAY_API_DIGESTS: Mapping[str, str] = {
    "v1.2.1": "97598bf6ab3b33b9b5c5432bdd24de091e4e9c3aa0575ebb0710a2a19cd64d64",
    "v1.3.0": "78796d5c51450fc55d8dc8092ba8137f8c807982d7508d7875d5c537a24082b9",
    "v1.4.0": "6a4029e661446d64add866a00ecdc40c14219b68777ab614c5cdaac0adb481f1",
    "v1.5.0": "510338cf6709f84410efcce5269268f4c7c5067efdc5d04c75aa2fd2f8380c96",
    "v1.5.1": "751002b3b91a87f7ae3bd2517c79a47a8d7ed6702901808a1cf9bd97d284f9b8",
}
"""SHA-256 of each release's standard-install.yaml.

Each file was rebuilt from its tag with the project's script, and matches the list of published files
that Kubespray keeps. Published files can change later (v1.4.1 did), so the digests are pinned.
"""


def since(table: Sequence[tuple[Minor, T]], line: Minor) -> T:
    """Return the table row that applies to a minor version; the first row for any older version."""
    return [value for start, value in table if start <= line or start == table[0][0]][-1]
