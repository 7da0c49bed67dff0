//go:build !linux

package session

import "syscall"

// diesWithParent puts a child in its own process group, so that Ctrl-C in the terminal does
// not reach it. On systems other than Linux the child outlives a parent that is killed.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
