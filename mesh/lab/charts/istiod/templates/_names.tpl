{{- define "istiod.labels" -}}
app.kubernetes.io/name: istiod
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "istiod-%s" .Chart.Version }}
{{- end }}

{{- /* "-<revision>", or nothing for the default one. */ -}}
{{- define "istiod.suffix" -}}
{{- with .Values.revision }}{{ if ne . "default" }}-{{ . }}{{ end }}{{ end -}}
{{- end }}

{{- define "istiod.revision" -}}
{{ .Values.revision | default "default" }}
{{- end }}

{{- /* What was given, with `pilot.*` on top, as YAML. */ -}}
{{- define "istiod.values" -}}
{{- toYaml (mergeOverwrite (deepCopy .Values) (deepCopy (.Values.pilot | default dict))) -}}
{{- end }}

{{- define "istiod.image" -}}
{{- $v := fromYaml (include "istiod.values" .) -}}
{{- $tag := $v.tag | default $v.global.tag | default .Chart.AppVersion | toString -}}
{{- $variant := $v.variant | default $v.global.variant -}}
{{- if contains "/" $v.image }}{{ $v.image }}{{ else -}}
{{ $v.hub | default $v.global.hub }}/{{ $v.image }}:{{ $tag }}{{ with $variant }}-{{ . }}{{ end }}
{{- end -}}
{{- end }}

{{- /* Computed environment with `env` on top, so that a name appears once. A licence in a Secret wins. */ -}}
{{- define "istiod.env" -}}
{{- $v := fromYaml (include "istiod.values" .) -}}
{{- $env := dict
  "CLUSTER_ID" ($v.global.multiCluster.clusterName | default "Kubernetes")
  "ENABLE_WAYPOINT_INTEROP" "true"
  "REVISION" (include "istiod.revision" .)
  "ROOT_CA_DIR" "/etc/cacerts" -}}
{{- if eq $v.profile "ambient" }}
{{- $_ := set $env "PILOT_ENABLE_AMBIENT" "true" }}
{{- end }}
{{- if $v.platforms.peering.enabled }}
{{- $_ := set $env "ENABLE_PEERING_DISCOVERY" "true" }}
{{- end }}
{{- if $v.cni.enabled }}
{{- $_ := set $env "CNI_NAMESPACE" ($v.cni.namespace | default .Release.Namespace) }}
{{- end }}
{{- if or (eq $v.profile "ambient") $v.trustedZtunnelNamespace }}
{{- $namespace := $v.trustedZtunnelNamespace | default .Release.Namespace }}
{{- $_ := set $env "CA_TRUSTED_NODE_ACCOUNTS" (printf "%s/%s" $namespace ($v.trustedZtunnelName | default "ztunnel")) }}
{{- end }}
{{- with $v.license }}
{{- if .secretRef.name }}
{{- $_ := set $env "SOLO_LICENSE_SECRET" (printf "%s/%s" (.secretRef.namespace | default $.Release.Namespace) .secretRef.name) }}
{{- else if .value }}
{{- $_ := set $env "SOLO_LICENSE_KEY" .value }}
{{- end }}
{{- end }}
{{- with $v.global.platform }}
{{- $_ := set $env "PLATFORM" . }}
{{- end }}
{{- toYaml (mergeOverwrite $env ($v.env | default dict)) -}}
{{- end }}

{{- /* The mesh configuration, with `meshConfig` on top. */ -}}
{{- define "istiod.mesh" -}}
{{- $discovery := printf "istiod%s.%s.svc:15012" (include "istiod.suffix" .) .Release.Namespace -}}
{{- $defaults := dict
  "rootNamespace" .Release.Namespace
  "trustDomain" "cluster.local"
  "enablePrometheusMerge" true
  "defaultConfig" (dict "discoveryAddress" $discovery) -}}
{{- with .Values.global.meshID }}{{ $_ := set $defaults.defaultConfig "meshId" . }}{{ end -}}
{{- toYaml (mergeOverwrite $defaults (deepCopy .Values.meshConfig)) -}}
{{- end }}
