package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"firedrill/chaos/drill"
)

// Processes are the supervised programs of one copy of the stack.
type Processes interface {
	// PID returns the component's process, 0 when it has none at the moment.
	PID(ctx context.Context, component string) (int, error)
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

// pid returns the victim's process; 0 if it has none at the moment.
func (v *victim) pid(ctx context.Context) (int, error) {
	pid, err := v.PID(ctx, v.note.Target)
	if err != nil {
		return 0, fmt.Errorf("find the process of %q: %w", v.note.Target, err)
	}
	return pid, nil
}

// signal signals the victim's process. It is no error if there is none at the moment.
func (v *victim) signal(ctx context.Context, s syscall.Signal) error {
	pid, err := v.pid(ctx)
	if err != nil || pid == 0 {
		return err
	}
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to %q (process %d): %w", s, v.note.Target, pid, err)
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

// identity distinguishes a process from a later one with the same id.
type identity struct {
	PID  int   `json:"pid"`
	Born int64 `json:"born"` // milliseconds since 1970
}

func identify(pid int) (identity, error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return identity{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	born, err := p.CreateTime()
	if err != nil {
		return identity{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return identity{PID: pid, Born: born}, nil
}

// lives reports whether this very process still runs. A zombie does not.
func (i identity) lives() bool {
	now, err := identify(i.PID)
	if err != nil || now != i {
		return false
	}
	states, err := (&process.Process{Pid: int32(i.PID)}).Status()
	return err == nil && !slices.Contains(states, process.Zombie)
}
