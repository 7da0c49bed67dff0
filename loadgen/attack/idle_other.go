//go:build !unix

package attack

// quiet cannot look at a socket on this system. A request on a connection that the server closed is then sent again, and
// counted as that.
func (c *conn) quiet() bool { return true }

func (c *conn) look(uintptr) bool { return true }
