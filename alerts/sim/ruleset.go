package sim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"firedrill/alerts/slo"
)

// RuleSet is alerting rules that are to be judged, as Prometheus reads them.
type RuleSet struct {
	Name  string
	About string
	Text  []byte // of the rules file
	// Model is what the rules mean, for the arithmetic; nil where that is not known.
	Model []Model
}

// LoadRules reads a rules file of anyone's.
func LoadRules(file string) (RuleSet, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return RuleSet{}, fmt.Errorf("read rules: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	return RuleSet{Name: name, About: file, Text: text}, nil
}

// rule is one rule, and what it takes to evaluate it.
type rule struct {
	record, alert string
	expr          parser.Expr
	labels        labels.Labels
	severity      slo.Severity // of an alert
	hold, keep    time.Duration
	every         time.Duration // between two evaluations
	reads         []read
	since         time.Duration // before the start from when on others need it; below 0: nobody does
	unjudged      bool          // it looks back as far as is simulated
}

// read is a selector in an expression.
type read struct {
	metric   string
	matchers []*labels.Matcher
	back     time.Duration // that it looks back at most, offsets included
	window   time.Duration // of samples that it takes; 0 for the newest
}

// compile reads the rules in the order in which they are evaluated, and finds which
// of them alerts depend on, and how long before the start.
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

// severity is that of an alert's labels, whatever their maker calls it: a page if
// somebody is to be woken.
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

// reads lists the selectors of an expression.
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

// records tells whether the rule records what a selector reads: its own labels are
// known, those of its result are not.
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

// checkOrder refuses rules that read what is recorded only after them: they would see
// the evaluation before, and which that is depends on when Prometheus started.
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

// markNeeds marks what alerts look at, and from when on. What looks back for the
// whole period tells how much of the budget is left, not that something happens now:
// it cannot be judged in one.
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

// needed tells whether an alert that is judged depends on the rule, or is it.
func (r *rule) needed() bool { return r.since >= 0 }

// lookback is how long before the start there must be samples.
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
