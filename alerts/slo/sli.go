package slo

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// sli returns the queries of an indicator, which the file describes in one of several forms.
func (r *resolver) sli(path string, d docSLI) SLI {
	told := 0
	for _, there := range []bool{d.Raw != nil, d.Events != nil, d.Plugin != nil, d.Latency != nil, d.Freshness != nil} {
		if there {
			told++
		}
	}
	if told != 1 {
		r.Add(path, "%d indicators: want one of events, latency, freshness, raw", told)
		return SLI{}
	}
	switch {
	case d.Plugin != nil:
		r.Add(path+".plugin", "a plugin is Go code of Sloth: write the queries that it makes as events")
		return SLI{}
	case d.Latency != nil:
		return r.latency(path+".latency", *d.Latency)
	case d.Freshness != nil:
		return r.freshness(path+".freshness", *d.Freshness)
	case d.Raw != nil:
		return r.raw(path, Unit(d.Unit), d.Raw.ErrorRatioQuery)
	}
	return r.events(path, Unit(d.Unit), [2]string{".events.error_query", ".events.total_query"}, d.Events.ErrorQuery, d.Events.TotalQuery)
}

// increase matches the function increase, which is a rate multiplied by its window. Converting it
// to rate leaves the ratio the same. The rules need all queries in the same unit to know the number
// of events.
var increase = regexp.MustCompile(`\bincrease(\s*\()`)

func perSecond(query string) string { return increase.ReplaceAllString(query, "rate$1") }

// events returns an indicator for the queries of bad and of all events. The indicator's queries
// count events per second. keys are the paths of the queries in the file.
func (r *resolver) events(path string, unit Unit, keys [2]string, bad, total string) SLI {
	if unit != "" && unit != PerSecond && unit != PerWindow {
		r.Add(path+".unit", "%q: want %s or %s", unit, PerSecond, PerWindow)
		return SLI{}
	}
	s := SLI{Kind: Events, Bad: r.query(path+keys[0], perSecond(bad), unit), Total: r.query(path+keys[1], perSecond(total), unit)}
	return s
}

// query checks a query of events and returns it converted to events per second.
func (r *resolver) query(path, text string, unit Unit) string {
	err := checkQuery(text)
	if err == nil {
		text, err = perSecondOf(text, unit)
	}
	if err != nil {
		r.Add(path, "%v", err)
	}
	return text
}

// latency returns an indicator of latency. An event is bad if it is above the threshold, so not in
// the histogram's buckets up to it.
func (r *resolver) latency(path string, d docLatency) SLI {
	r.threshold(path, d.Threshold)
	histogram, ok := r.selector(path+".histogram", d.Histogram)
	if !ok {
		return SLI{}
	}
	total := rate(count(histogram))
	return SLI{
		Kind: Latency, Threshold: d.Threshold,
		Bad:   total + "\n-\n" + rate(bucket(histogram, d.Threshold)),
		Total: total,
	}
}

// freshness returns an indicator of work that ends in time. Work is bad if it began and did not end
// within the threshold. This includes work that never ends, which the histogram does not contain.
//
// Work in progress looks bad until it ends. When traffic begins, all work is in progress. So the
// query of bad events counts only work that began at least one threshold ago. When traffic ends,
// this overestimates, so the query uses the current rate if it is lower. Sums over time need
// neither: work in progress at the end of one window is corrected in the next.
func (r *resolver) freshness(path string, d docFreshness) SLI {
	r.threshold(path, d.Threshold)
	started, ok := r.selector(path+".started", d.Started)
	finished, okToo := r.selector(path+".finished", d.Finished)
	if !ok || !okToo {
		return SLI{}
	}
	total := rate(started.String())
	ago := fmt.Sprintf("sum(rate(%s[{{.window}}] offset %s))", started, Format(d.Threshold))
	good := rate(bucket(finished, d.Threshold))
	return SLI{
		Kind: Freshness, Threshold: d.Threshold,
		// If nothing began one threshold ago, no work is late.
		Bad:    fmt.Sprintf("(\n  %s < %s\n  or\n  %s\n  or\n  0 * %s\n)\n-\n%s", total, ago, ago, total, good),
		BadSum: total + "\n-\n" + good,
		Total:  total,
	}
}

func (r *resolver) selector(path, text string) (*parser.VectorSelector, bool) {
	found, err := parseSelector(text)
	if err != nil {
		r.Add(path, "%v", err)
		return nil, false
	}
	return found, true
}

// raw splits a ratio into its parts. Over long windows bad and total events must be summed before
// the division. Otherwise a quiet night would weigh as much as a busy noon.
func (r *resolver) raw(path string, unit Unit, text string) SLI {
	const key = ".raw.error_ratio_query"
	_, expr, err := parseQuery(perSecond(text), placeholder)
	if err != nil {
		r.Add(path+key, "%v", err)
		return SLI{}
	}
	bad, total, ok := split(unwrap(expr))
	if !ok {
		r.Add(path+key, "a ratio cannot be weighted over long windows: write bad / total or 1 - good / total, or its parts as events")
		return SLI{}
	}
	back := func(e string) string { return strings.ReplaceAll(e, Format(placeholder), "{{.window}}") }
	return r.events(path, unit, [2]string{key, key}, back(bad), back(total))
}

// split splits bad / total and 1 - good / total into bad and total.
func split(expr parser.Expr) (bad, total string, ok bool) {
	b, isBinary := expr.(*parser.BinaryExpr)
	if !isBinary {
		return "", "", false
	}
	switch b.Op {
	case parser.DIV:
		return b.LHS.String(), b.RHS.String(), true
	case parser.SUB:
		one, isNumber := unwrap(b.LHS).(*parser.NumberLiteral)
		ratio, isRatio := unwrap(b.RHS).(*parser.BinaryExpr)
		if isNumber && one.Val == 1 && isRatio && ratio.Op == parser.DIV {
			return fmt.Sprintf("%s - %s", ratio.RHS, ratio.LHS), ratio.RHS.String(), true
		}
	}
	return "", "", false
}

func unwrap(expr parser.Expr) parser.Expr {
	for {
		p, ok := expr.(*parser.ParenExpr)
		if !ok {
			return expr
		}
		expr = p.Expr
	}
}

func rate(selector string) string { return "sum(rate(" + selector + "[{{.window}}]))" }

func count(histogram *parser.VectorSelector) string { return rename(histogram, "_count").String() }

// bucket returns the selector of a histogram's bucket with an upper bound. Prometheus writes a
// bound with a decimal point ("1.0") since version 3.
func bucket(histogram *parser.VectorSelector, bound time.Duration) string {
	le := strconv.FormatFloat(bound.Seconds(), 'f', -1, 64)
	if !strings.Contains(le, ".") {
		le += ".0"
	}
	s := rename(histogram, "_bucket")
	s.LabelMatchers = append(s.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, labels.BucketLabel, le))
	return s.String()
}

// rename returns a copy of the selector with a suffix added to the name.
func rename(s *parser.VectorSelector, suffix string) *parser.VectorSelector {
	out := &parser.VectorSelector{Name: s.Name + suffix}
	for _, m := range s.LabelMatchers {
		if m.Name != labels.MetricName {
			out.LabelMatchers = append(out.LabelMatchers, m)
		}
	}
	return out
}
