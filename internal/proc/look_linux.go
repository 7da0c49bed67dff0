package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// look reads a process's identity. Born is in clock ticks since the system started, which, other than a time of day, does
// not change when the clock is set. See https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html.
func look(pid int) (Identity, error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	info, err := os.Stat(dir)
	if err != nil {
		return Identity{}, gone(err)
	}
	text, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Identity{}, gone(err)
	}
	// pid (name) state ppid …: the name may have spaces and parentheses. The start time is field 22.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const state, start = 0, 19
	if len(fields) <= start {
		return Identity{}, fmt.Errorf("its status %q is too short", text)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return Identity{}, ErrGone
	}
	i := Identity{PID: pid, UID: -1}
	if i.Born, err = strconv.ParseInt(fields[start], 10, 64); err != nil {
		return Identity{}, fmt.Errorf("its start time: %w", err)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		i.UID = int(s.Uid)
	}
	i.Exe, _ = os.Readlink(dir + "/exe") // other users' executables cannot be seen
	return i, nil
}

// gone returns ErrGone for the errors with which Linux says that a process has ended.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return ErrGone
	}
	return err
}
