package fault

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"firedrill/internal/proc"
)

// dataOf returns how much data memory a process has, as RLIMIT_DATA counts it, and its
// limit, both in bytes.
func dataOf(pid int) (used, limit uint64, err error) {
	var now unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, nil, &now); err != nil {
		return 0, 0, fmt.Errorf("read the memory limit of process %d: %w", pid, err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		// VmData: 12345 kB
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmData:" {
			kb, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil {
				return 0, 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
			}
			return kb << 10, now.Cur, nil
		}
	}
	return 0, 0, fmt.Errorf("read the memory of process %d: its status holds no VmData", pid)
}

// limitData sets the soft limit of a process. It leaves the hard limit, because raising a
// hard limit needs privileges. It does nothing if the process has ended.
func limitData(p proc.Identity, bytes uint64) error {
	if !p.Lives() {
		return nil // another process may have its id now
	}
	var now unix.Rlimit
	if err := unix.Prlimit(p.PID, unix.RLIMIT_DATA, nil, &now); err != nil {
		return fmt.Errorf("read the memory limit of %s: %w", p, err)
	}
	now.Cur = min(bytes, now.Max)
	if err := unix.Prlimit(p.PID, unix.RLIMIT_DATA, &now, nil); err != nil {
		return fmt.Errorf("limit the memory of %s: %w", p, err)
	}
	return nil
}
