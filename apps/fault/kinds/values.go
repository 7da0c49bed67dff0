package kinds

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"time"
)

// Values are the checked parameters of a fault, defaults filled in: a float64,
// an int, a time.Duration or a string by the parameter's type.
type Values map[string]any

// Number returns the value of a parameter of type Number.
func (v Values) Number(name string) float64 { return v[name].(float64) }

// Integer returns the value of a parameter of type Integer.
func (v Values) Integer(name string) int { return v[name].(int) }

// Duration returns the value of a parameter of type Duration.
func (v Values) Duration(name string) time.Duration { return v[name].(time.Duration) }

// Text returns the value of a parameter of type String.
func (v Values) Text(name string) string { return v[name].(string) }

// Values returns the checked parameters of a drill or a request, with the defaults
// filled in. Its error names the parameter.
func (k Kind) Values(params map[string]any) (Values, error) {
	out := make(Values, len(k.Params))
	for _, p := range k.Params {
		given, ok := params[p.Name]
		if !ok {
			given = p.Default
		}
		if given == nil {
			return nil, fmt.Errorf("parameter %q is missing", p.Name)
		}
		value, err := p.parse(given)
		if err != nil {
			return nil, fmt.Errorf("parameter %q: %w", p.Name, err)
		}
		out[p.Name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if _, known := out[name]; !known {
			return nil, fmt.Errorf("parameter %q is not one of its: %v", name, k.names())
		}
	}
	if k.Rule != nil {
		return out, k.Rule(out)
	}
	return out, nil
}

func (k Kind) names() []string {
	all := make([]string, len(k.Params))
	for i, p := range k.Params {
		all[i] = p.Name
	}
	return all
}

// parse returns the value of what JSON, YAML or Go gave.
func (p Param) parse(given any) (any, error) {
	switch p.Type {
	case Number:
		n, err := numberOf(given)
		if err != nil {
			return nil, err
		}
		return n, p.inRange(n, given)
	case Integer:
		n, err := numberOf(given)
		if err != nil || n != math.Trunc(n) {
			return nil, fmt.Errorf("%v is not a whole number", given)
		}
		if err := p.inRange(n, given); err != nil {
			return nil, err
		}
		return int(n), p.isListed(int(n))
	case Duration:
		text, _ := given.(string)
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("%v is not a duration such as \"250ms\"", given)
		}
		return d, p.inRange(d.Seconds(), given)
	default:
		return p.parseText(given)
	}
}

func (p Param) parseText(given any) (any, error) {
	text, ok := given.(string)
	if !ok {
		return nil, fmt.Errorf("%v is not a string", given)
	}
	if p.Pattern != "" && !regexp.MustCompile(`^(?:`+p.Pattern+`)$`).MatchString(text) {
		return nil, fmt.Errorf("%q does not match %s", text, p.Pattern)
	}
	return text, p.isListed(text)
}

func numberOf(given any) (float64, error) {
	var n float64
	switch g := given.(type) {
	case float64:
		n = g
	case int:
		n = float64(g)
	case int64:
		n = float64(g)
	case uint64:
		n = float64(g)
	case json.Number:
		var err error
		if n, err = g.Float64(); err != nil {
			return 0, fmt.Errorf("%v is not a number", given)
		}
	default:
		return 0, fmt.Errorf("%v is not a number", given)
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("%v is not a number", given)
	}
	return n, nil
}

func (p Param) inRange(n float64, given any) error {
	if p.OneOf == nil && (n < p.Min || n > p.Max) {
		return fmt.Errorf("%v: want %v to %v%s", given, p.bound(p.Min), p.bound(p.Max), p.unit())
	}
	return nil
}

func (p Param) bound(n float64) any {
	if p.Type == Duration {
		return time.Duration(n * float64(time.Second))
	}
	return n
}

func (p Param) unit() string {
	if p.Unit == "" {
		return ""
	}
	return " " + p.Unit
}

func (p Param) isListed(value any) error {
	if p.OneOf != nil && !slices.Contains(p.OneOf, value) {
		return fmt.Errorf("%v: want one of %v", value, p.OneOf)
	}
	return nil
}
