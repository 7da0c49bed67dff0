package drill

import "time"

// Fault is one thing that a drill makes worse for a while.
type Fault struct {
	// At is when it begins, counted from the end of the warm-up, and For is how long
	// it lasts. Both are wall time.
	At, For time.Duration
	// Kind is the kind in snake_case, such as "errors", "wire_latency" or "kill".
	Kind string
	// Target is a service, a component of the stack, or for faults on the wire "caller
	// -> dependency".
	Target string
	// Params are the parameters of the kind.
	Params map[string]any
}
