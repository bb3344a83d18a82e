"""What may be written in a mesh file: the models behind the decoder and the JSON Schema.

Only shape is checked here (keys, types, forms of single words); what one part says about another
is the business of the modules beside this one. Descriptions are the reference that editors show.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic.alias_generators import to_camel

from mesh.document import forms

Label = Annotated[str, Field(pattern=forms.DNS_LABEL)]
Duration = Annotated[str, Field(pattern=forms.DURATION)]
Text = Annotated[str, Field(min_length=1, pattern=forms.TEXT)]
Values = dict[str, Any]
EMPTY = Field(default_factory=dict, validate_default=True)
"""A part that is not written is an empty one; through its parent's validator, so that one is built."""
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
        Literal["solo", "upstream"], Field(description="upstream is not supported yet")
    ] = "solo"
    version: Annotated[
        str, Field(pattern=forms.VERSION, description="such as 1.30.2-solo; 1.24.3-solo or newer")
    ]
    repo_key: Annotated[
        str | None,
        Field(pattern=forms.REPO_KEY, description="key of the registry, for versions before 1.29"),
    ] = None
    license: LicensePart | None = None
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
        str | None, Field(pattern=forms.SHA256, description="digest of what the source must hold")
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


class NamespacesPart(Part):
    """Where the components live."""

    istiod: Annotated[Label | None, Field(description="of istiod and base; default: istio-system")] = None
    cni: Annotated[Label | None, Field(description="default: that of istiod")] = None
    ztunnel: Annotated[Label | None, Field(description="default: that of istiod")] = None
    eastwest: Annotated[
        Label | None, Field(description="the same in all clusters; default: istio-eastwest")
    ] = None


class ValuesPart(Part):
    """Values of the charts, over those that the guide gives."""

    base: Values = {}
    istiod: Values = {}
    cni: Values = {}
    ztunnel: Values = {}


class ValuesFilesPart(Part):
    """Files with values of the charts, relative to this one; a later one counts more."""

    base: list[Text] = []
    istiod: list[Text] = []
    cni: list[Text] = []
    ztunnel: list[Text] = []


class EastWestPart(Part):
    """The east-west gateway, through which the peers reach a cluster."""

    service: Annotated[
        Literal["LoadBalancer", "NodePort"] | None,
        Field(description="default: LoadBalancer; NodePort needs 1.28"),
    ] = None


class DefaultsPart(Part):
    """What every cluster gets unless it says otherwise."""

    kubeconfig: Annotated[Text | None, Field(description="default: KUBECONFIG or ~/.kube/config")] = None
    namespaces: Annotated[NamespacesPart, EMPTY]
    values: Annotated[ValuesPart, EMPTY]
    values_files: Annotated[ValuesFilesPart, EMPTY]
    eastwest: Annotated[EastWestPart, EMPTY]
    region: Annotated[Label | None, Field(description="of the peers' endpoints, for locality")] = None
    zone: Annotated[Label | None, Field(description="needs region")] = None


class ClusterPart(DefaultsPart):
    """One cluster of the mesh."""

    name: Annotated[Label, Field(description="its address in plans and links")]
    context: Annotated[Text | None, Field(description="kubeconfig context; default: the name")] = None
    cluster_name: Annotated[Label | None, Field(description="default: the name; final once applied")] = None
    network: Annotated[Label | None, Field(description="default: the name; final once applied")] = None
    trust_domain: Annotated[
        str | None, Field(pattern=forms.DNS_NAME, description="default: <name>.local; final once applied")
    ] = None
    adopt: Annotated[bool, Field(description="not supported yet")] = False


def _form(value: object) -> str:
    """Choose a branch by what was written; the names never show (see `translate`)."""
    if isinstance(value, str):
        return "<word>"
    return "<list>" if isinstance(value, list) else "<object>"


def _names_form(value: object) -> str:
    return "<list>" if isinstance(value, list) else "<word>"


Names = Annotated[
    Annotated[Label, Tag("<word>")] | Annotated[list[Label], Field(min_length=1), Tag("<list>")],
    Discriminator(_names_form),
]


def one_form(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema that a link is either `between`, or `from` and `to`."""
    schema["oneOf"] = [{"required": ["between"]}, {"required": ["from", "to"]}]


class LinkPart(Part):
    """Who may call services of whom: all of `between` each other, or `from` those of `to`."""

    model_config = ConfigDict(json_schema_extra=one_form)

    between: Annotated[list[Label] | None, Field(min_length=2)] = None
    from_: Annotated[Names | None, Field(alias="from")] = None
    to: Names | None = None


class AutomaticPart(Part):
    """A management plane distributes the peers; not supported yet."""

    automatic: Values


Links = Annotated[
    Annotated[Literal["full-mesh"], Tag("<word>")]
    | Annotated[list[LinkPart], Tag("<list>")]
    | Annotated[AutomaticPart, Tag("<object>")],
    Discriminator(_form),
]


class SpecPart(Part):
    """The desired state of the mesh."""

    istio: IstioPart
    gateway_api: Annotated[GatewayAPIPart, EMPTY, Field(alias="gatewayAPI")]
    root_of_trust: Annotated[RootOfTrustPart, EMPTY]
    defaults: Annotated[DefaultsPart, EMPTY]
    clusters: Annotated[list[ClusterPart], Field(min_length=1, max_length=forms.MOST_CLUSTERS)]
    links: Annotated[Links, Field(description="full-mesh, or a list of pairs")] = "full-mesh"
    sensitive: Annotated[
        list[Annotated[str, Field(pattern=forms.SENSITIVE)]],
        Field(description="paths in chart values that are never shown, such as meshConfig.some.password"),
    ] = []


class MetadataPart(Part):
    """The mesh's name."""

    name: Annotated[Label, Field(description="the mesh's name; final once applied")]


class MeshPart(Part):
    """One multicluster ambient mesh."""

    model_config = ConfigDict(title="Mesh")

    api_version: Literal["mesh/v1"]
    kind: Literal["Mesh"]
    metadata: MetadataPart
    spec: SpecPart
