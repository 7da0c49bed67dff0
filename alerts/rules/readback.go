package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"firedrill/alerts/slo"
)

// Generated describes one alert as its generated rule has it. Times are wall-clock times.
type Generated struct {
	Alert      string  `json:"alert"`
	Severity   string  `json:"severity"` // the label of the rule
	For        Seconds `json:"for_seconds"`
	KeepFiring Seconds `json:"keep_firing_for_seconds"`
	Every      Seconds `json:"evaluated_every_seconds"`
	Summary    string  `json:"summary"`
	Pairs      int     `json:"pairs_of_windows"` // 0: the alert does not depend on burn rates over two windows
	pairs      []slo.Pair
	guard      float64 // bad events that its long window must have more of; 0 if there is no guard
	severity   slo.Severity
}

// generatedAlerts reads the alerts back from generated groups, in their order.
func generatedAlerts(groups []Group) ([]Generated, error) {
	var all []Generated
	for i, g := range groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			a := Generated{
				Alert: r.Alert, Severity: r.Labels["severity"], For: Seconds(r.For), KeepFiring: Seconds(r.KeepFiring),
				Every: Seconds(g.Interval), Summary: r.Annotations["summary"],
				severity: slo.Page,
			}
			if i > 0 { // the second group has the tickets
				a.severity = slo.Ticket
			}
			if err := a.read(r.Expr); err != nil {
				return nil, fmt.Errorf("read the rule of %s: %w", r.Alert, err)
			}
			all = append(all, a)
		}
	}
	return all, nil
}

// read finds the pairs of windows and the guard in the expression of an alert.
func (a *Generated) read(text string) error {
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return fmt.Errorf("parse %q: %w", text, err)
	}
	for _, alternative := range operands(expr, parser.LOR) {
		var p slo.Pair
		for _, condition := range operands(alternative, parser.LAND) {
			if err := a.readCondition(condition, &p); err != nil {
				return err
			}
		}
		if p.Short > 0 {
			a.pairs = append(a.pairs, p)
		}
	}
	a.Pairs = len(a.pairs)
	return nil
}

// readCondition reads one comparison of an alert into p. Other expressions than comparisons with a burn rate
// or with a number of bad events are left alone.
func (a *Generated) readCondition(expr parser.Expr, p *slo.Pair) error {
	compare, ok := unwrap(expr).(*parser.BinaryExpr)
	if !ok || compare.Op != parser.GTR {
		return nil
	}
	limit, ok := unwrap(compare.RHS).(*parser.NumberLiteral)
	if !ok {
		return nil
	}
	left := unwrap(compare.LHS)
	if product, ok := left.(*parser.BinaryExpr); ok && product.Op == parser.MUL {
		if _, ok := windowOf(product.LHS, slo.SeriesBadEvents); ok {
			a.guard = limit.Val
		}
		return nil
	}
	window, ok := windowOf(left, slo.SeriesBurnRate)
	switch {
	case !ok:
		return nil
	case p.Long == 0:
		p.Long, p.Burn = window, limit.Val
	case p.Short == 0 && limit.Val == p.Burn:
		p.Short = window
	default:
		return fmt.Errorf("%s: want two windows with the same burn rate", expr)
	}
	return nil
}

// windowOf returns the window, in SLO time, in the name of a recorded series.
func windowOf(expr parser.Expr, name func(time.Duration) string) (window time.Duration, ok bool) {
	series, ok := unwrap(expr).(*parser.VectorSelector)
	if !ok {
		return 0, false
	}
	prefix := strings.TrimSuffix(name(time.Hour), slo.Format(time.Hour))
	text, ok := strings.CutPrefix(series.Name, prefix)
	if !ok {
		return 0, false
	}
	d, err := model.ParseDuration(text)
	return time.Duration(d), err == nil
}

// operands returns the operands of a chain of the same set operator.
func operands(expr parser.Expr, op parser.ItemType) []parser.Expr {
	if b, ok := unwrap(expr).(*parser.BinaryExpr); ok && b.Op == op {
		return append(operands(b.LHS, op), operands(b.RHS, op)...)
	}
	return []parser.Expr{expr}
}

// unwrap removes parentheses.
func unwrap(expr parser.Expr) parser.Expr {
	for {
		p, ok := expr.(*parser.ParenExpr)
		if !ok {
			return expr
		}
		expr = p.Expr
	}
}

// readBack is an objective with the alerts that its generated rules have.
type readBack struct {
	slo          slo.SLO // with the guard of the rules
	Options              // as the rules were generated
	page, ticket slo.Alert
}

// newReadBack reads the policy and the guard back from the generated alerts, so that what is computed from them
// holds for the rules. A severity without an alert on burn rates has no pairs.
func newReadBack(s slo.SLO, o Options, alerts []Generated) readBack {
	b := readBack{slo: s, Options: o}
	b.slo.MinBadEvents = 0
	for _, a := range alerts {
		if len(a.pairs) == 0 {
			continue
		}
		read := slo.Alert{
			Pairs: a.pairs,
			For:   stretch(time.Duration(a.For), o.Clock.Scale), KeepFiring: stretch(time.Duration(a.KeepFiring), o.Clock.Scale),
		}
		if a.severity == slo.Page {
			b.page = read
		} else {
			b.ticket = read
		}
		if a.guard > 0 {
			b.slo.MinBadEvents = a.guard + 0.5
		}
	}
	return b
}

// predict returns how the burn-rate alert of a severity reacts to an outage.
func (b readBack) predict(severity slo.Severity, outage slo.Outage) Prediction {
	if severity == slo.Ticket {
		return predict(b.slo, b.Options, b.ticket, b.Clock.LongInterval(), outage)
	}
	return predict(b.slo, b.Options, b.page, b.Clock.Interval, outage)
}
