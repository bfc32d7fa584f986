#include "dispatch/receivers.h"

namespace atalaya::dispatch {

std::string_view default_templates() {
  return R"({{ define "__alertmanager" }}Atalaya{{ end -}}
{{ define "__alertmanagerURL" }}{{ .ExternalURL }}/#/alerts{{ end -}}
{{ define "__subject" }}[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] {{ .GroupLabels.SortedPairs.Values | join " " }} {{ if gt (len .CommonLabels) (len .GroupLabels) }}({{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}){{ end }}{{ end -}}
{{ define "__description" }}{{ end -}}
{{ define "__text_alert_list" }}{{ range . }}Labels:
{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}Annotations:
{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}Source: {{ .GeneratorURL }}
{{ end }}{{ end -}}
{{ define "__text_alert_list_markdown" }}{{ range . }}
Labels:
{{ range .Labels.SortedPairs }}  - {{ .Name }} = {{ .Value }}
{{ end }}
Annotations:
{{ range .Annotations.SortedPairs }}  - {{ .Name }} = {{ .Value }}
{{ end }}
Source: {{ .GeneratorURL }}
{{ end }}{{ end -}}
{{ define "__both_lists" }}{{ if gt (len .Alerts.Firing) 0 }}Alerts Firing:
{{ template "__text_alert_list" .Alerts.Firing }}{{ end }}{{ if gt (len .Alerts.Resolved) 0 }}Alerts Resolved:
{{ template "__text_alert_list" .Alerts.Resolved }}{{ end }}{{ end -}}
{{ define "__both_lists_markdown" }}{{ if gt (len .Alerts.Firing) 0 }}# Alerts Firing:
{{ template "__text_alert_list_markdown" .Alerts.Firing }}{{ end }}{{ if gt (len .Alerts.Resolved) 0 }}# Alerts Resolved:
{{ template "__text_alert_list_markdown" .Alerts.Resolved }}{{ end }}{{ end -}}
{{ define "slack.default.title" }}{{ template "__subject" . }}{{ end -}}
{{ define "slack.default.username" }}{{ template "__alertmanager" . }}{{ end -}}
{{ define "slack.default.fallback" }}{{ template "slack.default.title" . }} | {{ template "slack.default.titlelink" . }}{{ end -}}
{{ define "slack.default.pretext" }}{{ end -}}
{{ define "slack.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end -}}
{{ define "slack.default.text" }}{{ end -}}
{{ define "slack.default.footer" }}{{ end -}}
{{ define "pagerduty.default.description" }}{{ template "__subject" . }}{{ end -}}
{{ define "pagerduty.default.client" }}{{ template "__alertmanager" . }}{{ end -}}
{{ define "pagerduty.default.clientURL" }}{{ template "__alertmanagerURL" . }}{{ end -}}
{{ define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end -}}
{{ define "opsgenie.default.message" }}{{ template "__subject" . }}{{ end -}}
{{ define "opsgenie.default.description" }}{{ .CommonAnnotations.SortedPairs.Values | join " " }}
{{ template "__both_lists" . }}{{ end -}}
{{ define "opsgenie.default.source" }}{{ template "__alertmanagerURL" . }}{{ end -}}
{{ define "email.default.subject" }}{{ template "__subject" . }}{{ end -}}
{{ define "telegram.default.message" }}{{ template "__both_lists" . }}{{ end -}}
{{ define "discord.default.content" }}{{ end -}}
{{ define "discord.default.title" }}{{ template "__subject" . }}{{ end -}}
{{ define "discord.default.message" }}{{ template "__both_lists" . }}{{ end -}}
{{ define "msteams.default.summary" }}{{ template "__subject" . }}{{ end -}}
{{ define "msteams.default.title" }}{{ template "__subject" . }}{{ end -}}
{{ define "msteams.default.text" }}{{ template "__both_lists_markdown" . }}{{ end -}}
)";
}

}  // namespace atalaya::dispatch
