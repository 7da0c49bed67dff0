package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// marker is the environment variable that every process of a copy inherits. Its value is the copy's data
// folder. It identifies the processes of this copy even when the supervisor has ended.
const marker = "FIREDRILL_STACK_MEMBER"

// members returns the running processes of the copy with the data folder data, without this process.
func members(data string) ([]*process.Process, error) {
	all, err := process.Processes()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []*process.Process
	for _, p := range all {
		if int(p.Pid) == os.Getpid() {
			continue
		}
		// The environment of another user's process cannot be read, nor that of a process that just ended.
		// Neither is ours.
		if env, err := p.Environ(); err == nil && slices.Contains(env, marker+"="+data) {
			found = append(found, p)
		}
	}
	return found, nil
}

// isSupervisor reports whether p is process-compose.
func isSupervisor(p *process.Process) bool {
	args, err := p.CmdlineSlice()
	return err == nil && len(args) > 0 && filepath.Base(args[0]) == "process-compose"
}

// waitGone waits until the copy has no process, at most for patience. It returns the processes that are left.
func waitGone(ctx context.Context, data string, patience time.Duration) ([]*process.Process, error) {
	return waitUntil(ctx, data, patience, func(left []*process.Process) bool { return len(left) == 0 })
}

// waitUntil waits until enough returns true for the copy's processes, at most for patience. It returns the
// processes that are left.
func waitUntil(ctx context.Context, data string, patience time.Duration, enough func([]*process.Process) bool) ([]*process.Process, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := members(data)
		if err != nil || enough(left) {
			return left, err
		}
		select {
		case <-ctx.Done():
			return left, nil
		case <-tick.C:
		}
	}
}

// signalAll signals each process. It ignores errors, because a process may have ended meanwhile.
func signalAll(processes []*process.Process, signal syscall.Signal) {
	for _, p := range processes {
		_ = p.SendSignal(signal)
	}
}

func names(processes []*process.Process) []string {
	var out []string
	for _, p := range processes {
		name, err := p.Name()
		if err != nil {
			name = "?"
		}
		out = append(out, fmt.Sprintf("%s (pid %d)", name, p.Pid))
	}
	return out
}

// memberAge is how long a list of processes is reused.
const memberAge = 5 * time.Second

// PIDs returns a function that returns the process ids of the copy. The function lists the processes anew every
// few seconds only, because this takes some milliseconds. It is not safe for concurrent use.
func (s Settings) PIDs() func() []int {
	var known []int
	var looked time.Time
	return func() []int {
		if time.Since(looked) < memberAge {
			return known
		}
		all, err := members(s.Data)
		if err != nil {
			return known
		}
		known, looked = known[:0], time.Now()
		for _, p := range all {
			known = append(known, int(p.Pid))
		}
		return known
	}
}
