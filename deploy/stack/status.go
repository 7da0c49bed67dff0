package stack

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"firedrill/internal/wait"
)

// States of a component.
const (
	Ready    = "ready"     // its probe succeeds
	NotReady = "not ready" // its process runs, its probe fails
	Down     = "down"      // no process
)

// Status is the state of one copy.
type Status struct {
	Data       string            `json:"data"`
	Offset     int               `json:"port_offset"`
	Started    *time.Time        `json:"started,omitempty"` // nil if nothing was started
	Components []ComponentStatus `json:"components"`
	Machine    *Machine          `json:"machine,omitempty"`   // nil if it was not measured
	LoadRate   float64           `json:"load_rate,omitempty"` // of the background load, in arrivals per second; 0 without one
}

// ComponentStatus is the state of one component.
type ComponentStatus struct {
	Component
	State    string `json:"state"`
	Why      string `json:"why,omitempty"` // error of the probe if the component is not ready
	PID      int    `json:"pid,omitempty"`
	Restarts int    `json:"restarts"`
	RSSBytes uint64 `json:"rss_bytes"`
}

// Up reports whether something was started and all of it is ready.
func (s Status) Up() bool {
	for _, c := range s.Components {
		if c.State != Ready {
			return false
		}
	}
	return len(s.Components) > 0
}

// Status probes the components of the copy. It works without a supervisor, but then does not know the restarts.
func (k Stack) Status(ctx context.Context) (Status, error) {
	st, err := readState(k.Settings)
	if err != nil {
		return Status{}, err
	}
	known, rate := k.Size(st)
	if st == nil {
		return Status{Data: k.Data, Offset: k.Offset, Machine: known}, nil
	}
	// On an error the map is empty. The probes still show which components answer.
	supervised, _ := k.supervisor().processes(ctx)
	return Status{
		Data: k.Data, Offset: st.Offset, Started: &st.Started,
		Components: k.lookAll(ctx, st.Components, supervised), Machine: known, LoadRate: rate,
	}, nil
}

// lookAll probes all components at once.
func (s Settings) lookAll(ctx context.Context, components []Component, processes map[string]supervised) []ComponentStatus {
	all := make([]ComponentStatus, len(components))
	timeout := s.Machine.Patience(probeTimeout)
	var wait sync.WaitGroup
	for i, c := range components {
		wait.Go(func() { all[i] = look(ctx, c, processes[c.Name], timeout) })
	}
	wait.Wait()
	return all
}

func look(ctx context.Context, c Component, p supervised, timeout time.Duration) ComponentStatus {
	status := ComponentStatus{Component: c, State: Ready, Restarts: p.Restarts}
	if p.IsRunning && p.PID != 0 {
		status.PID = p.PID
		status.RSSBytes = rss(p.PID)
	}
	if err := wait.Probe(ctx, http.DefaultClient, c.Ready, timeout); err != nil {
		status.Why = err.Error()
		status.State = NotReady
		if !p.IsRunning {
			status.State = Down
		}
	}
	return status
}

func rss(pid int) uint64 {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return 0
	}
	memory, err := p.MemoryInfo()
	if err != nil {
		return 0
	}
	return memory.RSS
}
