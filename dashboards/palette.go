package dashboards

import (
	"regexp"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Six of the eight colours by Okabe and Ito, which people with any colour vision can distinguish
// (https://jfly.uni-koeln.de/color/). Yellow is left out because it is invisible on a light page,
// black because it is invisible on a dark one.
const (
	blue       = "#0072B2"
	orange     = "#E69F00"
	green      = "#009E73"
	purple     = "#CC79A7"
	sky        = "#56B4E9"
	vermillion = "#D55E00"
)

// Colours that judge a value. The value or a word is always shown too.
const (
	good = green
	warn = orange
	bad  = vermillion
)

// palette returns the colours of the series of a panel, in order.
func palette() []string { return []string{blue, orange, green, purple, sky, vermillion} }

// heatScheme is the colour scheme of heat maps. It looks similar with any colour vision.
const heatScheme = "Cividis"

// named is the name of a series with its fixed colour.
type named struct{ name, colour string }

// known returns the values of a label that have a fixed colour.
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

// coloursOf returns the colours of the series whose names are known in advance. A fixed legend gets
// the next colour of the palette. A legend that is a label gets the colours of the label's known
// values.
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

// fixed returns the panel option that sets a colour.
func fixed(colour string) []dashboard.DynamicConfigValue {
	return []dashboard.DynamicConfigValue{{Id: "color", Value: map[string]string{"mode": "fixed", "fixedColor": colour}}}
}

// shades returns the colour scheme for series whose names are not known in advance. They differ in
// lightness, which is visible with any colour vision.
func shades() *dashboard.FieldColorBuilder {
	return dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdShades).FixedColor(blue)
}

// judged returns thresholds that colour a value. The colour is base below the first limit, and that
// of the highest limit reached otherwise. limits must be in ascending order.
func judged(base string, limits ...dashboard.Threshold) *dashboard.ThresholdsConfigBuilder {
	return dashboard.NewThresholdsConfigBuilder().
		Mode(dashboard.ThresholdsModeAbsolute).
		Steps(append([]dashboard.Threshold{{Color: base}}, limits...))
}

func above(value float64, colour string) dashboard.Threshold {
	return dashboard.Threshold{Value: &value, Color: colour}
}
