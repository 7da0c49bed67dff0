//go:build !linux

package session

import "syscall"

// diesWithParent puts a child into a group of its own, so that the terminal's Ctrl-C
// does not reach it. Elsewhere than on Linux it outlives a parent that is killed.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
