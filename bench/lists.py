"""The LISTs that a plan needs from each cluster, maintained by hand: path and media type."""

METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
WHOLE = "application/json"

LISTS = {
    "/api/v1/namespaces": WHOLE,
    "/api/v1/nodes": METADATA,
    "/api/v1/namespaces/istio-system/secrets?labelSelector=status%21%3Dsuperseded": WHOLE,
    "/api/v1/namespaces/istio-system/configmaps": WHOLE,
    "/apis/apps/v1/namespaces/istio-system/deployments": WHOLE,
    "/apis/apps/v1/namespaces/istio-system/daemonsets": WHOLE,
    "/apis/gateway.networking.k8s.io/v1/gateways": WHOLE,
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": METADATA,
}
