package drill

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Comparison is a bound for a number.
type Comparison struct {
	Op    string
	Bound float64
}

// operators returns the operators in the order in which they are tried: longer ones
// first.
func operators() []string { return []string{">=", "<=", "==", "!=", ">", "<"} }

// ParseComparison parses an operator and a number, such as ">= 0.99".
func ParseComparison(text string) (Comparison, error) {
	text = strings.TrimSpace(text)
	for _, op := range operators() {
		rest, ok := strings.CutPrefix(text, op)
		if !ok {
			continue
		}
		bound, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
		if err != nil || math.IsNaN(bound) || math.IsInf(bound, 0) {
			break
		}
		return Comparison{op, bound}, nil
	}
	return Comparison{}, fmt.Errorf("%q is no comparison: want one of %s and a number, such as \">= 0.99\"", text, strings.Join(operators(), " "))
}

// Holds reports whether a number passes. NaN never does.
func (c Comparison) Holds(v float64) bool {
	if math.IsNaN(v) {
		return false
	}
	switch c.Op {
	case ">":
		return v > c.Bound
	case ">=":
		return v >= c.Bound
	case "<":
		return v < c.Bound
	case "<=":
		return v <= c.Bound
	case "==":
		return v == c.Bound
	case "!=":
		return v != c.Bound
	}
	return false
}

// Closer reports whether a is nearer to passing than b. A caller that keeps one of
// many values keeps the closest.
func (c Comparison) Closer(a, b float64) bool {
	if math.IsNaN(b) {
		return true
	}
	switch c.Op {
	case ">", ">=":
		return a > b
	case "<", "<=":
		return a < b
	}
	return c.Holds(a) && !c.Holds(b)
}

// String returns the comparison as a file has it.
func (c Comparison) String() string { return c.Op + " " + FormatNumber(c.Bound) }

// FormatNumber returns a number with at most four significant digits.
func FormatNumber(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
