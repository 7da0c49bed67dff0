package slo

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

// Unit is the unit in which a query counts events.
type Unit string

// The units. The rules record events per second. Queries in other units are converted, because the
// low-traffic guard needs the number of events, not only the ratio of bad ones.
const (
	PerSecond Unit = "per_second" // as rate() returns
	PerWindow Unit = "per_window" // as increase(), sum_over_time() and count_over_time() return
)

// measure is a unit and a constant factor: rate(x[5m]) * 60 has the unit PerSecond and the factor
// 60.
type measure struct {
	unit   Unit // "" if unknown
	factor float64
}

// unitOf returns the unit of a function that counts events, or "" if it does not.
func unitOf(function string) Unit {
	switch function {
	case "rate", "irate", "deriv":
		return PerSecond
	case "increase", "delta", "sum_over_time", "count_over_time", "changes", "resets":
		return PerWindow
	}
	return ""
}

// measureOf returns the unit of a query. It is unknown for quotients and products of vectors, for
// values that count nothing, and for sums of different units.
func measureOf(expr parser.Expr) measure {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return measureOf(e.Expr)
	case *parser.UnaryExpr:
		return measureOf(e.Expr)
	case *parser.AggregateExpr:
		if e.Op == parser.SUM || e.Op == parser.MAX || e.Op == parser.MIN || e.Op == parser.AVG {
			return measureOf(e.Expr)
		}
	case *parser.Call:
		return measureOfCall(e)
	case *parser.BinaryExpr:
		return measureOfBinary(e)
	}
	return measure{}
}

func measureOfCall(e *parser.Call) measure {
	if unit := unitOf(e.Func.Name); unit != "" {
		return measure{unit, 1}
	}
	if inner, ok := bounded(e); ok {
		return measureOf(inner)
	}
	return measure{}
}

func measureOfBinary(e *parser.BinaryExpr) measure {
	left, right := unwrap(e.LHS), unwrap(e.RHS)
	k, rightIsNumber := right.(*parser.NumberLiteral)
	switch {
	case e.Op == parser.MUL && rightIsNumber:
		m := measureOf(left)
		return measure{m.unit, m.factor * k.Val}
	case e.Op == parser.DIV && rightIsNumber:
		m := measureOf(left)
		return measure{m.unit, m.factor / k.Val}
	case e.Op == parser.MUL:
		if k, leftIsNumber := left.(*parser.NumberLiteral); leftIsNumber {
			m := measureOf(right)
			return measure{m.unit, m.factor * k.Val}
		}
	case e.Op == parser.ADD, e.Op == parser.SUB, e.Op == parser.LOR:
		return same(measureOf(left), orZero(right))
	case e.Op.IsComparisonOperator() && !e.ReturnBool, e.Op == parser.LAND, e.Op == parser.LUNLESS:
		return measureOf(left)
	}
	return measure{}
}

// orZero returns the unit of an operand. For vector(0), which is 0 in every unit, it is anyUnit.
func orZero(e parser.Expr) measure {
	if call, ok := e.(*parser.Call); ok && call.Func.Name == "vector" && len(call.Args) == 1 {
		if n, isNumber := unwrap(call.Args[0]).(*parser.NumberLiteral); isNumber && n.Val == 0 {
			return measure{anyUnit, 1}
		}
	}
	return measureOf(e)
}

const anyUnit Unit = "any"

// same returns the common unit of two operands of a sum, or an unknown unit if they differ.
func same(a, b measure) measure {
	switch {
	case b.unit == anyUnit, a == b:
		return a
	case a.unit == anyUnit:
		return b
	}
	return measure{}
}

// perSecondOf returns a query converted to events per second. given is the unit that the file
// states, or "". It is an error if the unit is neither stated nor evident from the query.
func perSecondOf(query string, given Unit) (string, error) {
	_, expr, err := parseQuery(query, placeholder)
	if err != nil {
		return "", err
	}
	m := measureOf(expr)
	if given != "" {
		if m.unit != "" && m.unit != given {
			return "", fmt.Errorf("the query counts %s, and unit says %s", m.unit, given)
		}
		if m.unit == "" {
			m = measure{given, 1}
		}
	}
	switch {
	case m.unit == "":
		return "", fmt.Errorf("the query does not show whether it counts events per second or events in the window: write rate(…), or add unit: %s or unit: %s", PerSecond, PerWindow)
	case !(m.factor > 0):
		return "", fmt.Errorf("the query counts events times %s: want a factor above 0", FormatNumber(m.factor))
	}
	if m.factor != 1 {
		query = fmt.Sprintf("(%s) / %s", query, FormatNumber(m.factor))
	}
	if m.unit == PerWindow {
		query = fmt.Sprintf("(%s) / {{.seconds}}", query)
	}
	return query, nil
}
