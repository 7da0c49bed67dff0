package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"

	"firedrill/internal/private"
	"firedrill/internal/proc"
)

// marker is the environment variable that every process of a copy inherits. Its value is the copy's data
// folder. A process with it may belong to the copy. It is no proof: a person can export the variable in a shell.
const marker = "FIREDRILL_STACK_MEMBER"

// supervisorName is the name of the supervisor's program.
const supervisorName = "process-compose"

// membership is what runs of a copy.
type membership struct {
	boss   proc.Identity   // the supervisor that the copy started last; it may have ended
	own    []proc.Identity // processes that the copy started, the supervisor among them
	others []proc.Identity // processes that have the copy's mark, but that nobody can prove to be its own
}

// launchedPath returns the file with the identity of the supervisor that the copy started last.
func (s Settings) launchedPath() string { return filepath.Join(s.runDir(), "supervisor.json") }

// launched returns the supervisor that the copy started last. It is zero if that is not known.
func (s Settings) launched() (proc.Identity, error) {
	text, err := private.ReadFile(s.launchedPath())
	if errors.Is(err, fs.ErrNotExist) {
		return proc.Identity{}, nil
	}
	if err != nil {
		return proc.Identity{}, fmt.Errorf("read which supervisor was started: %w", err)
	}
	var boss proc.Identity
	if json.Unmarshal(text, &boss) != nil {
		return proc.Identity{}, nil //nolint:nilerr // then the processes are recognized by their programs
	}
	return boss, nil
}

// keepLaunched stores which supervisor was started.
func (s Settings) keepLaunched(boss proc.Identity) error {
	text, err := json.Marshal(boss)
	if err == nil {
		err = private.WriteFile(s.launchedPath(), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep which supervisor was started: %w", err)
	}
	return nil
}

// members returns the running processes with the copy's mark, without this process.
func (s Settings) members() (membership, error) {
	boss, err := s.launched()
	if err != nil {
		return membership{}, err
	}
	pids, err := process.Pids()
	if err != nil {
		return membership{}, fmt.Errorf("list processes: %w", err)
	}
	var marked []proc.Identity
	for _, pid := range pids {
		if int(pid) == os.Getpid() {
			continue
		}
		// The environment of another user's process cannot be read, nor that of a process that just ended.
		// Neither is ours.
		env, err := (&process.Process{Pid: pid}).Environ()
		if err != nil || !slices.Contains(env, marker+"="+s.Data) {
			continue
		}
		if i, err := proc.Identify(int(pid)); err == nil {
			marked = append(marked, i)
		}
	}
	if boss.IsZero() {
		boss = s.findSupervisor(marked)
	}
	m := membership{boss: boss}
	for _, i := range marked {
		if s.started(i, boss) {
			m.own = append(m.own, i)
		} else {
			m.others = append(m.others, i)
		}
	}
	return m, nil
}

// findSupervisor returns the supervisor among processes with the copy's mark, for a copy that does not know which it
// started. It is zero if none runs.
func (s Settings) findSupervisor(marked []proc.Identity) proc.Identity {
	for _, i := range marked {
		session, err := unix.Getsid(i.PID)
		if err == nil && session == i.PID && filepath.Base(i.Exe) == supervisorName && s.ours(i.Exe) {
			return i
		}
	}
	return proc.Identity{}
}

// started reports whether the copy started a process. The supervisor leads a session of its own, which everything that it
// starts stays in, even after its end. If no supervisor is known, a process must run one of the copy's programs, and
// nobody's shell may lead its session.
func (s Settings) started(i, boss proc.Identity) bool {
	if i.UID != os.Geteuid() {
		return false
	}
	if i == boss {
		return true
	}
	session, err := unix.Getsid(i.PID)
	if err != nil {
		return false
	}
	if !boss.IsZero() {
		return session == boss.PID && i.Born >= boss.Born
	}
	_, err = proc.Identify(session)
	return errors.Is(err, proc.ErrGone) && s.ours(i.Exe)
}

// ours reports whether an executable is one that a copy runs.
func (s Settings) ours(exe string) bool {
	if self, err := os.Executable(); err == nil && resolved(self) == exe {
		return true
	}
	for _, dir := range []string{s.Bin, filepath.Join(s.Root, ".bin")} {
		if dir != "" && strings.HasPrefix(exe, resolved(dir)+string(filepath.Separator)) {
			return true
		}
	}
	g := findGrafana(os.Getenv)
	return g.found() && resolved(g.binary) == exe
}

// resolved returns a path without symbolic links, or the path itself if there is nothing at it.
func resolved(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	return path
}

// waitGone waits until the copy has no process, at most for patience. It returns the processes that are left.
func (s Settings) waitGone(ctx context.Context, patience time.Duration) (membership, error) {
	return s.waitUntil(ctx, patience, func(left membership) bool { return len(left.own) == 0 })
}

// waitUntil waits until enough returns true for the copy's processes, at most for patience. It returns the
// processes that are left.
func (s Settings) waitUntil(ctx context.Context, patience time.Duration, enough func(membership) bool) (membership, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := s.members()
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
func signalAll(processes []proc.Identity, signal syscall.Signal) {
	for _, p := range processes {
		_ = p.Send(signal)
	}
}

func names(processes []proc.Identity) string {
	var out []string
	for _, p := range processes {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
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
		all, err := s.members()
		if err != nil {
			return known
		}
		known, looked = known[:0], time.Now()
		for _, p := range all.own {
			known = append(known, p.PID)
		}
		return known
	}
}
