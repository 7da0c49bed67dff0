package drill

import "time"

// Fault is one thing a drill makes worse for a while.
type Fault struct {
	// At is how long after the start of the fault phase it begins, For how long
	// it lasts; both as wall time, after any stretching to the scale in force.
	At, For time.Duration
	// Kind is a fault kind in snake_case ("errors", "wire_latency", "kill").
	Kind string
	// Target is what it is done to: a service, a component of the stack, or for
	// faults on the wire "caller -> dependency".
	Target string
	// Params are the kind's own; each kind documents its.
	Params map[string]any
}
