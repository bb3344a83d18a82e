"""The shape of what is the same in all clusters: Istio, Gateway API, root of trust."""

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
"""A part that is not written is an empty one; through its parent's validator, so that one is built."""
NONE: Any = Field(default_factory=list)
KeyAlgorithm = Literal["ecdsa-p256", "ecdsa-p384", "rsa-4096"]


class Part(BaseModel):
    """One object of the document: only known keys, no conversion between types."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, defer_build=True
    )


def one_key(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema that exactly one of the keys is set."""
    schema |= {"minProperties": 1, "maxProperties": 1}


class SecretRefPart(Part):
    """A Secret that somebody else keeps, under the same name in every cluster."""

    name: Annotated[str, Field(pattern=forms.DNS_NAME)]
    namespace: Label = "istio-system"


class LicensePart(Part):
    """Where the licence key comes from: exactly one of the three. The key itself is never written here."""

    model_config = ConfigDict(json_schema_extra=one_key)

    env: Annotated[
        str | None, Field(pattern=forms.VARIABLE, description="environment variable that holds it")
    ] = None
    file: Annotated[Text | None, Field(description="file that holds it, relative to this one")] = None
    secret_ref: Annotated[SecretRefPart | None, Field(description="Secret that is in every cluster")] = None


class ChartPart(Part):
    """How one chart differs from the others."""

    source: Annotated[Text | None, Field(description="where this chart is, if not where the others are")] = (
        None
    )
    version: Annotated[Text | None, Field(description="its version, if not spec.istio.version")] = None
    release: Annotated[str | None, Field(pattern=forms.RELEASE, description="name of the Helm release")] = (
        None
    )


class ChartsPart(Part):
    """Where the charts come from."""

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
    """Where the images come from."""

    hub: Annotated[
        str | None, Field(pattern=forms.HUB, description="registry and folder, without a scheme")
    ] = None
    tag: Annotated[str | None, Field(pattern=forms.TAG, description="default: spec.istio.version")] = None
    variant: Annotated[
        Literal["distroless", "debug"] | None,
        Field(description="default: distroless for ztunnel, the chart's own for the others"),
    ] = None


class IstioPart(Part):
    """Which Istio the clusters run."""

    distribution: Annotated[
        Literal["solo", "upstream"], Field(description="upstream is the community's, without a licence")
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
        Field(description="on the way over several minor versions, one of each, for --stepwise"),
    ]
    repo_key: Annotated[
        str | None,
        Field(pattern=forms.REPO_KEY, description="key of the registry, for versions before 1.29"),
    ] = None
    license: LicensePart | None = None
    mesh_id: Annotated[
        Label | None,
        Field(alias="meshID", description="upstream: what Istio calls the mesh; default: its name"),
    ] = None
    charts: Annotated[ChartsPart, EMPTY]
    images: Annotated[ImagesPart, EMPTY]


class GatewayAPIPart(Part):
    """The Kubernetes Gateway API CRDs."""

    version: Annotated[
        str | None, Field(pattern=forms.GATEWAY_API, description="default: what fits the version of Istio")
    ] = None
    source: Annotated[
        Text | None, Field(description="https:// URL, file or folder; default: the release of that version")
    ] = None
    sha256: Annotated[
        str | None,
        Field(
            pattern=forms.SHA256, description="digest of what the source must hold; known for common releases"
        ),
    ] = None
    safe_upgrades: Annotated[
        bool, Field(description="also install the admission policy that comes with v1.5 and newer")
    ] = False


class GeneratePart(Part):
    """The root is generated once and its key kept in a file of yours."""

    key_file: Annotated[
        Text | None, Field(description="default: ~/.config/mesh/<mesh>/root.key; keep it safe")
    ] = None
    validity: Annotated[Duration, Field(description="of the root certificate")] = "3650d"
    key: Annotated[KeyAlgorithm, Field(description="algorithm of the root key")] = "ecdsa-p384"


class FilesPart(Part):
    """The CA that signs is a certificate and key of yours, in PEM files."""

    cert: Annotated[Text, Field(description="certificate (chain), relative to this file")]
    key: Annotated[Text, Field(description="private key, relative to this file; needed only to sign")]


class CAPart(Part):
    """Who signs the clusters' intermediate certificates: exactly one of the four."""

    model_config = ConfigDict(json_schema_extra=one_key)

    generate: GeneratePart | None = None
    files: FilesPart | None = None
    command: Annotated[
        list[Text] | None,
        Field(min_length=1, description="program and arguments: PEM request on stdin, PEM chain on stdout"),
    ] = None
    existing: Annotated[
        Literal[True] | None, Field(description="every cluster has its cacerts already; only verify them")
    ] = None


class IntermediatePart(Part):
    """What the clusters' intermediate certificates are to be."""

    validity: Duration = "365d"
    renew_before: Annotated[
        Duration | None, Field(description="default: 90d, or a quarter of a shorter validity")
    ] = None
    key: Annotated[KeyAlgorithm, Field(description="algorithm of the key")] = "ecdsa-p256"


class RootOfTrustPart(Part):
    """What makes the clusters trust each other."""

    ca: CAPart | None = None
    intermediate: IntermediatePart | None = None
    migrate: Annotated[
        Literal["restart"] | None,
        Field(
            description="move clusters that run under another root to this one, one after another: istiod, "
            "ztunnel and gateways restart"
        ),
    ] = None
    migrate_backup: Annotated[
        Text | None,
        Field(description="a replaced cacerts is first saved to <this>-<cluster>.yaml; it holds a key"),
    ] = None
