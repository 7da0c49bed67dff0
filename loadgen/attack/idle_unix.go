//go:build unix

package attack

import "syscall"

// quiet reports whether an idle connection is still usable: the server has neither closed it nor sent anything. It does
// not wait and consumes nothing.
func (c *conn) quiet() bool {
	return c.raw != nil && c.raw.Read(c.peek) == nil && c.idle
}

// look peeks at the socket. It is made once a connection, so that a check allocates nothing.
func (c *conn) look(fd uintptr) bool {
	_, _, err := syscall.Recvfrom(int(fd), c.one[:], syscall.MSG_PEEK)
	c.idle = err == syscall.EAGAIN // a system call returns the bare number
	return true
}
