package slo

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// This file decides how an indicator treats a series that is absent.
//
// In PromQL an operation on an empty vector is empty. If no request has ever succeeded, the
// difference of total and good requests has no result. If that were read as "no bad events", a
// total outage would look healthy. So every operand of a query is completed separately:
//
//   - An operand that counts events is taken as 0 if it is absent while the indicator has events.
//     Most programs create a series with its first event.
//   - If the minuend of a subtraction is absent, the difference is unknown. Then the query and the
//     error ratio have no result, and SLIAbsent fires.
//   - If the query of all events is a sum of kinds, it becomes the sum of the kinds that are
//     present.
//   - A filter (> 0) that removes idle services from all events is dropped. An idle service has no
//     events, and that is not an outage.

// queries are the completed queries of an indicator over one window.
type queries struct{ bad, badSum, total string }

// complete returns the queries over a window with all operands completed.
func (s SLI) complete(window time.Duration) (queries, error) {
	var out queries
	text, expr, err := parseQuery(s.Total, window)
	if err != nil {
		return queries{}, err
	}
	c := completer{given: expr.String()}
	c.total = c.all(expr, text)
	out.total = c.total
	if out.bad, err = c.query(s.Bad, window); err != nil {
		return queries{}, err
	}
	out.badSum = out.bad
	if s.BadSum != "" {
		out.badSum, err = c.query(s.BadSum, window)
	}
	return out, err
}

// parseQuery expands and parses a query. It returns the expanded text and the expression.
func parseQuery(query string, window time.Duration) (string, parser.Expr, error) {
	text, err := expand(query, window)
	if err != nil {
		return "", nil, err
	}
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return "", nil, fmt.Errorf("the query is no PromQL: %w", err)
	}
	return text, expr, nil
}

// completer completes the queries of one indicator over one window.
type completer struct {
	given string // query of all events as written, in the parser's format
	total string // the same query, completed
}

// all completes the query of all events. text is the query as written.
func (c completer) all(expr parser.Expr, text string) string {
	b, isBinary := unwrap(expr).(*parser.BinaryExpr)
	switch {
	case !isBinary:
		return text
	case isIdleFilter(b):
		return c.all(unwrap(b.LHS), unwrap(b.LHS).String())
	case b.Op == parser.ADD && vectors(b):
		left, right := c.all(b.LHS, unwrap(b.LHS).String()), c.all(b.RHS, unwrap(b.RHS).String())
		return operand(left) + "\n+\n" + operand(right) + "\nor\n" + left + "\nor\n" + right
	}
	return text
}

// isIdleFilter reports whether an expression only filters out zeros.
func isIdleFilter(b *parser.BinaryExpr) bool {
	zero, isNumber := unwrap(b.RHS).(*parser.NumberLiteral)
	return isNumber && zero.Val == 0 && !b.ReturnBool && (b.Op == parser.GTR || b.Op == parser.NEQ)
}

// vectors reports whether both operands are vectors.
func vectors(b *parser.BinaryExpr) bool {
	return b.LHS.Type() == parser.ValueTypeVector && b.RHS.Type() == parser.ValueTypeVector
}

// query completes a query of bad events.
func (c completer) query(query string, window time.Duration) (string, error) {
	text, expr, err := parseQuery(query, window)
	if err != nil {
		return "", err
	}
	return c.events(expr, text), nil
}

// events completes an operand that counts events. text is the operand as written.
func (c completer) events(expr parser.Expr, text string) string {
	expr = unwrap(expr)
	if expr.String() == c.given {
		return c.total
	}
	switch e := expr.(type) {
	case *parser.BinaryExpr:
		return c.binary(e, text)
	case *parser.Call:
		if inner, ok := bounded(e); ok {
			args := []string{c.events(inner, inner.String())}
			for _, a := range e.Args[1:] {
				args = append(args, a.String())
			}
			return fmt.Sprintf("%s(\n%s\n)", e.Func.Name, indentLines(strings.Join(args, ",\n")))
		}
	case *parser.AggregateExpr:
		if sum, ok := c.sumOf(e); ok {
			return sum
		}
	}
	return c.orNone(text)
}

// bounded returns the vector argument of a function that changes each sample separately.
func bounded(e *parser.Call) (parser.Expr, bool) {
	switch e.Func.Name {
	case "clamp_min", "clamp_max", "clamp", "abs", "ceil", "floor", "round":
		return e.Args[0], true
	}
	return nil, false
}

// sumOf rewrites sum(a - b) and sum(a + b) as the difference or sum of two sums and completes it.
// Without this, series for which one operand is absent would be left out.
func (c completer) sumOf(e *parser.AggregateExpr) (string, bool) {
	b, isBinary := unwrap(e.Expr).(*parser.BinaryExpr)
	if !isBinary || e.Op != parser.SUM || len(e.Grouping) > 0 || e.Without || !vectors(b) || b.Op != parser.SUB && b.Op != parser.ADD {
		return "", false
	}
	sum := func(of parser.Expr) parser.Expr { return &parser.AggregateExpr{Op: parser.SUM, Expr: unwrap(of)} }
	split := &parser.BinaryExpr{Op: b.Op, LHS: sum(b.LHS), RHS: sum(b.RHS), VectorMatching: &parser.VectorMatching{Card: parser.CardOneToOne}}
	return c.binary(split, split.String()), true
}

// binary completes a binary operation on counts of events.
func (c completer) binary(b *parser.BinaryExpr, text string) string {
	left := func() string { return c.events(b.LHS, unwrap(b.LHS).String()) }
	right := func() string { return c.events(b.RHS, unwrap(b.RHS).String()) }
	switch {
	case b.Op == parser.LOR:
		// A query with "or" already states its own fallback.
		return c.orNone(text)
	case b.Op == parser.SUB && vectors(b):
		return operand(c.minuend(b.LHS)) + "\n-\n" + operand(right())
	case b.Op == parser.ADD && vectors(b):
		return operand(left()) + "\n+\n" + operand(right())
	case b.Op.IsComparisonOperator() || b.Op.IsSetOperator():
		return c.orNone(text)
	case vectors(b):
		return text // A ratio or a product is unknown if an operand is absent.
	case b.LHS.Type() == parser.ValueTypeVector:
		return operand(left()) + " " + b.Op.String() + " " + b.RHS.String()
	case b.RHS.Type() == parser.ValueTypeVector:
		return b.LHS.String() + " " + b.Op.String() + " " + operand(right())
	}
	return text
}

// minuend completes the minuend of a subtraction. An absent minuend stays absent, unless it is the
// query of all events.
func (c completer) minuend(expr parser.Expr) string {
	expr = unwrap(expr)
	if expr.String() == c.given {
		return c.total
	}
	if b, isBinary := expr.(*parser.BinaryExpr); isBinary && vectors(b) && (b.Op == parser.SUB || b.Op == parser.ADD) {
		right := c.events(b.RHS, unwrap(b.RHS).String())
		return operand(c.minuend(b.LHS)) + "\n" + b.Op.String() + "\n" + operand(right)
	}
	return expr.String()
}

// orNone returns the expression text, with 0 as the fallback if the series is absent while the
// indicator has events. "or" has the lowest precedence, so text needs no parentheses.
func (c completer) orNone(text string) string {
	return fmt.Sprintf("%s\nor\n0 * (%s)", text, c.total)
}

// operand puts an expression into parentheses if it is a binary operation.
func operand(text string) string {
	expr, err := parser.ParseExpr(text)
	if _, isBinary := expr.(*parser.BinaryExpr); err == nil && !isBinary {
		return text
	}
	return "(\n" + indentLines(text) + "\n)"
}

func indentLines(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
