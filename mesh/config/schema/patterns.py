"""The patterns of single values, and the message and hint for each."""

from __future__ import annotations

from collections.abc import Mapping

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
DNS_NAME = r"^(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\.){0,8}[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$"
DURATION = r"^(?:[0-9]{1,5}d(?:[0-9]{1,6}h)?(?:[0-9]{1,8}m)?|[0-9]{1,6}h(?:[0-9]{1,8}m)?|[0-9]{1,8}m)$"
TEXT = r"^[^\x00-\x1f]+$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"
RELEASE = r"^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$"
HUB = r"^[a-zA-Z0-9][-a-zA-Z0-9.]*(?::[0-9]{1,5})?(?:/[a-z0-9][-a-z0-9._]*)*$"
TAG = r"^[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}$"
VERSION = r"^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}[-0-9A-Za-z.]{0,60}$"
REPO_KEY = r"^[a-z0-9]{6,40}$"
GATEWAY_API = r"^v[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.]+)?$"
SHA256 = r"^[0-9a-f]{64}$"
KIND = r"^[a-z][a-z0-9-]{0,62}$"
NAME = r"^[^/\s]{1,253}$"
ADDRESS = r"^[^/\s]+/[^/\s]+/[^/\s]+$"
PATTERN = r"^[^/\s]+(?:/[^/\s]+){0,2}$"
OBJECT_KIND = r"^[A-Z][A-Za-z0-9]{0,62}$"
FIELD_PATH = r"^[^\s.\[]+[^\x00-\x1f]*$"
SENSITIVE = r"^[^\s.]+(?:\.[^\s.]+)*$"

MAX_CLUSTERS = 250

WORDS: Mapping[str, tuple[str, str]] = {
    DNS_LABEL: ("is not a valid DNS label", "use up to 63 lower-case letters, digits and hyphens"),
    DNS_NAME: (
        "is not a valid DNS name",
        "use lower-case letters, digits, hyphens and dots, such as cluster1.local",
    ),
    DURATION: ("is not a valid duration", "write days, hours or minutes, such as 365d or 12h"),
    TEXT: ("contains a line break or a control character", "write it on one line"),
    VARIABLE: (
        "is not a valid name of an environment variable",
        "name the variable, such as GLOO_MESH_LICENSE_KEY",
    ),
    RELEASE: (
        "is not a valid name of a Helm release",
        "use up to 53 lower-case letters, digits and hyphens",
    ),
    HUB: (
        "is not a valid image hub",
        "write registry and path without a scheme, such as registry.example/istio",
    ),
    TAG: ("is not a valid image tag", "write the tag as in the registry, such as 1.30.2-solo"),
    VERSION: ("is not a valid version of Istio", "write it in full, such as 1.30.2-solo"),
    REPO_KEY: (
        "is not a valid repository key",
        "write the 12 letters and digits from your vendor's support article",
    ),
    GATEWAY_API: ("is not a valid version of the Gateway API", "write it in full, such as v1.4.0"),
    SHA256: ("is not a valid SHA-256 digest", "write its 64 lower-case hexadecimal digits"),
    SENSITIVE: (
        "is not a valid path of a value",
        "write it with dots, such as meshConfig.some.password",
    ),
    OBJECT_KIND: (
        "is not a valid kind of Kubernetes objects",
        "write it as in a manifest, such as Deployment",
    ),
    FIELD_PATH: ("is not a valid path of a field", "write it as plans show it, such as spec.replicas"),
    KIND: ("is not a valid kind", "use lower-case letters, digits and hyphens"),
    NAME: ("is not a valid name of a resource", "write it without slashes and spaces"),
    PATTERN: (
        "is not a valid pattern",
        "write an address, a kind or a cluster, such as chart/*/istiod or cluster1",
    ),
    ADDRESS: ("is not a valid address", "write kind/cluster/name, such as link/cluster1/cluster2"),
}
SECRETIVE = frozenset({VARIABLE, REPO_KEY})
"""Patterns of which a wrong value may be a misplaced secret; the message does not repeat it."""
