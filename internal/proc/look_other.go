//go:build !linux

package proc

import (
	"errors"
	"slices"

	"github.com/shirou/gopsutil/v4/process"
)

// look reads a process's identity. Born is in milliseconds since 1970.
func look(pid int) (Identity, error) {
	p, err := process.NewProcess(int32(pid))
	if errors.Is(err, process.ErrorProcessNotRunning) {
		return Identity{}, ErrGone
	}
	if err != nil {
		return Identity{}, err
	}
	if states, err := p.Status(); err == nil && slices.Contains(states, process.Zombie) {
		return Identity{}, ErrGone
	}
	i := Identity{PID: pid, UID: -1}
	if i.Born, err = p.CreateTime(); err != nil {
		return Identity{}, err
	}
	if uids, err := p.Uids(); err == nil && len(uids) > 1 {
		i.UID = int(uids[1]) // the effective one
	}
	i.Exe, _ = p.Exe() // other users' executables cannot be seen
	return i, nil
}
