// Package proc names one process, so that a signal never reaches another one.
//
// A process id alone does not name a process: the system gives it to another one after the first has ended. An Identity
// also has the time of birth, the owner and the executable. Every signal to a process that is not an unwaited child of the
// sender goes through Identity.Send.
//
// It must not know what the processes do.
package proc

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// ErrGone means that a process has ended. Its process id may belong to another process now.
var ErrGone = errors.New("the process has ended")

// Identity distinguishes a process from all others. The zero value is no process.
type Identity struct {
	PID  int    `json:"pid"`
	Born int64  `json:"born"` // unit and origin depend on the system; larger means later
	UID  int    `json:"uid"`
	Exe  string `json:"executable"` // resolved path; "" if this user may not see it
}

// IsZero reports whether i is no process.
func (i Identity) IsZero() bool { return i == Identity{} }

// String names the process for people: "sleep (pid 7)".
func (i Identity) String() string {
	name := i.Exe[strings.LastIndex(i.Exe, "/")+1:]
	if name == "" {
		name = "?"
	}
	return fmt.Sprintf("%s (pid %d)", name, i.PID)
}

// Identify returns the identity of the process that has an id now. It wraps ErrGone if there is none, or if it has ended
// and nobody has waited for it.
func Identify(pid int) (Identity, error) {
	if pid <= 0 {
		return Identity{}, fmt.Errorf("look at process %d: %w", pid, ErrGone)
	}
	i, err := look(pid)
	if err != nil {
		return Identity{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	i.Exe = strings.TrimSuffix(i.Exe, " (deleted)") // Linux says so after a new build has replaced the file
	return i, nil
}

// Self returns the identity of this process.
func Self() (Identity, error) { return Identify(os.Getpid()) }

// Lives reports whether this very process runs. A process that has ended does not, even if nobody has waited for it.
func (i Identity) Lives() bool {
	now, err := Identify(i.PID)
	return err == nil && now == i
}

// Send sends a signal to this very process, which must belong to this user. It wraps ErrGone if the process has ended,
// whoever has its id now.
func (i Identity) Send(signal syscall.Signal) error {
	if i.UID != os.Geteuid() {
		return fmt.Errorf("send %v to %s: it belongs to user %d", signal, i, i.UID)
	}
	// Where the system has handles of processes, p refers to the process that has the id now, whatever becomes of the id.
	p, err := os.FindProcess(i.PID)
	if err != nil {
		return fmt.Errorf("send %v to %s: %w", signal, i, err)
	}
	defer p.Release() //nolint:errcheck // nothing is lost
	if !i.Lives() {
		return fmt.Errorf("send %v to %s: %w", signal, i, ErrGone)
	}
	err = p.Signal(signal)
	if errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) {
		err = ErrGone
	}
	if err != nil {
		return fmt.Errorf("send %v to %s: %w", signal, i, err)
	}
	return nil
}

// Exists reports whether any process has an id. It is false only if the system says that there is none.
func Exists(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
