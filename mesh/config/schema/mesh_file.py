"""What may be written in a mesh file: the models behind the decoder and the JSON Schema.

Only shape is checked here (keys, types, forms of single words); what one part says about another
is the business of the modules beside this one. Descriptions are the reference that editors show.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from mesh.config.schema import patterns as forms
from mesh.config.schema.istio import (
    EMPTY,
    NONE,
    GatewayAPIPart,
    IstioPart,
    Label,
    Part,
    RootOfTrustPart,
    Text,
    Values,
)


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

    base: Annotated[Values, EMPTY]
    istiod: Annotated[Values, EMPTY]
    cni: Annotated[Values, EMPTY]
    ztunnel: Annotated[Values, EMPTY]


class ValuesFilesPart(Part):
    """Files with values of the charts, relative to this one; a later one counts more."""

    base: Annotated[list[Text], NONE]
    istiod: Annotated[list[Text], NONE]
    cni: Annotated[list[Text], NONE]
    ztunnel: Annotated[list[Text], NONE]


class EastWestPart(Part):
    """The east-west gateway, through which the peers reach a cluster."""

    name: Annotated[
        Label | None,
        Field(description="of the Gateway; default: istio-eastwest (upstream: istio-eastwestgateway)"),
    ] = None
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
    adopt: Annotated[
        bool | None,
        Field(description="take over the releases of a mesh that helm installed; default: false"),
    ] = None
    allow_loopback: Annotated[
        bool | None,
        Field(description="upstream: accept API servers on this machine, as labs have them; default: false"),
    ] = None


class ClusterPart(DefaultsPart):
    """One cluster of the mesh."""

    name: Annotated[Label, Field(description="its address in plans and links")]
    context: Annotated[Text | None, Field(description="kubeconfig context; default: the name")] = None
    cluster_name: Annotated[Label | None, Field(description="default: the name; final once applied")] = None
    network: Annotated[Label | None, Field(description="default: the name; final once applied")] = None
    trust_domain: Annotated[
        str | None,
        Field(
            pattern=forms.DNS_NAME,
            description="default: <name>.local (upstream: cluster.local for all); final once applied",
        ),
    ] = None
    api_server: Annotated[
        Text | None,
        Field(description="upstream: where the others reach its API server; default: the context's server"),
    ] = None


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
    """A Gloo management plane makes the links between all clusters."""

    management: Annotated[Label, Field(description="the cluster where the management plane runs")]
    namespace: Annotated[Label | None, Field(description="of its releases; default: gloo-mesh")] = None
    source: Annotated[
        Text | None,
        Field(description="repository of its charts; default: each chart as its release has it"),
    ] = None
    version: Annotated[
        str | None,
        Field(pattern=forms.VERSION, description="of its charts; needs source; default: that of the release"),
    ] = None


class LinksPart(Part):
    """Links that are not written one by one."""

    automatic: AutomaticPart


Links = Annotated[
    Annotated[Literal["full-mesh"], Tag("<word>")]
    | Annotated[list[LinkPart], Tag("<list>")]
    | Annotated[LinksPart, Tag("<object>")],
    Discriminator(_form),
]


class RolloutPart(Part):
    """How changes that may cut traffic go through the clusters; what is new is made everywhere at once."""

    clusters: Annotated[int, Field(ge=1, le=forms.MOST_CLUSTERS, description="at a time")] = 1
    first: Annotated[list[Label], NONE, Field(description="clusters to begin with, in this order")]
    pause: Annotated[str, Field(pattern=forms.DURATION, description="between two clusters")] = "0m"
    gate: Annotated[
        Literal["check", "ready"], Field(description="what must hold before the next cluster")
    ] = "check"


class SpecPart(Part):
    """The desired state of the mesh."""

    istio: IstioPart
    gateway_api: Annotated[GatewayAPIPart, EMPTY, Field(alias="gatewayAPI")]
    root_of_trust: Annotated[RootOfTrustPart, EMPTY]
    defaults: Annotated[DefaultsPart, EMPTY]
    clusters: Annotated[list[ClusterPart], Field(min_length=1, max_length=forms.MOST_CLUSTERS)]
    links: Annotated[Links, Field(description="full-mesh, a list of pairs, or automatic")] = "full-mesh"
    rollout: Annotated[RolloutPart, EMPTY]
    sensitive: Annotated[
        list[Annotated[str, Field(pattern=forms.SENSITIVE)]],
        NONE,
        Field(description="paths in chart values that are never shown, such as meshConfig.some.password"),
    ]
    leave: Annotated[
        list[Annotated[str, Field(pattern=forms.ADDRESS)]],
        NONE,
        Field(description="addresses of objects that stay with whoever made them, such as link/a/b"),
    ]


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
