package kinds

import (
	"fmt"
	"slices"
)

// Kind describes one kind of fault.
type Kind struct {
	Name string `json:"name"` // in snake_case
	Doc  string `json:"doc"`  // one paragraph: what it does, and what is seen of it
	// Services are those that can show it; nil: every one.
	Services []string `json:"services,omitempty"`
	Params   []Param  `json:"params"`

	// Rule checks what no parameter alone shows to be wrong; nil: nothing. Its error
	// names the parameter.
	Rule func(v Values) error `json:"-"`
}

// Type is what values a parameter takes.
type Type string

// Types of parameters.
const (
	Number   Type = "number"
	Integer  Type = "integer"
	Duration Type = "duration" // a string of Go's: "250ms", "-1h"
	String   Type = "string"
)

// Param describes one parameter of a kind.
type Param struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
	Unit string `json:"unit,omitempty"` // of a number
	Doc  string `json:"doc"`
	// Default is a float64, an int, a time.Duration's or any other string; nil: the
	// parameter must be given.
	Default any `json:"default,omitempty"`
	// Min and Max bound numbers, both included; for a duration in seconds.
	Min float64 `json:"min,omitempty"`
	Max float64 `json:"max,omitempty"`
	// OneOf are all values that there are, for a few strings or integers.
	OneOf []any `json:"one_of,omitempty"`
	// Pattern is a regular expression that all of a string matches.
	Pattern string `json:"pattern,omitempty"`
}

// Of returns the kind with a name. Its error lists the kinds there are.
func Of(name string) (Kind, error) {
	var names []string
	for _, k := range All() {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, fmt.Errorf("kind %q: there are %v", name, names)
}

// ShownBy reports whether the named service can show the fault.
func (k Kind) ShownBy(service string) bool {
	return k.Services == nil || slices.Contains(k.Services, service)
}

// Check returns what is wrong with the parameters of a drill or a request. Its
// error names the kind and the parameter.
func (k Kind) Check(params map[string]any) error {
	if _, err := k.Values(params); err != nil {
		return fmt.Errorf("kind %q: %w", k.Name, err)
	}
	return nil
}
