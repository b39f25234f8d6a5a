{{- define "keygate.name" -}}
{{- if contains "keygate" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-keygate" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "keygate.selector" -}}
app.kubernetes.io/name: keygate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "keygate.labels" -}}
{{ include "keygate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "keygate.config" -}}
{{- if .Values.config }}
{{- .Values.config }}
{{- else -}}
listen: 0.0.0.0:8080
health: {address: 0.0.0.0:9901}
admin: {address: "unix:/run/keygate/admin.sock"}   # keygate drain, before the pod goes
upstream: {{ .Values.upstream | quote }}
policy: policy.yaml
resolution:
  {{- with .Values.redis }}
  redis: {url: {{ . | quote }}}
  {{- end }}
  service: {url: {{ .Values.keyService.url | quote }}, token_file: /run/secrets/keygate/token}
{{- end }}
{{- end }}
