package fault

import (
	"fmt"
	"slices"
)

// Kind describes one kind of fault.
type Kind struct {
	Name string `json:"name"` // in snake_case
	Doc  string `json:"doc"`  // one paragraph: what it does and where it can be seen
	// Services are the services that can show it; nil means all.
	Services []string `json:"services,omitempty"`
	Params   []Param  `json:"params"`

	build func(v Values) (effect, error)
}

// Type is the type of a parameter's value.
type Type string

// Types of parameters.
const (
	Number   Type = "number"
	Integer  Type = "integer"
	Duration Type = "duration" // a duration string as in Go: "250ms", "-1h"
	String   Type = "string"
)

// Param describes one parameter of a kind.
type Param struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
	Unit string `json:"unit,omitempty"` // unit of a number
	Doc  string `json:"doc"`
	// Default is a float64, an int or a string. A duration's default is a
	// string. If nil, the parameter is required.
	Default any `json:"default,omitempty"`
	// Min and Max are the inclusive limits of a number, or of a duration in
	// seconds.
	Min float64 `json:"min,omitempty"`
	Max float64 `json:"max,omitempty"`
	// OneOf lists all valid values, for strings and integers with few values.
	OneOf []any `json:"one_of,omitempty"`
	// Pattern is a regular expression that must match the whole string.
	Pattern string `json:"pattern,omitempty"`
}

// effect is one fault of a kind with its parameters. It is used once.
type effect interface {
	// begin starts the fault. end stops it and returns when it is undone. The
	// fault takes random decisions from d.
	begin(s *Set, d *dice) (end func(), err error)
}

// Kinds returns all kinds of faults that services can show, sorted by name.
func Kinds() []Kind {
	return []Kind{
		badDeployKind(), cacheStampedeKind(), cpuBurnKind(), errorsKind(), gcPressureKind(), goroutineLeakKind(), latencyKind(),
		lockContentionKind(), memoryLeakKind(), nPlusOneKind(), poisonMessageKind(), poolExhaustionKind(), rerouteKind(),
		slowQueryKind(), tokenSkewKind(), unreadyKind(),
	}
}

// KindOf returns the kind with a name. The error lists the known kinds.
func KindOf(name string) (Kind, error) {
	all := Kinds()
	var names []string
	for _, k := range all {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, fmt.Errorf("kind %q: want one of %v", name, names)
}

// ShownBy reports whether a service can show the fault.
func (k Kind) ShownBy(service string) bool {
	return k.Services == nil || slices.Contains(k.Services, service)
}

// Check returns an error if the parameters of a drill or a request are not
// valid. The error names the parameter.
func (k Kind) Check(params map[string]any) error {
	if k.build == nil { // a kind that another package implements
		_, err := k.Values(params)
		return err
	}
	_, err := k.effect(params)
	return err
}

func (k Kind) effect(params map[string]any) (effect, error) {
	v, err := k.Values(params)
	if err != nil {
		return nil, fmt.Errorf("kind %q: %w", k.Name, err)
	}
	e, err := k.build(v)
	if err != nil {
		return nil, fmt.Errorf("kind %q: %w", k.Name, err)
	}
	return e, nil
}

// Groups of services by what they have.
var (
	withRoutes    = []string{"bank", "catalog", "gateway", "orders", "payments"}
	withDatabases = []string{"bank", "catalog", "orders", "payments", "shipping"}
	withVersions  = []string{"catalog", "gateway", "orders", "payments"} // and metrics with the label version
)
