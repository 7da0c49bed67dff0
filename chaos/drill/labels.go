package drill

import (
	"maps"
	"slices"
	"strings"
)

// LabelAlert is the label with an alert's name, LabelSeverity that with how soon a
// person must look.
const (
	LabelAlert    = "alertname"
	LabelSeverity = "severity"
	LabelService  = "service"
	LabelSLO      = "slo"
)

// AlertName writes an alert for people: its name, and the labels that tell it from
// others of that name.
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
