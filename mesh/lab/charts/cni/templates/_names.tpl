{{- define "cni.labels" -}}
app.kubernetes.io/name: istio-cni
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "cni-%s" .Chart.Version }}
{{- end }}

{{- /* What was given, with the profile underneath and `cni.*` on top, as YAML. */ -}}
{{- define "cni.values" -}}
{{- $v := mergeOverwrite (deepCopy .Values) (deepCopy (.Values.cni | default dict)) -}}
{{- if eq $v.profile "ambient" }}{{- $_ := set $v.ambient "enabled" true }}{{- end -}}
{{- toYaml $v -}}
{{- end }}

{{- define "cni.image" -}}
{{- $v := fromYaml (include "cni.values" .) -}}
{{- $tag := $v.tag | default $v.global.tag | default .Chart.AppVersion | toString -}}
{{- $variant := $v.variant | default $v.global.variant -}}
{{- if contains "/" $v.image }}{{ $v.image }}{{ else -}}
{{ $v.hub | default $v.global.hub }}/{{ $v.image }}:{{ $tag }}{{ with $variant }}-{{ . }}{{ end }}
{{- end -}}
{{- end }}
