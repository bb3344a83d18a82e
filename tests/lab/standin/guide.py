"""The guide's steps for one cluster, written out: the values and objects a person would type.

Nothing here comes from `mesh`: these are the facts of the distribution a second time, so that a mistake made
once in `mesh` and once in the stand-ins would have to be made here as well.
"""

from __future__ import annotations

VERSION = "1.30.2-solo"
SYSTEM, EDGE = "istio-system", "istio-eastwest"
LICENCE = "solo-istio-license"


def istiod(cluster: str, extra: str = "") -> str:
    """Values of the istiod chart; `extra` is merged over them as a second document would be."""
    return f"""
profile: ambient
global:
  hub: registry.invalid/solo
  tag: {VERSION}
  multiCluster: {{clusterName: {cluster}}}
  network: {cluster}
  proxy: {{clusterDomain: cluster.local}}
meshConfig:
  accessLogFile: /dev/stdout
  defaultConfig: {{proxyMetadata: {{ISTIO_META_DNS_AUTO_ALLOCATE: "true", ISTIO_META_DNS_CAPTURE: "true"}}}}
  trustDomain: "{cluster}.local"
env:
  PILOT_ENABLE_IP_AUTOALLOCATE: "true"
  PILOT_ENABLE_K8S_SELECT_WORKLOAD_ENTRIES: "false"
  PILOT_SKIP_VALIDATE_TRUST_DOMAIN: "true"
pilot: {{cni: {{enabled: true, namespace: {SYSTEM}}}}}
platforms: {{peering: {{enabled: true}}}}
license: {{secretRef: {{name: {LICENCE}, namespace: {SYSTEM}}}}}
{extra}"""


CNI = f"""
profile: ambient
ambient: {{dnsCapture: true}}
excludeNamespaces: [{SYSTEM}, kube-system]
global: {{hub: registry.invalid/solo, tag: {VERSION}}}
"""


def ztunnel(cluster: str) -> str:
    """Values of the ztunnel chart."""
    return f"""
profile: ambient
configValidation: true
enabled: true
hub: registry.invalid/solo
tag: {VERSION}
istioNamespace: {SYSTEM}
namespace: {SYSTEM}
multiCluster: {{clusterName: {cluster}}}
network: {cluster}
proxy: {{clusterDomain: cluster.local}}
terminationGracePeriodSeconds: 29
env: {{L7_ENABLED: "true", SKIP_VALIDATE_TRUST_DOMAIN: "true"}}
"""


LISTENERS = """
  listeners:
  - {name: cross-network, port: 15008, protocol: HBONE, tls: {mode: Passthrough}}
  - {name: xds-tls, port: 15012, protocol: TLS, tls: {mode: Passthrough}}
"""


def eastwest(cluster: str, annotations: str = "{}") -> str:
    """The east-west gateway of a cluster."""
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: istio-eastwest
  namespace: {EDGE}
  labels:
    istio.io/expose-istiod: "15012"
    topology.istio.io/network: {cluster}
    topology.istio.io/cluster: {cluster}
  annotations: {annotations}
spec:
  gatewayClassName: istio-eastwest{LISTENERS}"""


def peer(target: str, address: str, *, name: str = "", namespace: str = EDGE, kind: str = "IPAddress") -> str:
    """The peer gateway for `target`, as it stands in another cluster."""
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: {name or f"istio-remote-peer-{target}"}
  namespace: {namespace}
  labels:
    topology.istio.io/network: {target}
    topology.istio.io/cluster: {target}
  annotations:
    gateway.istio.io/service-account: istio-eastwest
    gateway.istio.io/trust-domain: {target}.local
spec:
  gatewayClassName: istio-remote
  addresses: [{{type: {kind}, value: {address}}}]{LISTENERS}"""
