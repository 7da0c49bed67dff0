package stack

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf returns the user and the process at the other end of a unix socket.
func peerOf(conn *net.UnixConn) (uid, pid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, 0, fmt.Errorf("look at a socket's peer: %w", err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		var peer *unix.Xucred
		if peer, failed = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED); failed != nil {
			return
		}
		uid = int(peer.Uid)
		pid, failed = unix.GetsockoptInt(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERPID)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return 0, 0, fmt.Errorf("look at a socket's peer: %w", err)
	}
	return uid, pid, nil
}
