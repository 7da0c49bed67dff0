package session

import "syscall"

// diesWithParent puts a child in its own process group, so that Ctrl-C in the terminal does
// not reach it. The kernel ends the child when its parent ends.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
