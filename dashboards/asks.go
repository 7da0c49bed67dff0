package dashboards

import (
	"fmt"
	"os"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/tempo"
)

// Language is the query language of an Ask.
type Language string

// The languages. ServiceMap and LabelValues are Grafana's own.
const (
	PromQL      Language = "promql"
	LogQL       Language = "logql"
	TraceQL     Language = "traceql"
	ServiceMap  Language = "service map" // has no query text
	LabelValues Language = "label values"
)

// Ask is a query that a dashboard sends to a backend. Its text contains the dashboard's variables
// as $name or ${name}.
type Ask struct {
	From      string // panel "Title", variable "name" or annotation "name"
	Backend   string // prometheus, loki or tempo
	Language  Language
	Text      string
	Legend    string
	Now       bool   // an instant query at the end of the dashboard's time range
	Series    bool   // TraceQL: returns series, not traces
	Exemplars bool   // also returns exemplars
	Quiet     *Quiet // not nil if an empty result is expected
}

// With returns the text with the dashboard's variables replaced by values, which are indexed by
// name. It returns an error if a variable has no value.
func (a Ask) With(values map[string]string) (string, error) {
	var missing []string
	text := os.Expand(a.Text, func(name string) string {
		v, ok := values[name]
		if !ok {
			missing = append(missing, name)
		}
		return v
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("%s: no variable %q in %s", a.From, missing, a.Text)
	}
	return text, nil
}

// Asks returns all queries of the dashboard: those of variables, then of annotations, then of
// panels.
func (b Board) Asks() ([]Ask, error) {
	var all []Ask
	variables, err := b.Variables()
	if err != nil {
		return nil, err
	}
	for _, v := range variables {
		if v.Ask != nil {
			all = append(all, *v.Ask)
		}
	}
	for _, e := range b.events {
		all = append(all, e.ask())
	}
	for _, r := range b.rows {
		for _, p := range r.panels {
			asks, err := panelAsks(p)
			if err != nil {
				return nil, fmt.Errorf("build a panel of %q: %w", b.UID, err)
			}
			all = append(all, asks...)
		}
	}
	return all, nil
}

func panelAsks(p panel) ([]Ask, error) {
	built, err := p.Build()
	if err != nil {
		return nil, err
	}
	var all []Ask
	for _, target := range built.Targets {
		a := Ask{From: fmt.Sprintf("panel %q", *built.Title)}
		switch t := target.(type) {
		case prometheus.Dataquery:
			a.Backend, a.Language, a.Text = string(prometheusBackend), PromQL, t.Expr
			a.Now, a.Exemplars, a.Legend = is(t.Instant), is(t.Exemplar), value(t.LegendFormat)
		case loki.Dataquery:
			a.Backend, a.Language, a.Text, a.Legend = string(lokiBackend), LogQL, t.Expr, value(t.LegendFormat)
		case tempo.TempoQuery:
			a.Backend, a.Language, a.Text, a.Series = string(tempoBackend), TraceQL, value(t.Query), t.MetricsQueryType != nil
			if *t.QueryType == "serviceMap" {
				a.Language = ServiceMap
			}
		default:
			return nil, fmt.Errorf("panel %q asks with a %T", *built.Title, target)
		}
		if q, ok := p.(quietPanel); ok {
			a.Quiet = &q.Quiet
		}
		all = append(all, a)
	}
	return all, nil
}

// ask returns the query of an annotation. An empty result is expected while nothing happens.
func (e event) ask() Ask {
	a := Ask{
		From: fmt.Sprintf("annotation %q", e.Name), Backend: *e.Datasource.Type,
		Quiet: &Quiet{Drill: "total-outage", Why: "Nothing happens that could be marked."},
	}
	if t, ok := e.Target.(prometheus.Dataquery); ok {
		a.Language, a.Text = PromQL, t.Expr
		return a
	}
	a.Language, a.Text = LogQL, *e.Expr
	return a
}

func is(b *bool) bool { return b != nil && *b }

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Variable is a choice at the top of a dashboard.
type Variable struct {
	Name   string
	Ask    *Ask     // query for its values; nil if they are fixed
	Values []string // fixed values, beginning with the selected one
	All    string   // value that selects all; "" if one value must be chosen
}

// Variables returns the dashboard's variables. Each variable depends only on earlier ones.
func (b Board) Variables() ([]Variable, error) {
	var all []Variable
	for _, p := range b.picks {
		built, err := p.Build()
		if err != nil {
			return nil, fmt.Errorf("build a variable of %q: %w", b.UID, err)
		}
		v := Variable{Name: built.Name, All: value(built.AllValue)}
		switch built.Type {
		case dashboard.VariableTypeQuery:
			v.Ask = &Ask{
				From:    fmt.Sprintf("variable %q", built.Name),
				Backend: *built.Datasource.Type, Language: LabelValues, Text: *built.Query.String,
			}
		case dashboard.VariableTypeCustom:
			v.Values = strings.Split(*built.Query.String, ",")
		default:
			v.Values = []string{value(built.Query.String)}
		}
		all = append(all, v)
	}
	return all, nil
}
