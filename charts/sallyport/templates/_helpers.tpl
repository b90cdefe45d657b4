{{- /* Labels of every object. */ -}}
{{- define "sallyport.labels" -}}
{{ include "sallyport.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: controller
app.kubernetes.io/part-of: sallyport
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* What is selected by; it can never change in a Deployment. */ -}}
{{- define "sallyport.selector" -}}
app.kubernetes.io/name: sallyport
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The image of that name, by its digest where there is one: list $ "proxy" */ -}}
{{- define "sallyport.image" -}}
{{- $image := (index . 0).Values.image -}}
{{- $name := index . 1 -}}
{{- $digest := get $image.digests $name -}}
{{- $image.registry }}/{{ $name }}{{ if $digest }}@{{ $digest }}{{ else }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* The Secret that is mounted, where somebody else keeps the certificate. */ -}}
{{- define "sallyport.certificateFiles" -}}
{{- if eq .Values.certificate.source "certManager" -}}
sallyport-tls
{{- else if eq .Values.certificate.source "files" -}}
{{ required "certificate.source is files: certificate.secretName has to name the Secret with tls.crt and tls.key" .Values.certificate.secretName }}
{{- end }}
{{- end }}

{{- /*
Which pods and where from: label is enabled or all, of the namespace. Never those of the cluster's own namespace, nor of
ours, which could not come back if they needed themselves.
*/ -}}
{{- define "sallyport.namespaceSelector" -}}
matchExpressions:
  - key: sallyport.dev/injection
    operator: In
    values: [{{ .label }}]
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: [kube-system, {{ .root.Release.Namespace }}]
{{- end }}

{{- define "sallyport.clientConfig" -}}
service:
  name: sallyport
  namespace: {{ .root.Release.Namespace }}
  path: {{ .path }}
  port: 443
{{- if eq .root.Values.certificate.source "files" }}
caBundle: {{ required "certificate.source is files: certificate.caBundle has to hold the certificates (PEM) that verify it" .root.Values.certificate.caBundle | b64enc }}
{{- end }}
{{- end }}

{{- define "sallyport.webhookAnnotations" -}}
{{- if eq .Values.certificate.source "certManager" -}}
annotations:
  cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/sallyport-tls
{{- end }}
{{- end }}

{{- /*
Nobody can answer before the first controller serves with a certificate that is trusted, and pods can be created all the
same: only then does the leading controller change Ignore into Fail, and it keeps that so.
*/ -}}
{{- define "sallyport.guardFailurePolicy" -}}
{{ ternary "Ignore" "Fail" .Release.IsInstall }}
{{- end }}
