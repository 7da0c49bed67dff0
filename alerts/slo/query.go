package slo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// BadQuery returns the query of bad events per second over a window in wall-clock time. It has a
// result whenever TotalQuery has one and the number of bad events is known: see absence.go.
func (s SLI) BadQuery(window time.Duration) (string, error) {
	q, err := s.complete(window)
	return q.bad, err
}

// BadSumQuery returns the query of bad events per second over a window in wall-clock time. Use it,
// not BadQuery, if the results are summed over time.
func (s SLI) BadSumQuery(window time.Duration) (string, error) {
	q, err := s.complete(window)
	return q.badSum, err
}

// TotalQuery returns the query of all events per second over a window in wall-clock time. It has no
// result if the indicator has no data.
func (s SLI) TotalQuery(window time.Duration) (string, error) {
	q, err := s.complete(window)
	return q.total, err
}

// placeholder is the window of a query that is parsed but not run. It is a value that nobody is
// likely to write.
const placeholder = 41*time.Hour + 43*time.Minute

// expand inserts the window into a query. The query is a template, as in Sloth.
func expand(query string, window time.Duration) (string, error) {
	t, err := template.New("query").Option("missingkey=error").Parse(query)
	if err != nil {
		return "", fmt.Errorf("read the query: %w", err)
	}
	var out strings.Builder
	values := map[string]string{"window": Format(window), "seconds": FormatNumber(window.Seconds())}
	if err := t.Execute(&out, values); err != nil {
		return "", fmt.Errorf("put the window into the query: %w", err)
	}
	return strings.TrimSpace(out.String()), nil
}

// checkQuery returns an error if a query cannot count events over any window.
func checkQuery(query string) error {
	if strings.TrimSpace(query) == "" {
		return errors.New("the query is missing")
	}
	text, err := expand(query, placeholder)
	if err != nil {
		return err
	}
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return fmt.Errorf("the query is no PromQL: %w", err)
	}
	if err := checkWindow(expr, placeholder); err != nil {
		return err
	}
	if expr.Type() != parser.ValueTypeVector {
		return fmt.Errorf("the query gives a %s: want an instant vector", parser.DocumentedType(expr.Type()))
	}
	return checkLabels(expr)
}

// checkWindow returns an error if a series in the query is not read over the window.
func checkWindow(expr parser.Expr, window time.Duration) error {
	var missing error
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if ok && missing == nil && !slices.ContainsFunc(path, func(above parser.Node) bool { return rangeOf(above) == window }) {
			missing = fmt.Errorf("%s is not looked at over the window: write [{{.window}}] after it", selector)
		}
		return nil
	})
	return missing
}

// rangeOf returns the range of a node, or 0 if the node has none.
func rangeOf(node parser.Node) time.Duration {
	switch n := node.(type) {
	case *parser.MatrixSelector:
		return n.Range
	case *parser.SubqueryExpr:
		return n.Range
	}
	return 0
}

// checkLabels returns an error if the result may have labels. A label with unlimited values would
// create any number of series and alerts for one objective.
func checkLabels(expr parser.Expr) error {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return checkLabels(e.Expr)
	case *parser.UnaryExpr:
		return checkLabels(e.Expr)
	case *parser.SubqueryExpr: // has the labels of its expression
		return checkLabels(e.Expr)
	case *parser.BinaryExpr:
		return errors.Join(checkLabels(e.LHS), checkLabels(e.RHS))
	case *parser.AggregateExpr:
		return checkAggregation(e)
	case *parser.Call:
		if e.Func.Name == "vector" || e.Func.Name == "scalar" {
			return nil
		}
		for _, arg := range e.Args {
			if err := checkLabels(arg); err != nil {
				return err
			}
		}
		return nil
	case *parser.NumberLiteral, *parser.StringLiteral:
		return nil
	}
	return fmt.Errorf("%s keeps its labels, which nothing bounds: aggregate them away, as by sum(…)", expr)
}

func checkAggregation(e *parser.AggregateExpr) error {
	switch {
	case e.Without:
		return fmt.Errorf("%s without (…) keeps labels that nothing bounds: aggregate all of them away", e.Op)
	case len(e.Grouping) > 0:
		return fmt.Errorf("%s by (%s) keeps the label %q, which nothing bounds: aggregate it away, and write one objective for each value that matters",
			e.Op, strings.Join(e.Grouping, ", "), e.Grouping[0])
	case e.Op == parser.TOPK, e.Op == parser.BOTTOMK, e.Op == parser.COUNT_VALUES, e.Op == parser.LIMITK, e.Op == parser.LIMIT_RATIO:
		return fmt.Errorf("%s keeps labels that nothing bounds: use sum", e.Op)
	}
	return nil
}

// parseSelector parses a series in PromQL's format: name{label="value"}.
func parseSelector(text string) (*parser.VectorSelector, error) {
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no series: %w", text, err)
	}
	selector, ok := expr.(*parser.VectorSelector)
	if !ok || selector.Name == "" || selector.Offset != 0 || selector.Timestamp != nil {
		return nil, fmt.Errorf("%q is no series: want a name and labels, like requests_total{job=\"shop\"}", text)
	}
	return selector, nil
}

// Selector is a series that a query reads.
type Selector struct {
	Metric string
	Labels []string // labels that the query matches or groups by, without the name
}

// Selectors returns the series that the indicator reads, so that they can be checked against a
// contract of metrics.
func (s SLI) Selectors() ([]Selector, error) {
	var all []Selector
	for _, query := range []string{s.Bad, s.BadSum, s.Total} {
		if query == "" {
			continue
		}
		text, err := expand(query, time.Hour)
		if err != nil {
			return nil, err
		}
		expr, err := parser.ParseExpr(text)
		if err != nil {
			return nil, fmt.Errorf("read the query: %w", err)
		}
		for _, matchers := range parser.ExtractSelectors(expr) {
			var found Selector
			for _, m := range matchers {
				if m.Name == "__name__" {
					found.Metric = m.Value
					continue
				}
				found.Labels = append(found.Labels, m.Name)
			}
			all = append(all, found)
		}
	}
	return all, nil
}

// Job returns the matcher of the label job, in PromQL's format, that all series of the indicator
// share. ok is false if they share none.
func (s SLI) Job() (matcher string, ok bool) {
	for _, query := range []string{s.Bad, s.Total} {
		_, expr, err := parseQuery(query, placeholder)
		if err != nil {
			return "", false
		}
		for _, matchers := range parser.ExtractSelectors(expr) {
			i := slices.IndexFunc(matchers, func(m *labels.Matcher) bool { return m.Name == "job" })
			if i < 0 || matcher != "" && matcher != matchers[i].String() {
				return "", false
			}
			matcher = matchers[i].String()
		}
	}
	return matcher, matcher != ""
}
