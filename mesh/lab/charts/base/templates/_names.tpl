{{- define "base.labels" -}}
app.kubernetes.io/name: istio-base
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "base-%s" .Chart.Version }}
{{- end }}

{{- /* group -> plural: [kind, served versions, newest last] */ -}}
{{- define "base.kinds" -}}
networking.istio.io:
  destinationrules: [DestinationRule, v1alpha3, v1beta1, v1]
  envoyfilters: [EnvoyFilter, v1alpha3]
  gateways: [Gateway, v1alpha3, v1beta1, v1]
  proxyconfigs: [ProxyConfig, v1beta1]
  serviceentries: [ServiceEntry, v1alpha3, v1beta1, v1]
  sidecars: [Sidecar, v1alpha3, v1beta1, v1]
  virtualservices: [VirtualService, v1alpha3, v1beta1, v1]
  workloadentries: [WorkloadEntry, v1alpha3, v1beta1, v1]
  workloadgroups: [WorkloadGroup, v1alpha3, v1beta1, v1]
security.istio.io:
  authorizationpolicies: [AuthorizationPolicy, v1beta1, v1]
  peerauthentications: [PeerAuthentication, v1beta1, v1]
  requestauthentications: [RequestAuthentication, v1beta1, v1]
telemetry.istio.io:
  telemetries: [Telemetry, v1alpha1, v1]
extensions.istio.io:
  wasmplugins: [WasmPlugin, v1alpha1]
{{- end }}
