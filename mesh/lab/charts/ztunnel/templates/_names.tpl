{{- define "ztunnel.labels" -}}
app.kubernetes.io/name: ztunnel
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "ztunnel-%s" .Chart.Version }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ztunnel.image" -}}
{{- if contains "/" .Values.image }}{{ .Values.image }}{{ else -}}
{{ .Values.hub }}/{{ .Values.image }}:{{ .Values.tag | default .Chart.AppVersion }}{{ with .Values.variant }}-{{ . }}{{ end }}
{{- end -}}
{{- end }}

{{- /* Computed environment with `env` on top, so that a name appears once. */ -}}
{{- define "ztunnel.env" -}}
{{- $istiod := printf "istiod%s.%s.svc:15012" (ternary (printf "-%s" .Values.revision) "" (ne .Values.revision "")) .Values.istioNamespace -}}
{{- $env := dict
  "CA_ADDRESS" $istiod
  "XDS_ADDRESS" $istiod
  "ISTIO_META_CLUSTER_ID" (.Values.multiCluster.clusterName | default "Kubernetes")
  "CLUSTER_DOMAIN" .Values.proxy.clusterDomain
  "RUST_LOG" .Values.logLevel
  "TERMINATION_GRACE_PERIOD_SECONDS" .Values.terminationGracePeriodSeconds -}}
{{- with .Values.network }}{{ $_ := set $env "NETWORK" . }}{{ end -}}
{{- with (.Values.l7Telemetry.distributedTracing | default dict).otlpEndpoint }}{{ $_ := set $env "OTLP_ENDPOINT" . }}{{ end -}}
{{- toYaml (mergeOverwrite $env .Values.env) -}}
{{- end }}
