package fault

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/proc"
)

// Processes are the supervised programs of one copy of the stack.
type Processes interface {
	// Process returns the component's process, the zero Identity when it has none at the
	// moment. It returns an error for a process that the copy did not start.
	Process(ctx context.Context, component string) (proc.Identity, error)
	// Start returns when the component runs and is ready. One that runs already is
	// left as it is.
	Start(ctx context.Context, component string) error
	// Stop returns when the component is down; it stays so until Start.
	Stop(ctx context.Context, component string) error
}

// ErrNoStack means that nothing supervises the processes: everything was stopped, so
// there is nothing left to undo.
var ErrNoStack = errors.New("nothing supervises the processes")

// processFault is what one kind of fault does to a process. It runs in the watchdog
// of the fault, not in the drill's runner.
type processFault interface {
	// hit inflicts the fault, first at the beginning and then at each interval of often.
	// Before that, it must store in the victim's note what undo needs.
	hit(ctx context.Context, v *victim) error
	// often returns the interval; 0 if hit is called only once.
	often() time.Duration
	// undo ends the fault. The caller then starts the component.
	undo(ctx context.Context, v *victim) error
}

// victim is the component that a fault affects.
type victim struct {
	Processes
	note note
	keep func(note) error // writes the note to disk
}

// process returns the victim's process; zero if it has none at the moment.
func (v *victim) process(ctx context.Context) (proc.Identity, error) {
	p, err := v.Process(ctx, v.note.Target)
	if err != nil {
		return proc.Identity{}, fmt.Errorf("find the process of %q: %w", v.note.Target, err)
	}
	return p, nil
}

// signal signals the victim's process. It is no error if there is none at the moment.
func (v *victim) signal(ctx context.Context, s syscall.Signal) error {
	p, err := v.process(ctx)
	if err != nil || p.IsZero() {
		return err
	}
	return v.send(p, s)
}

// send signals one process of the victim. It is no error if it has ended.
func (v *victim) send(p proc.Identity, s syscall.Signal) error {
	if err := p.Send(s); err != nil && !errors.Is(err, proc.ErrGone) {
		return fmt.Errorf("%q: %w", v.note.Target, err)
	}
	return nil
}

// heal undoes the fault and returns when the victim is ready again.
func (v *victim) heal(ctx context.Context, f processFault) error {
	err := f.undo(ctx, v)
	if startErr := v.Start(ctx, v.note.Target); startErr != nil {
		err = errors.Join(err, fmt.Errorf("start %q: %w", v.note.Target, startErr))
	}
	if errors.Is(err, ErrNoStack) {
		return nil
	}
	return err
}

// newProcessFault returns the fault that f describes; f must have been checked.
func newProcessFault(f drill.Fault) (processFault, error) {
	for _, k := range processKinds() {
		if k.Name != f.Kind {
			continue
		}
		v, err := k.Values(f.Params)
		if err != nil {
			return nil, fmt.Errorf("kind %q: %w", f.Kind, err)
		}
		return k.make(v), nil
	}
	return nil, fmt.Errorf("no fault on processes is called %q", f.Kind)
}
