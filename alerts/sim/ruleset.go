package sim

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"firedrill/alerts/slo"
	"firedrill/internal/userfile"
)

// RuleSet is a set of alerting rules to judge, in Prometheus's format.
type RuleSet struct {
	Name  string
	About string
	Text  []byte // text of the rules file
	// Model describes the rules for the arithmetic. It is nil if there is no such description.
	Model []Model
}

// longestRules is the maximum size of a rules file, in bytes.
const longestRules = 16 << 20

// LoadRules reads a rules file. The set is named after the file.
func LoadRules(file string) (RuleSet, error) {
	text, err := userfile.Read(file, longestRules)
	if err != nil {
		return RuleSet{}, fmt.Errorf("read rules: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	return RuleSet{Name: name, About: file, Text: text}, nil
}

// rule is one parsed rule with the data needed to evaluate it.
type rule struct {
	record, alert string
	expr          parser.Expr
	labels        labels.Labels
	severity      slo.Severity // alerts only
	hold, keep    time.Duration
	every         time.Duration // time between two evaluations
	reads         []read
	since         time.Duration // how long before the start other rules need its samples; below 0: not needed
	unjudged      bool          // looks back over the whole simulated time
}

// read is a selector in an expression.
type read struct {
	metric   string
	matchers []*labels.Matcher
	back     time.Duration // how far it looks back at most, including offsets
	window   time.Duration // length of the range of samples that it reads; 0 means only the newest sample
}

// compile parses the rules, in the order of their evaluation. It determines which rules alerts
// depend on, and how long before the start they must be evaluated.
func (r RuleSet) compile() ([]*rule, error) {
	file, err := r.parse()
	if err != nil {
		return nil, err
	}
	var all []*rule
	for _, g := range file.Groups {
		every := time.Duration(g.Interval)
		if every == 0 {
			every = Resolution
		}
		for _, text := range g.Rules {
			one, err := compileRule(text, rulefmt.RuleGroup{Labels: g.Labels}, every)
			if err != nil {
				return nil, fmt.Errorf("read rule %s of %s: %w", text.Record+text.Alert, r.Name, err)
			}
			all = append(all, one)
		}
	}
	if err := checkOrder(all); err != nil {
		return nil, fmt.Errorf("read rules of %s: %w", r.Name, err)
	}
	markNeeds(all)
	return all, nil
}

func (r RuleSet) parse() (*rulefmt.RuleGroups, error) {
	file, errs := rulefmt.Parse(r.Text, false)
	if len(errs) > 0 {
		return nil, fmt.Errorf("read rules of %s: %w", r.Name, errors.Join(errs...))
	}
	return file, nil
}

func compileRule(text rulefmt.Rule, group rulefmt.RuleGroup, every time.Duration) (*rule, error) {
	expr, err := parser.ParseExpr(text.Expr)
	if err != nil {
		return nil, err
	}
	b := labels.NewBuilder(labels.FromMap(group.Labels))
	for name, v := range text.Labels {
		b.Set(name, v)
	}
	one := &rule{
		record: text.Record, alert: text.Alert, expr: expr, labels: b.Labels(), every: every,
		hold: time.Duration(text.For), keep: time.Duration(text.KeepFiringFor), since: -1,
	}
	one.severity = severity(one.labels)
	one.reads = reads(expr)
	return one, nil
}

// severity returns the severity that an alert's labels state, for any naming convention. It is a
// page if the alert is meant to wake somebody.
func severity(l labels.Labels) slo.Severity {
	for _, name := range []string{"severity", "sloth_severity"} {
		switch l.Get(name) {
		case "page", "critical":
			return slo.Page
		case "":
			continue
		}
		return slo.Ticket
	}
	return slo.Page
}

// reads returns the selectors of an expression.
func reads(expr parser.Expr) []read {
	var all []read
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		one := read{metric: selector.Name, matchers: selector.LabelMatchers, back: selector.OriginalOffset}
		for _, above := range path {
			switch n := above.(type) {
			case *parser.MatrixSelector:
				one.window = n.Range
				one.back += n.Range
			case *parser.SubqueryExpr:
				one.back += n.Range + n.OriginalOffset
			}
		}
		all = append(all, one)
		return nil
	})
	return all
}

// records reports whether the rule may record a series that a selector reads. It compares the
// rule's own labels, because the labels of its result are unknown.
func (r *rule) records(s read) bool {
	if r.record == "" || r.record != s.metric {
		return false
	}
	return !slices.ContainsFunc(s.matchers, func(m *labels.Matcher) bool {
		return r.labels.Has(m.Name) && !m.Matches(r.labels.Get(m.Name))
	})
}

func anyRecords(all []*rule, s read) bool {
	return slices.ContainsFunc(all, func(by *rule) bool { return by.records(s) })
}

// checkOrder returns an error if a rule reads a series that is recorded after it. Such a rule would
// read the previous evaluation, and which one that is depends on when Prometheus started.
func checkOrder(all []*rule) error {
	for i, r := range all {
		for _, s := range r.reads {
			if !anyRecords(all[:i], s) && anyRecords(all[i:], s) {
				return fmt.Errorf("%s reads %s before it is recorded: move it down", r.record+r.alert, s.metric)
			}
		}
	}
	return nil
}

// markNeeds marks the rules that alerts depend on, and from when. An alert that looks back over the
// whole period shows how much budget is left, not that something happens now. It cannot be judged
// within one period.
func markNeeds(all []*rule) {
	for i, r := range all {
		r.unjudged = slices.ContainsFunc(r.reads, func(s read) bool {
			return s.back >= Period || slices.ContainsFunc(all[:i], func(by *rule) bool { return by.unjudged && by.records(s) })
		})
	}
	for i, r := range slices.Backward(all) {
		if r.unjudged {
			continue
		}
		if r.alert != "" {
			r.since = 0
		}
		if r.since < 0 {
			continue
		}
		for _, s := range r.reads {
			for _, by := range all[:i] {
				if by.records(s) {
					by.since = max(by.since, r.since+s.back)
				}
			}
		}
	}
}

// needed reports whether the rule is a judged alert, or one depends on it.
func (r *rule) needed() bool { return r.since >= 0 }

// lookback returns how long before the start samples are needed.
func lookback(all []*rule) time.Duration {
	longest := time.Duration(0)
	for _, r := range all {
		if !r.needed() {
			continue
		}
		for _, s := range r.reads {
			longest = max(longest, r.since+s.back)
		}
	}
	return longest
}
