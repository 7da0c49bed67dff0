package session

import "syscall"

// diesWithParent puts a child into a group of its own, so that the terminal's Ctrl-C
// does not reach it, and has the kernel end it when its parent dies.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
