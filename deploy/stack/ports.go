package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	psnet "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
)

// TakenPort is a port that a component needs and another process listens on.
type TakenPort struct {
	Port      int
	Component string
	Owner     string // "name (pid n)"; empty if the system does not say
}

// PortsError says which ports are taken, by which processes, and what to do.
type PortsError struct {
	Taken  []TakenPort
	Offset int // the port offset of the copy
}

func (e *PortsError) Error() string {
	var b strings.Builder
	b.WriteString("these ports are taken:\n")
	for _, t := range e.Taken {
		owner := t.Owner
		if owner == "" {
			owner = "an unknown process"
		}
		fmt.Fprintf(&b, "  %d, which %s needs, by %s\n", t.Port, t.Component, owner)
	}
	fmt.Fprintf(&b, "stop the owner, or move every port: make up PORT_OFFSET=%d (firedrill up --offset %d)",
		e.Offset+10000, e.Offset+10000)
	return b.String()
}

// checkPorts returns a *PortsError if ports of the components cannot be bound.
func checkPorts(ctx context.Context, components []Component, offset int) error {
	taken, err := takenPorts(ctx, components)
	if err != nil || len(taken) == 0 {
		return err
	}
	owners := portOwners()
	for i := range taken {
		taken[i].Owner = owners[taken[i].Port]
	}
	return &PortsError{Taken: taken, Offset: offset}
}

// takenPorts tries to bind each port of the components and returns those that are taken, without their owners.
func takenPorts(ctx context.Context, components []Component) ([]TakenPort, error) {
	var taken []TakenPort
	for _, c := range components {
		for _, port := range c.Ports {
			l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("%s:%d", loopback, port))
			switch {
			case err == nil:
				_ = l.Close()
			case errors.Is(err, syscall.EADDRINUSE):
				taken = append(taken, TakenPort{Port: port, Component: c.Name})
			default:
				return nil, fmt.Errorf("try port %d of %s: %w", port, c.Name, err)
			}
		}
	}
	return taken, nil
}

// awaitPorts waits until the ports are free, at most for patience. A killed process leaves the list of
// processes a little before the last of its threads closes its sockets.
func awaitPorts(ctx context.Context, components []Component, patience time.Duration) {
	deadline := time.Now().Add(patience)
	for {
		taken, err := takenPorts(ctx, components)
		// A process that holds a port for longer is not ours. The next start names it.
		if err != nil || len(taken) == 0 || time.Now().After(deadline) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// portOwners maps listening TCP ports to their owners, as far as this user can see them.
func portOwners() map[int]string {
	owners := map[int]string{}
	conns, err := psnet.Connections("tcp")
	if err != nil {
		return owners
	}
	for _, c := range conns {
		if c.Status != "LISTEN" || c.Pid == 0 {
			continue
		}
		name := "?"
		if p, err := process.NewProcess(c.Pid); err == nil {
			if n, err := p.Name(); err == nil {
				name = n
			}
		}
		owners[int(c.Laddr.Port)] = fmt.Sprintf("%s (pid %d)", name, c.Pid)
	}
	return owners
}
