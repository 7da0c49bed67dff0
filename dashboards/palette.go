package dashboards

import (
	"regexp"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Six of the eight colours that Okabe and Ito chose so that people with any colour
// vision tell them apart (https://jfly.uni-koeln.de/color/). Their yellow and black
// are left out: on a light or a dark page they could not be seen.
const (
	blue       = "#0072B2"
	orange     = "#E69F00"
	green      = "#009E73"
	purple     = "#CC79A7"
	sky        = "#56B4E9"
	vermillion = "#D55E00"
)

// What colours judge. None of them is alone: the value or a word is beside it.
const (
	good = green
	warn = orange
	bad  = vermillion
)

// palette is the order in which the series of a panel get their colours.
func palette() []string { return []string{blue, orange, green, purple, sky, vermillion} }

// heatScheme is the colour scheme of heat maps: one that everybody sees the same.
const heatScheme = "Cividis"

// named is a series, by its name, with the colour that it has everywhere.
type named struct{ name, colour string }

// known are the values of a label that have a colour of their own.
func known(label string) []named {
	switch label {
	case "job", "service", "service_name", "client", "peer", "resource.service.name":
		return []named{
			{"gateway", blue}, {"catalog", orange}, {"orders", green}, {"payments", purple}, {"shipping", sky},
			{"broker", vermillion}, {"bank", vermillion},
		}
	case "level":
		return []named{{"error", bad}, {"warn", warn}, {"info", blue}, {"debug", sky}}
	case "signal":
		return []named{{"logs", orange}, {"traces", purple}, {"metrics", blue}}
	case "step":
		return []named{{"reserve", blue}, {"charge", green}, {"refund", orange}, {"release", purple}}
	case "outcome", "result", "finding", "kind":
		return []named{
			{"ok", good}, {"success", good}, {"confirmed", good}, {"shipped", good}, {"once", good}, {"first", good},
			{"reserved", good}, {"hit", good}, {"miss", warn}, {"released", sky}, {"retry", warn}, {"retried", warn},
			{"repeated", warn}, {"declined", warn}, {"out_of_stock", purple}, {"unavailable", purple}, {"timed_out", sky},
			{"abandoned", bad}, {"error", bad}, {"failed", bad}, {"rejected", bad}, {"dropped", bad},
		}
	case "severity":
		return []named{{"page", bad}, {"ticket", warn}}
	default:
		return nil
	}
}

var placeholder = regexp.MustCompile(`^\{\{([\w.]+)\}\}$`)

// coloursOf are the colours of the series that queries make, as far as their names
// are known beforehand: a legend that is a text gets the next of the palette, one
// that is a label those of its values.
func coloursOf(queries []query) []named {
	var all []named
	texts := 0
	for _, q := range queries {
		if m := placeholder.FindStringSubmatch(q.legend); m != nil {
			all = append(all, known(m[1])...)
			continue
		}
		if q.legend == "" || strings.Contains(q.legend, "{{") {
			continue
		}
		all = append(all, named{q.legend, palette()[texts%len(palette())]})
		texts++
	}
	return all
}

// fixed is how a panel is told a colour.
func fixed(colour string) []dashboard.DynamicConfigValue {
	return []dashboard.DynamicConfigValue{{Id: "color", Value: map[string]string{"mode": "fixed", "fixedColor": colour}}}
}

// shades are for series that nobody can name beforehand: they differ by how light
// they are, which everybody sees.
func shades() *dashboard.FieldColorBuilder {
	return dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdShades).FixedColor(blue)
}

// judged colours a value: base, and from each of the limits on another. The limits
// ascend.
func judged(base string, limits ...dashboard.Threshold) *dashboard.ThresholdsConfigBuilder {
	return dashboard.NewThresholdsConfigBuilder().
		Mode(dashboard.ThresholdsModeAbsolute).
		Steps(append([]dashboard.Threshold{{Color: base}}, limits...))
}

func above(value float64, colour string) dashboard.Threshold {
	return dashboard.Threshold{Value: &value, Color: colour}
}
