package chaos

import (
	"context"
	"time"
)

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

// An Injector makes faults happen.
type Injector interface {
	// Check tells whether the fault is well formed. It touches nothing; its error
	// names the kind, the target or the parameter that is wrong.
	Check(f Fault) error
	// Begin starts the fault, which ends by itself when lease has passed since
	// Begin or the last Renew. When it fails, nothing of the fault is left.
	Begin(ctx context.Context, f Fault, lease time.Duration) (Injection, error)
}

// An Injection is a fault that was begun.
type Injection interface {
	// Renew lets the fault last for another lease from now.
	Renew(ctx context.Context) error
	// End returns when the fault's effect is undone. Ending twice does no harm.
	End(ctx context.Context) error
}
