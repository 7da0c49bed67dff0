package fault

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// dataOf returns how much data memory a process has, as RLIMIT_DATA counts it, and its
// limit, both in bytes.
func dataOf(pid int) (used, limit uint64, err error) {
	var now unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, nil, &now); err != nil {
		return 0, 0, fmt.Errorf("read the memory limit of process %d: %w", pid, err)
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// VmData: 12345 kB
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[0] == "VmData:" {
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
// hard limit needs privileges.
func limitData(pid int, bytes uint64) error {
	var now unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, nil, &now); err != nil {
		return fmt.Errorf("read the memory limit of process %d: %w", pid, err)
	}
	now.Cur = min(bytes, now.Max)
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, &now, nil); err != nil {
		return fmt.Errorf("limit the memory of process %d: %w", pid, err)
	}
	return nil
}
