package sim

import (
	"bytes"
	_ "embed" // embeds the objective and Sloth's rules for it
	"fmt"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

// Names of the series that count the events of the simulation.
const (
	SeriesAll = "simulated_requests_total"
	SeriesBad = "simulated_errors_total"
)

// Spec is the file of the objective that all rule sets guard. Sloth reads it too.
//
//go:embed spec.yaml
var spec []byte

// slothRules are Sloth's rules for the objective. The module in alerts/bench writes them and tests
// that they are current.
//
//go:embed sloth.yaml
var slothRules []byte

// Objective returns the objective that all rule sets guard.
func Objective() (slo.SLO, error) {
	s, err := slo.Parse("spec.yaml", spec)
	if err != nil {
		return slo.SLO{}, fmt.Errorf("read the objective of the simulation: %w", err)
	}
	return s.SLOs[0], nil
}

// Sets returns the built-in rule sets: the workbook's six strategies, the defaults of Sloth and
// Pyrra, and Firedrill's own rules.
func Sets() ([]RuleSet, error) {
	s, err := Objective()
	if err != nil {
		return nil, err
	}
	own, err := Own(s, rules.Options{Policy: slo.Default(), Clock: slo.Production()})
	if err != nil {
		return nil, err
	}
	all := append(workbook(s), sloth(), pyrra(s), own)
	return all, nil
}

// Own returns Firedrill's rules for an objective.
func Own(s slo.SLO, o rules.Options) (RuleSet, error) {
	groups, err := rules.BuildGroups(s, o)
	if err != nil {
		return RuleSet{}, fmt.Errorf("make rules of %s: %w", s.ID(), err)
	}
	return RuleSet{
		Name: "firedrill", About: "Firedrill's own",
		Text:  render(groups...),
		Model: ownModel(s, o),
	}, nil
}

// ownModel returns the model of the rules that rules.BuildGroups generates.
func ownModel(s slo.SLO, o rules.Options) []Model {
	model := func(severity slo.Severity, a slo.Alert, every time.Duration) Model {
		scaled := slo.Alert{For: o.Clock.Wall(a.For), KeepFiring: o.Clock.Wall(a.KeepFiring)}
		for _, p := range a.Pairs {
			scaled.Pairs = append(scaled.Pairs, slo.Pair{Long: o.Clock.Wall(p.Long), Short: o.Clock.Wall(p.Short), Burn: p.Burn})
		}
		return Model{
			Severity: severity, Alert: scaled, Every: every, MinBadEvents: s.MinBadEvents,
			Raw: o.Clock.Wall(rules.LongestRaw), Base: o.Clock.Wall(o.Policy.Windows()[0]),
		}
	}
	return []Model{
		model(slo.Page, o.Policy.Page, o.Clock.Interval),
		model(slo.Ticket, o.Policy.Ticket, o.Clock.LongInterval()),
	}
}

func render(groups ...rules.Group) []byte {
	var out bytes.Buffer
	// Writing text to a buffer does not fail.
	_ = rules.File{Groups: groups}.Write(&out, "")
	return out.Bytes()
}

// workbook returns the strategies of the Site Reliability Workbook, chapter 5, including the
// recorded ratios that the workbook assumes.
// https://sre.google/workbook/alerting-on-slos/
func workbook(s slo.SLO) []RuleSet {
	one := func(window time.Duration, burn float64) []slo.Pair { return []slo.Pair{{Long: window, Burn: burn}} }
	page := func(a slo.Alert) slo.Policy { return slo.Policy{Page: a} }
	withoutShort := slo.Policy{
		Page:   slo.Alert{Pairs: append(one(time.Hour, 14.4), one(6*time.Hour, 6)...)},
		Ticket: slo.Alert{Pairs: one(3*day, 1)},
	}
	return []RuleSet{
		strategy(s, "book-1", "target error rate: 10m", page(slo.Alert{Pairs: one(10*time.Minute, 1)})),
		strategy(s, "book-2", "longer window: 36h", page(slo.Alert{Pairs: one(36*time.Hour, 1)})),
		strategy(s, "book-3", "longer duration: 1m for 1h", page(slo.Alert{Pairs: one(time.Minute, 1), For: time.Hour})),
		strategy(s, "book-4", "burn rate: 36x over 1h", page(slo.Alert{Pairs: one(time.Hour, 36)})),
		strategy(s, "book-5", "several burn rates: 14.4x 1h, 6x 6h, 1x 3d", withoutShort),
		strategy(s, "book-6", "several windows and burn rates", slo.Workbook()),
	}
}

// strategy returns one strategy of the workbook: recorded ratios, and one alert per severity.
func strategy(s slo.SLO, name, about string, p slo.Policy) RuleSet {
	set := RuleSet{Name: name, About: about}
	group := rules.Group{Name: name, Interval: Resolution}
	recorded := map[time.Duration]bool{}
	ratio := func(w time.Duration) string {
		series := "slo_errors_per_request:ratio_rate" + slo.Format(w)
		if !recorded[w] {
			recorded[w] = true
			group.Rules = append(group.Rules, rules.Rule{Record: series, Expr: errorRatio(w)})
		}
		return series
	}
	for _, severity := range []slo.Severity{slo.Page, slo.Ticket} {
		a := p.Page
		if severity == slo.Ticket {
			a = p.Ticket
		}
		if len(a.Pairs) == 0 {
			continue
		}
		var expr string
		for i, pair := range a.Pairs {
			if i > 0 {
				expr += " or "
			}
			threshold := fmt.Sprintf("(%s * %s)", slo.FormatNumber(pair.Burn), slo.FormatNumber(s.Budget()))
			expr += "(" + ratio(pair.Long) + " > " + threshold
			if pair.Short > 0 {
				expr += " and " + ratio(pair.Short) + " > " + threshold
			}
			expr += ")"
		}
		alert := rules.Rule{Alert: "ErrorBudgetBurn", Expr: expr, For: a.For, Labels: map[string]string{"severity": string(severity)}}
		group.Rules = append(group.Rules, alert)
		set.Model = append(set.Model, Model{Severity: severity, Alert: a, Every: Resolution})
	}
	set.Text = render(group)
	return set
}

// errorRatio returns the expression exactly as Sloth writes it, so that it is evaluated once for
// both.
func errorRatio(w time.Duration) string {
	return fmt.Sprintf("(sum(rate(%s[%s]))) / (sum(rate(%s[%s])))", SeriesBad, slo.Format(w), SeriesAll, slo.Format(w))
}

// sloth returns the rules of Sloth, which uses the workbook's windows. Sloth does not set an
// interval, so Prometheus's default applies.
func sloth() RuleSet {
	book := slo.Workbook()
	return RuleSet{
		Name: "sloth", About: "Sloth v0.16.0, defaults", Text: slothRules,
		Model: []Model{
			{Severity: slo.Page, Alert: book.Page, Every: Resolution},
			{Severity: slo.Ticket, Alert: book.Ticket, Every: Resolution},
		},
	}
}
