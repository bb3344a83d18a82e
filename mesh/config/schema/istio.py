"""Models of the mesh-wide parts: Istio, Gateway API, root of trust."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from mesh.config.schema import patterns as forms

Label = Annotated[str, Field(pattern=forms.DNS_LABEL)]
Duration = Annotated[str, Field(pattern=forms.DURATION)]
Text = Annotated[str, Field(min_length=1, pattern=forms.TEXT)]
Values = dict[str, Any]
EMPTY = Field(default_factory=dict, validate_default=True)
"""Default of an absent part: an empty one, validated by its parent so that the model is built."""
NONE: Any = Field(default_factory=list)
KeyAlgorithm = Literal["ecdsa-p256", "ecdsa-p384", "rsa-4096"]


class Part(BaseModel):
    """One object of the document: unknown keys are rejected and types are not converted."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, defer_build=True
    )


def one_key(schema: dict[str, Any]) -> None:
    """Require exactly one key in the JSON Schema."""
    schema |= {"minProperties": 1, "maxProperties": 1}


class SecretRefPart(Part):
    """A Secret that mesh does not manage; it has the same name in every cluster."""

    name: Annotated[str, Field(pattern=forms.DNS_NAME)]
    namespace: Label = "istio-system"


class LicensePart(Part):
    """Source of the licence key: exactly one of the three. Never write the key itself here."""

    model_config = ConfigDict(json_schema_extra=one_key)

    env: Annotated[
        str | None, Field(pattern=forms.VARIABLE, description="environment variable that holds the key")
    ] = None
    file: Annotated[Text | None, Field(description="file that holds the key, relative to the mesh file")] = (
        None
    )
    secret_ref: Annotated[SecretRefPart | None, Field(description="Secret that exists in every cluster")] = (
        None
    )


class ChartPart(Part):
    """Settings of one chart that differ from the other charts."""

    source: Annotated[
        Text | None, Field(description="source of this chart; default: spec.istio.charts.source")
    ] = None
    version: Annotated[
        Text | None, Field(description="version of this chart; default: spec.istio.version")
    ] = None
    release: Annotated[str | None, Field(pattern=forms.RELEASE, description="name of the Helm release")] = (
        None
    )


class ChartsPart(Part):
    """Source of the Helm charts."""

    source: Annotated[
        Text | None,
        Field(
            description="oci:// reference or https:// repository that holds the charts, or a folder of charts"
        ),
    ] = None
    base: Annotated[ChartPart, EMPTY]
    istiod: Annotated[ChartPart, EMPTY]
    cni: Annotated[ChartPart, EMPTY]
    ztunnel: Annotated[ChartPart, EMPTY]


class ImagesPart(Part):
    """Source of the container images."""

    hub: Annotated[
        str | None, Field(pattern=forms.HUB, description="registry and path, without a scheme")
    ] = None
    tag: Annotated[str | None, Field(pattern=forms.TAG, description="default: spec.istio.version")] = None
    variant: Annotated[
        Literal["distroless", "debug"] | None,
        Field(description="default: distroless for ztunnel, the chart's default for the others"),
    ] = None


class IstioPart(Part):
    """The Istio distribution and version that the clusters run."""

    distribution: Annotated[
        Literal["solo", "upstream"],
        Field(description="upstream is the community build, which needs no licence"),
    ] = "solo"
    version: Annotated[
        str,
        Field(
            pattern=forms.VERSION,
            description="such as 1.30.2-solo (1.24.3-solo or newer); upstream: 1.29.1 (1.27.0 or newer)",
        ),
    ]
    through: Annotated[
        list[Annotated[str, Field(pattern=forms.VERSION)]],
        NONE,
        Field(
            description="intermediate versions for --stepwise, one per minor version, when an upgrade "
            "crosses several"
        ),
    ]
    repo_key: Annotated[
        str | None,
        Field(pattern=forms.REPO_KEY, description="key of the registry, for versions before 1.29"),
    ] = None
    license: LicensePart | None = None
    mesh_id: Annotated[
        Label | None,
        Field(alias="meshID", description="upstream: Istio's mesh ID; default: metadata.name"),
    ] = None
    charts: Annotated[ChartsPart, EMPTY]
    images: Annotated[ImagesPart, EMPTY]


class GatewayAPIPart(Part):
    """The Kubernetes Gateway API CRDs."""

    version: Annotated[
        str | None,
        Field(pattern=forms.GATEWAY_API, description="default: the version that matches Istio's"),
    ] = None
    source: Annotated[
        Text | None,
        Field(description="https:// URL, file or folder; default: the published release of the version"),
    ] = None
    sha256: Annotated[
        str | None,
        Field(
            pattern=forms.SHA256,
            description="expected SHA-256 digest of the source; built in for common releases",
        ),
    ] = None
    safe_upgrades: Annotated[
        bool, Field(description="also install the admission policy of v1.5 and newer")
    ] = False


class GeneratePart(Part):
    """mesh generates the root of trust once; you keep its key file."""

    key_file: Annotated[
        Text | None,
        Field(description="file of the root key; default: ~/.config/mesh/<mesh>/root.key; back it up"),
    ] = None
    validity: Annotated[Duration, Field(description="validity of the root certificate")] = "3650d"
    key: Annotated[KeyAlgorithm, Field(description="algorithm of the root key")] = "ecdsa-p384"


class FilesPart(Part):
    """You provide the signing CA: its certificate and key in PEM files."""

    cert: Annotated[Text, Field(description="certificate or chain, relative to the mesh file")]
    key: Annotated[Text, Field(description="private key, relative to the mesh file; needed only to sign")]


class CAPart(Part):
    """Who signs the clusters' intermediate certificates: exactly one of the four."""

    model_config = ConfigDict(json_schema_extra=one_key)

    generate: GeneratePart | None = None
    files: FilesPart | None = None
    command: Annotated[
        list[Text] | None,
        Field(
            min_length=1,
            description="program and arguments; reads a PEM request on stdin, writes a PEM chain to stdout",
        ),
    ] = None
    existing: Annotated[
        Literal[True] | None,
        Field(description="every cluster already has its cacerts; mesh only verifies them"),
    ] = None


class IntermediatePart(Part):
    """Settings of the clusters' intermediate certificates."""

    validity: Duration = "365d"
    renew_before: Annotated[
        Duration | None,
        Field(description="renew this long before expiry; default: 90d, or a quarter of a shorter validity"),
    ] = None
    key: Annotated[KeyAlgorithm, Field(description="algorithm of the intermediate keys")] = "ecdsa-p256"


class RootOfTrustPart(Part):
    """The root certificate that all clusters trust, and how intermediates are signed."""

    ca: CAPart | None = None
    intermediate: IntermediatePart | None = None
    migrate: Annotated[
        Literal["restart"] | None,
        Field(
            description="move clusters with another root of trust to this one, one cluster after another; "
            "restarts istiod, ztunnel and gateways"
        ),
    ] = None
    migrate_backup: Annotated[
        Text | None,
        Field(
            description="path prefix: before cacerts is replaced, the old one is saved to "
            "<prefix>-<cluster>.yaml; the file holds a private key"
        ),
    ] = None
