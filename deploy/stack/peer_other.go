//go:build !linux && !darwin

package stack

import (
	"errors"
	"fmt"
	"net"
	"runtime"
)

// peerOf returns an error: there is no way to know the other end of a unix socket.
func peerOf(*net.UnixConn) (uid, pid int, err error) {
	return 0, 0, fmt.Errorf("look at a socket's peer on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
