"""The API resources that `mesh` reads and writes, as a static table that needs no discovery."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ResourceType:
    """One API resource: `group` is "" for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The `apiVersion` of an object of this resource."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the URL path of the collection (of one namespace, or of all), or of one object."""
        parts = ["/apis" if self.group else "/api", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        return "/".join([*parts, self.plural, *([name] if name else [])])


NAMESPACE = ResourceType("", "v1", "namespaces", "Namespace", namespaced=False)
NODE = ResourceType("", "v1", "nodes", "Node", namespaced=False)
POD = ResourceType("", "v1", "pods", "Pod")
SECRET = ResourceType("", "v1", "secrets", "Secret")
CONFIG_MAP = ResourceType("", "v1", "configmaps", "ConfigMap")
SERVICE = ResourceType("", "v1", "services", "Service")
SERVICE_ACCOUNT = ResourceType("", "v1", "serviceaccounts", "ServiceAccount")
DEPLOYMENT = ResourceType("apps", "v1", "deployments", "Deployment")
DAEMON_SET = ResourceType("apps", "v1", "daemonsets", "DaemonSet")
LEASE = ResourceType("coordination.k8s.io", "v1", "leases", "Lease")
CRD = ResourceType(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
GATEWAY_CLASS = ResourceType(
    "gateway.networking.k8s.io", "v1", "gatewayclasses", "GatewayClass", namespaced=False
)
GATEWAY = ResourceType("gateway.networking.k8s.io", "v1", "gateways", "Gateway")
KUBERNETES_CLUSTER = ResourceType("admin.gloo.solo.io", "v2", "kubernetesclusters", "KubernetesCluster")
ACCESS_REVIEW = ResourceType(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)

TABLE = {
    (resource.api_version, resource.kind): resource
    for resource in (
        NAMESPACE,
        NODE,
        POD,
        SECRET,
        CONFIG_MAP,
        SERVICE,
        SERVICE_ACCOUNT,
        DEPLOYMENT,
        DAEMON_SET,
        LEASE,
        CRD,
        GATEWAY_CLASS,
        GATEWAY,
        KUBERNETES_CLUSTER,
        ACCESS_REVIEW,
    )
}
"""Every resource above by the `apiVersion` and `kind` of its objects."""
