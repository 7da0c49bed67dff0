package stack

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/process"

	"firedrill/internal/wait"
)

// Measurement holds what it costs to start, run idle and stop a copy on this machine.
type Measurement struct {
	Load      float64            `json:"load_before"`  // 1-minute load average of the machine before the measurement: the work of others
	Up        []float64          `json:"up_seconds"`   // of each cycle, until all components are ready
	Down      []float64          `json:"down_seconds"` // of each cycle
	Leftovers int                `json:"leftovers"`    // processes that survived a down, in all cycles
	IdleFor   float64            `json:"idle_seconds"` // how long the idle copy was observed
	CPU       float64            `json:"idle_cores"`   // CPU seconds per second of all processes
	RSS       map[string]float64 `json:"idle_rss_mib"` // by component, at the end of that time
	PSS       float64            `json:"idle_pss_mib"` // of all processes, with shared pages counted once; 0 if unknown
}

// TotalRSS returns the resident memory of all components in MiB. Pages that processes share are counted for
// each of them.
func (m Measurement) TotalRSS() float64 {
	sum := 0.0
	for _, mib := range m.RSS {
		sum += mib
	}
	return sum
}

// Median returns the median of values, which must not be empty.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Measure starts and stops the copy cycles times. Then it deletes the data, starts the copy again, lets it
// settle for the time idle, and observes it for the same time. It calls tell after each step. Afterwards the
// data of the copy is deleted.
func (k Stack) Measure(ctx context.Context, cycles int, idle time.Duration, tell func(string)) (Measurement, error) {
	var m Measurement
	if average, err := load.AvgWithContext(ctx); err == nil {
		m.Load = average.Load1
	}
	for n := range cycles {
		up, err := timed(func() error { _, err := k.Up(ctx); return err })
		if err != nil {
			return m, fmt.Errorf("cycle %d: %w", n+1, err)
		}
		down, err := timed(func() error { _, err := k.Down(ctx); return err })
		if err != nil {
			return m, fmt.Errorf("cycle %d: %w", n+1, err)
		}
		left, err := k.members()
		if err != nil {
			return m, err
		}
		m.Up, m.Down, m.Leftovers = append(m.Up, up), append(m.Down, down), m.Leftovers+len(left.own)
		tell(fmt.Sprintf("cycle %d of %d: up %.2f s, down %.2f s, %d left", n+1, cycles, up, down, len(left.own)))
	}
	return m, k.measureIdle(ctx, idle, &m, tell)
}

func timed(do func() error) (seconds float64, err error) {
	begin := time.Now()
	err = do()
	return time.Since(begin).Seconds(), err
}

// measureIdle measures what a copy without requests uses, and stores it in m.
func (k Stack) measureIdle(ctx context.Context, idle time.Duration, m *Measurement, tell func(string)) error {
	if err := k.Reset(ctx); err != nil {
		return err
	}
	defer func() { _ = k.Reset(context.WithoutCancel(ctx)) }() // best effort after an error
	k.Load = false                                             // an idle copy has no load
	if _, err := k.Up(ctx); err != nil {
		return err
	}
	tell(fmt.Sprintf("idle: settling for %s, then watching as long", idle))
	if !wait.Sleep(ctx, idle) {
		return context.Cause(ctx)
	}
	found, err := k.members()
	if err != nil {
		return err
	}
	var watched []*process.Process
	for _, p := range found.own {
		watched = append(watched, &process.Process{Pid: int32(p.PID)})
	}
	before, begin := cpuSeconds(watched), time.Now()
	if !wait.Sleep(ctx, idle) {
		return context.Cause(ctx)
	}
	m.IdleFor = time.Since(begin).Seconds()
	m.CPU = (cpuSeconds(watched) - before) / m.IdleFor
	m.RSS, m.PSS = memory(watched)
	return k.Reset(ctx)
}

func cpuSeconds(processes []*process.Process) float64 {
	sum := 0.0
	for _, p := range processes {
		if t, err := p.Times(); err == nil {
			sum += t.User + t.System
		}
	}
	return sum
}

// memory returns the resident memory in MiB by component name, and the proportional memory of all processes in
// MiB.
func memory(processes []*process.Process) (rssMiB map[string]float64, pssMiB float64) {
	rssMiB = map[string]float64{}
	for _, p := range processes {
		if info, err := p.MemoryInfo(); err == nil {
			rssMiB[componentName(p)] += float64(info.RSS) / (1 << 20)
		}
		pssMiB += proportional(p.Pid) / (1 << 10)
	}
	return rssMiB, pssMiB
}

// proportional returns a process's memory in KiB, with shared pages divided among the processes that share
// them. It returns 0 where the system is not Linux or the process cannot be read. gopsutil has this figure too,
// but code that uses it compiles only on Linux.
func proportional(pid int32) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Pss:" {
			kib, _ := strconv.ParseFloat(fields[1], 64)
			return kib
		}
	}
	return 0
}

// componentName returns the service's name for processes of the shop, and the program's name for others.
func componentName(p *process.Process) string {
	name, err := p.Name()
	if err != nil {
		return "?"
	}
	if args, err := p.CmdlineSlice(); err == nil && len(args) > 1 && (name == "shop" || name == "firedrill") {
		return args[1]
	}
	return name
}
