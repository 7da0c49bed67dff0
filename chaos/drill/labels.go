package drill

import (
	"maps"
	"slices"
	"strings"
)

// Labels of alerts that drills read.
const (
	LabelAlert    = "alertname"
	LabelSeverity = "severity"
	LabelService  = "service"
	LabelSLO      = "slo"
)

// AlertName returns an alert in words: its name, its severity, and the labels that
// distinguish it from others of that name.
func AlertName(labels map[string]string) string {
	var rest []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		switch key {
		case LabelAlert, LabelSeverity, "owner", "scale", "tier", "instance":
		default:
			rest = append(rest, key+"="+labels[key])
		}
	}
	text := labels[LabelAlert]
	if severity := labels[LabelSeverity]; severity != "" {
		text += " " + severity
	}
	if len(rest) > 0 {
		text += " (" + strings.Join(rest, ", ") + ")"
	}
	return text
}
