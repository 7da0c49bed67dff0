package openslo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"firedrill/alerts/slo"
)

// slo creates one Firedrill objective for each target of an SLO.
func (im *importer) slo(o object) {
	name := o.Metadata.Name
	if o.Spec.BudgetingMethod != "Occurrences" {
		im.skipped("SLO %q: budgeting method %q: Firedrill counts events (Occurrences), not slices of time", name, o.Spec.BudgetingMethod)
		return
	}
	sli, err := im.indicator(o.Spec)
	if err != nil {
		im.skipped("SLO %q: %v", name, err)
		return
	}
	period := im.window(name, o.Spec.TimeWindow)
	if len(o.Spec.AlertPolicies) > 0 {
		im.changed("SLO %q: its alert policies: Firedrill makes its own alerts on the burn rate", name)
	}
	labels := im.labels(o)
	for i, target := range o.Spec.Objectives {
		one := name
		if len(o.Spec.Objectives) > 1 {
			one = fmt.Sprintf("%s-%d", name, i+1)
		}
		percent, err := target.percent()
		if err != nil {
			im.skipped("SLO %q, objective %d: %v", name, i+1, err)
			continue
		}
		entry := yaml.MapSlice{{Key: "name", Value: one}, {Key: "objective", Value: percent}}
		if text := describe(o, target); text != "" {
			entry = append(entry, yaml.MapItem{Key: "description", Value: text})
		}
		if len(labels) > 0 {
			entry = append(entry, yaml.MapItem{Key: "labels", Value: labels})
		}
		if period != "" {
			entry = append(entry, yaml.MapItem{Key: "period", Value: period})
		}
		entry = append(entry, yaml.MapItem{Key: "sli", Value: sli})
		im.add(o.Spec.Service, one, entry)
	}
}

func describe(o object, target objective) string {
	text := o.Spec.Description
	if text == "" {
		text = o.Metadata.DisplayName
	}
	return strings.TrimSpace(strings.Join(slices.DeleteFunc([]string{text, target.DisplayName}, func(s string) bool { return s == "" }), ": "))
}

func (t objective) percent() (float64, error) {
	switch {
	case t.Indicator != nil || t.IndicatorRef != "":
		return 0, errors.New("it has an indicator of its own: Firedrill has no composite objectives")
	case t.TargetPercent != nil:
		return *t.TargetPercent, nil
	case t.Target != nil:
		const digits = 1e10 // 0.999 · 100 must give 99.9, not 99.90000000000001
		return float64(int64(*t.Target*100*digits+0.5)) / digits, nil
	}
	return 0, errors.New("it has neither target nor targetPercent")
}

// window returns the period of a rolling window; "" for the default. It reports a window that is absent or follows the
// calendar.
func (im *importer) window(name string, all []window) string {
	period := slo.Default().Period
	if len(all) == 0 {
		im.changed("SLO %q: it has no timeWindow: here it is %s", name, slo.Format(period))
		return ""
	}
	w := all[0]
	if w.Calendar != nil || !w.IsRolling {
		im.changed("SLO %q: its window of %s follows the calendar: here it is rolling, of %s", name, w.Duration, slo.Format(period))
		return ""
	}
	return im.period(name, w.Duration)
}

// period returns the length of a rolling window as a period; "" for the default, and for one that cannot be a period,
// which it reports.
func (im *importer) period(name, text string) string {
	period := slo.Default().Period
	length, err := model.ParseDuration(text)
	switch d := time.Duration(length); {
	case err == nil && d == period:
		return ""
	case err == nil && slo.IsPeriod(d):
		return text
	}
	im.changed("SLO %q: its window of %s is %s here", name, text, slo.Format(period))
	return ""
}

// labels returns the labels that are valid in Prometheus.
func (im *importer) labels(o object) map[string]string {
	kept := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(o.Metadata.Labels)) {
		value, isString := o.Metadata.Labels[key].(string)
		if !isString || !model.LegacyValidation.IsValidLabelName(key) {
			im.changed("SLO %q: the label %q is left out: Prometheus wants a name of letters, digits and _, and one value", o.Metadata.Name, key)
			continue
		}
		kept[key] = value
	}
	return kept
}

// indicator returns queries of bad and of all events.
func (im *importer) indicator(s spec) (yaml.MapSlice, error) {
	o := s.Indicator
	if o == nil {
		found, ok := im.indicators[s.IndicatorRef]
		if !ok {
			return nil, fmt.Errorf("its indicator %q is not among the documents", s.IndicatorRef)
		}
		o = &found
	}
	r := o.Spec.RatioMetric
	switch {
	case r == nil && o.Spec.ThresholdMetric != nil:
		return nil, errors.New("a thresholdMetric compares a value with a threshold and counts no events: use a histogram, as sli.latency")
	case r == nil:
		return nil, errors.New("its indicator has no ratioMetric")
	case r.Raw != nil:
		return im.raw(*r)
	case r.Total == nil || (r.Good == nil) == (r.Bad == nil):
		return nil, errors.New("its ratioMetric needs total, and one of good and bad")
	case r.Counter != nil && !*r.Counter:
		return nil, errors.New("its ratioMetric has counter: false: a value that goes up and down has no number of events")
	}
	total, err := im.query("total", *r.Total)
	if err != nil {
		return nil, err
	}
	var bad string
	if r.Bad != nil {
		bad, err = im.query("bad", *r.Bad)
	} else if bad, err = im.query("good", *r.Good); err == nil {
		bad = total + "\n-\n" + bad
	}
	if err != nil {
		return nil, err
	}
	return yaml.MapSlice{{Key: "events", Value: yaml.MapSlice{
		{Key: "error_query", Value: bad}, {Key: "total_query", Value: total},
	}}}, nil
}

// raw splits a ratio that is stored as one series into its parts. Package slo documents which
// ratios can be split.
func (im *importer) raw(r ratio) (yaml.MapSlice, error) {
	text, err := im.promql("raw", *r.Raw)
	if err != nil {
		return nil, err
	}
	if r.RawType == "success" {
		text = "1 - (" + text + ")"
	}
	return yaml.MapSlice{{Key: "raw", Value: yaml.MapSlice{{Key: "error_ratio_query", Value: text}}}}, nil
}

// promql returns the query of a metric, if its source is Prometheus.
func (im *importer) promql(what string, m metric) (string, error) {
	source := m.MetricSource
	kind := source.Type
	if kind == "" {
		kind = im.sources[source.Ref]
	}
	if kind != "" && !strings.EqualFold(kind, "prometheus") {
		return "", fmt.Errorf("%s comes from %s: Firedrill asks only Prometheus", what, kind)
	}
	text, ok := source.Spec["query"].(string)
	if !ok {
		text, ok = source.Spec["promql"].(string)
	}
	if !ok {
		return "", fmt.Errorf("%s has no query in its metricSource", what)
	}
	return strings.TrimSpace(text), nil
}

// query rewrites a query to Firedrill's window. The query reads a counter, or has a window of its
// own.
func (im *importer) query(what string, m metric) (string, error) {
	text, err := im.promql(what, m)
	if err != nil {
		return "", err
	}
	const window = 41*time.Hour + 43*time.Minute // a value that nobody is likely to write
	for _, variable := range []string{"{{.window}}", "{{ .window }}", "$__rate_interval", "$window"} {
		text = strings.ReplaceAll(text, variable, slo.Format(window))
	}
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return "", fmt.Errorf("%s is no PromQL: %w", what, err)
	}
	expr = overWindow(expr, window)
	if _, aggregated := expr.(*parser.AggregateExpr); !aggregated {
		expr = &parser.AggregateExpr{Op: parser.SUM, Expr: expr}
	}
	return strings.ReplaceAll(expr.String(), slo.Format(window), "{{.window}}"), nil
}

// overWindow sets the window of every range, and converts counters without a range to rates.
func overWindow(expr parser.Expr, window time.Duration) parser.Expr {
	switch e := expr.(type) {
	case *parser.VectorSelector:
		return &parser.Call{
			Func: parser.Functions["rate"],
			Args: parser.Expressions{&parser.MatrixSelector{VectorSelector: e, Range: window}},
		}
	case *parser.MatrixSelector:
		e.Range = window
	case *parser.ParenExpr:
		e.Expr = overWindow(e.Expr, window)
	case *parser.AggregateExpr:
		e.Expr = overWindow(e.Expr, window)
	case *parser.BinaryExpr:
		e.LHS, e.RHS = overWindow(e.LHS, window), overWindow(e.RHS, window)
	case *parser.Call:
		for i, arg := range e.Args {
			e.Args[i] = overWindow(arg, window)
		}
	}
	return expr
}
