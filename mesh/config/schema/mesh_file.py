"""The models of a mesh file, used by the decoder and the JSON Schema.

They check structure only: keys, types and the patterns of single values. Rules that span several
fields are in `mesh.config.resolve`. Editors show the descriptions as reference.
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
    """Namespaces of the components."""

    istiod: Annotated[
        Label | None, Field(description="namespace of istiod and base; default: istio-system")
    ] = None
    cni: Annotated[Label | None, Field(description="default: the namespace of istiod")] = None
    ztunnel: Annotated[Label | None, Field(description="default: the namespace of istiod")] = None
    eastwest: Annotated[
        Label | None,
        Field(
            description="namespace of the east-west gateway, one for all clusters; default: istio-eastwest"
        ),
    ] = None


class ValuesPart(Part):
    """Helm values per chart; they override the values that mesh sets by default."""

    base: Annotated[Values, EMPTY]
    istiod: Annotated[Values, EMPTY]
    cni: Annotated[Values, EMPTY]
    ztunnel: Annotated[Values, EMPTY]


class ValuesFilesPart(Part):
    """Helm values files per chart, relative to the mesh file; later files override earlier ones."""

    base: Annotated[list[Text], NONE]
    istiod: Annotated[list[Text], NONE]
    cni: Annotated[list[Text], NONE]
    ztunnel: Annotated[list[Text], NONE]


class EastWestPart(Part):
    """The east-west gateway, through which peers reach a cluster."""

    name: Annotated[
        Label | None,
        Field(description="name of the Gateway; default: istio-eastwest (upstream: istio-eastwestgateway)"),
    ] = None
    service: Annotated[
        Literal["LoadBalancer", "NodePort"] | None,
        Field(description="type of the Service; default: LoadBalancer; NodePort needs Istio 1.28"),
    ] = None


class DefaultsPart(Part):
    """Defaults for every cluster; a cluster can override each of them."""

    kubeconfig: Annotated[
        Text | None, Field(description="kubeconfig file; default: KUBECONFIG or ~/.kube/config")
    ] = None
    namespaces: Annotated[NamespacesPart, EMPTY]
    values: Annotated[ValuesPart, EMPTY]
    values_files: Annotated[ValuesFilesPart, EMPTY]
    eastwest: Annotated[EastWestPart, EMPTY]
    region: Annotated[
        Label | None, Field(description="region of the cluster's endpoints, for locality load balancing")
    ] = None
    zone: Annotated[Label | None, Field(description="zone of the cluster's endpoints; needs region")] = None
    adopt: Annotated[
        bool | None,
        Field(description="take over the Helm releases of an existing mesh; default: false"),
    ] = None
    allow_loopback: Annotated[
        bool | None,
        Field(description="upstream: accept API servers on loopback addresses, for labs; default: false"),
    ] = None


class ClusterPart(DefaultsPart):
    """One cluster of the mesh."""

    name: Annotated[Label, Field(description="name of the cluster in plans and links")]
    context: Annotated[Text | None, Field(description="kubeconfig context; default: the name")] = None
    cluster_name: Annotated[
        Label | None,
        Field(description="Istio's cluster name; default: the name; cannot change after the first apply"),
    ] = None
    network: Annotated[
        Label | None,
        Field(description="Istio's network; default: the name; cannot change after the first apply"),
    ] = None
    trust_domain: Annotated[
        str | None,
        Field(
            pattern=forms.DNS_NAME,
            description="default: <name>.local (upstream: cluster.local for all clusters); cannot change "
            "after the first apply",
        ),
    ] = None
    api_server: Annotated[
        Text | None,
        Field(
            description="upstream: URL at which the other clusters reach this API server; default: the "
            "server of the context"
        ),
    ] = None


def _form(value: object) -> str:
    """Choose a branch of the union by the written type; branch names are never shown (see `messages`)."""
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
    """Require either `between`, or `from` and `to`, in the JSON Schema."""
    schema["oneOf"] = [{"required": ["between"]}, {"required": ["from", "to"]}]


class LinkPart(Part):
    """One or more links: the clusters of `between` call each other, or those of `from` call those of `to`."""

    model_config = ConfigDict(json_schema_extra=one_form)

    between: Annotated[list[Label] | None, Field(min_length=2)] = None
    from_: Annotated[Names | None, Field(alias="from")] = None
    to: Names | None = None


class AutomaticPart(Part):
    """A Gloo management plane creates the links between all clusters."""

    management: Annotated[Label, Field(description="the cluster that runs the management plane")]
    namespace: Annotated[
        Label | None, Field(description="namespace of its Helm releases; default: gloo-mesh")
    ] = None
    source: Annotated[
        Text | None,
        Field(description="repository of its charts; default: the chart stored in each release"),
    ] = None
    version: Annotated[
        str | None,
        Field(
            pattern=forms.VERSION,
            description="version of its charts; needs source; default: the version of each release",
        ),
    ] = None


class LinksPart(Part):
    """Links that are created automatically instead of listed."""

    automatic: AutomaticPart


Links = Annotated[
    Annotated[Literal["full-mesh"], Tag("<word>")]
    | Annotated[list[LinkPart], Tag("<list>")]
    | Annotated[LinksPart, Tag("<object>")],
    Discriminator(_form),
]


class RolloutPart(Part):
    """How disruptive changes are rolled out over the clusters; new resources are created in all at once."""

    clusters: Annotated[
        int, Field(ge=1, le=forms.MAX_CLUSTERS, description="number of clusters to change at a time")
    ] = 1
    first: Annotated[list[Label], NONE, Field(description="clusters to change first, in this order")]
    pause: Annotated[str, Field(pattern=forms.DURATION, description="pause between two clusters")] = "0m"
    gate: Annotated[
        Literal["check", "ready"],
        Field(
            description="condition for the next cluster: the changed resources are ready, or the checks "
            "pass as well"
        ),
    ] = "check"
    settle_seconds: Annotated[
        int, Field(ge=0, le=3600, alias="settleSeconds", description="seconds that checks must keep passing")
    ] = 6


class ResourcePart(Part):
    """One resource that the mesh does not have by itself, of a kind that can be listed."""

    kind: Annotated[str, Field(pattern=forms.KIND, description="kind of the resource")]
    cluster: Annotated[Label, Field(description="cluster of the mesh that the resource is in")]
    name: Annotated[str, Field(pattern=forms.NAME, description="last part of the address kind/cluster/name")]
    spec: Annotated[Values, EMPTY, Field(description="settings; each kind has its own")]
    needs: Annotated[
        list[Annotated[str, Field(pattern=forms.ADDRESS)]],
        NONE,
        Field(description="addresses of the resources that must be ready before this one"),
    ]


class IgnorePart(Part):
    """A field of objects of Helm releases that others may change."""

    kind: Annotated[
        str, Field(pattern=forms.OBJECT_KIND, description="kind of the objects, such as Deployment")
    ]
    path: Annotated[
        str,
        Field(
            pattern=forms.FIELD_PATH,
            description="path of the field as plans show it, with * for any text; covers all that is in it",
        ),
    ]
    name: Annotated[
        str, Field(pattern=forms.NAME, description="name of the objects, with * for any text")
    ] = "*"
    cluster: Annotated[
        str, Field(pattern=forms.NAME, description="cluster of the objects, with * for any text")
    ] = "*"


class SpecPart(Part):
    """The desired state of the mesh."""

    istio: IstioPart
    gateway_api: Annotated[GatewayAPIPart, EMPTY, Field(alias="gatewayAPI")]
    root_of_trust: Annotated[RootOfTrustPart, EMPTY]
    defaults: Annotated[DefaultsPart, EMPTY]
    clusters: Annotated[list[ClusterPart], Field(min_length=1, max_length=forms.MAX_CLUSTERS)]
    links: Annotated[Links, Field(description="full-mesh, a list of pairs, or automatic")] = "full-mesh"
    rollout: Annotated[RolloutPart, EMPTY]
    sensitive: Annotated[
        list[Annotated[str, Field(pattern=forms.SENSITIVE)]],
        NONE,
        Field(description="paths of chart values that are never shown, such as meshConfig.some.password"),
    ]
    leave: Annotated[
        list[Annotated[str, Field(pattern=forms.ADDRESS)]],
        NONE,
        Field(description="addresses of objects that mesh leaves to their owner, such as link/a/b"),
    ]
    prevent_destroy: Annotated[
        list[Annotated[str, Field(pattern=forms.PATTERN)]],
        NONE,
        Field(
            description="what no plan may destroy: addresses, kinds or clusters, with * as in chart/*/istiod"
        ),
    ]
    ignore: Annotated[
        list[IgnorePart],
        NONE,
        Field(description="fields of objects of Helm releases that others may change"),
    ]
    resources: Annotated[
        list[ResourcePart], NONE, Field(description="resources of installed kinds, beside those of the mesh")
    ]


class MetadataPart(Part):
    """Name of the mesh."""

    name: Annotated[Label, Field(description="name of the mesh; cannot change after the first apply")]


class MeshPart(Part):
    """One multicluster ambient mesh."""

    model_config = ConfigDict(title="Mesh")

    api_version: Literal["mesh/v1"]
    kind: Literal["Mesh"]
    metadata: MetadataPart
    spec: SpecPart
