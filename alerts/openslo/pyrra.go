package openslo

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"firedrill/internal/yamlfile"
)

// pyrraVersion is the apiVersion of Pyrra's ServiceLevelObjective.
// https://github.com/pyrra-dev/pyrra
const pyrraVersion = "pyrra.dev/v1alpha1"

// pyrraObject is a document of Pyrra.
type pyrraObject struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name   string         `yaml:"name"`
		Labels map[string]any `yaml:"labels"`
	} `yaml:"metadata"`
	Spec struct {
		Target      any    `yaml:"target"` // a number or its text, in percent
		Window      string `yaml:"window"`
		Description string `yaml:"description"`
		Indicator   struct {
			Ratio         *pyrraRatio   `yaml:"ratio"`
			Latency       *pyrraLatency `yaml:"latency"`
			LatencyNative any           `yaml:"latencyNative"`
			BoolGauge     any           `yaml:"bool_gauge"`
		} `yaml:"indicator"`
		Alerting struct {
			Name     string `yaml:"name"`
			Disabled bool   `yaml:"disabled"`
		} `yaml:"alerting"`
	} `yaml:"spec"`
}

type pyrraMetric struct {
	Metric string `yaml:"metric"`
}

type pyrraRatio struct {
	Errors   pyrraMetric `yaml:"errors"`
	Total    pyrraMetric `yaml:"total"`
	Grouping []string    `yaml:"grouping"`
}

type pyrraLatency struct {
	Success  pyrraMetric `yaml:"success"`
	Total    pyrraMetric `yaml:"total"`
	Grouping []string    `yaml:"grouping"`
}

// isPyrra matches a text with a document of Pyrra.
var isPyrra = regexp.MustCompile(`(?m)^apiVersion:\s*["']?pyrra\.dev/`)

// readPyrra reads the documents of a text of Pyrra.
func readPyrra(file string, text []byte) ([]pyrraObject, error) {
	objects, err := yamlfile.DecodeAll[pyrraObject](file, text)
	if err != nil {
		return nil, fmt.Errorf("read Pyrra: %w", err)
	}
	for i, o := range objects {
		if o.APIVersion != pyrraVersion || o.Kind != "ServiceLevelObjective" {
			return nil, fmt.Errorf("read Pyrra in %s: document %d has apiVersion %q and kind %q: want %q and %q",
				file, i+1, o.APIVersion, o.Kind, pyrraVersion, "ServiceLevelObjective")
		}
	}
	return objects, nil
}

// pyrra adds the objective of a document of Pyrra.
func (im *importer) pyrra(o pyrraObject) {
	name := o.Metadata.Name
	skip := func(err error) { im.skipped("SLO %q: %v", name, err) }
	percent, err := strconv.ParseFloat(fmt.Sprint(o.Spec.Target), 64)
	if err != nil {
		skip(fmt.Errorf("its target is %v: want percent, such as \"99.5\"", o.Spec.Target))
		return
	}
	bad, total, service, err := o.queries()
	if err != nil {
		skip(err)
		return
	}
	entry := yaml.MapSlice{{Key: "name", Value: name}, {Key: "objective", Value: percent}}
	if text := strings.TrimSpace(o.Spec.Description); text != "" {
		entry = append(entry, yaml.MapItem{Key: "description", Value: text})
	}
	if period := im.period(name, o.Spec.Window); period != "" {
		entry = append(entry, yaml.MapItem{Key: "period", Value: period})
	}
	entry = append(entry, yaml.MapItem{Key: "sli", Value: yaml.MapSlice{{Key: "events", Value: yaml.MapSlice{
		{Key: "error_query", Value: bad}, {Key: "total_query", Value: total},
	}}}})
	if a := o.Spec.Alerting; a.Disabled || a.Name != "" {
		alerting := yaml.MapSlice{}
		if a.Name != "" {
			alerting = append(alerting, yaml.MapItem{Key: "name", Value: a.Name})
		}
		if a.Disabled {
			off := yaml.MapSlice{{Key: "disable", Value: true}}
			alerting = append(alerting, yaml.MapItem{Key: "page_alert", Value: off}, yaml.MapItem{Key: "ticket_alert", Value: off})
		}
		entry = append(entry, yaml.MapItem{Key: "alerting", Value: alerting})
	}
	im.add(service, name, entry)
}

// queries returns the queries of bad and of all events, and the name of the service: that of the job, if the metric names
// one, or that of the objective.
func (o pyrraObject) queries() (bad, total, service string, err error) {
	indicator := o.Spec.Indicator
	var grouping []string
	switch {
	case indicator.Ratio != nil:
		r := indicator.Ratio
		grouping = r.Grouping
		if bad, _, err = pyrraQuery("errors", r.Errors); err == nil {
			total, service, err = pyrraQuery("total", r.Total)
		}
	case indicator.Latency != nil:
		l := indicator.Latency
		grouping = l.Grouping
		var success string
		if success, _, err = pyrraQuery("success", l.Success); err == nil {
			total, service, err = pyrraQuery("total", l.Total)
		}
		bad = total + "\n-\n" + success
	case indicator.LatencyNative != nil:
		err = errors.New("latencyNative reads a native histogram: use sli.latency with a classic one")
	case indicator.BoolGauge != nil:
		err = errors.New("bool_gauge counts scrapes and not events: use a counter of events")
	default:
		err = errors.New("its indicator is none of ratio and latency")
	}
	if err == nil && len(grouping) > 0 {
		err = fmt.Errorf("it is grouped by %s: write one objective for each value that matters", strings.Join(grouping, ", "))
	}
	if service == "" {
		service = o.Metadata.Name
	}
	return bad, total, service, err
}

// pyrraQuery returns the query of a metric of Pyrra, which is a series without a range, and the job that it selects.
func pyrraQuery(what string, m pyrraMetric) (query, job string, err error) {
	expr, err := parser.ParseExpr(m.Metric)
	if err != nil {
		return "", "", fmt.Errorf("%s is no PromQL: %w", what, err)
	}
	series, ok := expr.(*parser.VectorSelector)
	if !ok {
		return "", "", fmt.Errorf("%s is %q: want a series, such as requests_total{job=\"web\"}", what, m.Metric)
	}
	for _, matcher := range series.LabelMatchers {
		if matcher.Name == "job" && matcher.Type == labels.MatchEqual {
			job = matcher.Value
		}
	}
	return fmt.Sprintf("sum(rate(%s[{{.window}}]))", series), job, nil
}
