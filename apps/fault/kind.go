package fault

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

	build func(v Values) (effect, error)
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

// An effect is a fault of one kind with its parameters, to be shown once.
type effect interface {
	// begin shows the fault. The returned function ends it, and returns when it is
	// undone. What is left to chance, the dice decide.
	begin(s *Set, d *dice) (end func(), err error)
}

// Kinds are all kinds of faults that services can show, by their names.
func Kinds() []Kind {
	return []Kind{
		badDeployKind(), cacheStampedeKind(), cpuBurnKind(), errorsKind(), gcPressureKind(), goroutineLeakKind(), latencyKind(),
		lockContentionKind(), memoryLeakKind(), nPlusOneKind(), poisonMessageKind(), poolExhaustionKind(), rerouteKind(),
		slowQueryKind(), tokenSkewKind(), unreadyKind(),
	}
}

// KindOf finds a kind by its name. Its error lists those there are.
func KindOf(name string) (Kind, error) {
	all := Kinds()
	var names []string
	for _, k := range all {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, fmt.Errorf("kind %q: there are %v", name, names)
}

// ShownBy is whether the named service can show the fault.
func (k Kind) ShownBy(service string) bool {
	return k.Services == nil || slices.Contains(k.Services, service)
}

// Check reports what is wrong with parameters as a drill or a request gives
// them. Its error names the parameter.
func (k Kind) Check(params map[string]any) error {
	if k.build == nil { // a kind that somebody else shows
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

// Groups of services, by what they have.
var (
	withRoutes    = []string{"bank", "catalog", "gateway", "orders", "payments"}
	withDatabases = []string{"bank", "catalog", "orders", "payments", "shipping"}
	withVersions  = []string{"catalog", "gateway", "orders", "payments"} // and metrics that tell them
)
