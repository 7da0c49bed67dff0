package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// row has the measurements of a tool, as medians over the runs.
type row struct {
	Tool string `json:"tool"`
	Note string `json:"note,omitempty"`
	// MaxRate and CPU are measured at full speed. MaxRate is the rate that the server received, in requests a second; CPU is
	// the tool's CPU time of a request, in µs.
	MaxRate float64 `json:"max_rate"`
	CPU     float64 `json:"cpu_us_per_request"`
	// RateError is the relative error of the rate that the server received at 2,000/s; nil for a tool that cannot send at
	// a rate.
	RateError *float64 `json:"rate_error"`
	PacedCPU  *float64 `json:"cpu_us_per_request_at_2000"`
	// P95 and P99 are the latencies, in ms, that the tool reports with the stall; Sent is
	// how many of 18,000 requests it sent.
	P95  float64 `json:"stall_p95_ms"`
	P99  float64 `json:"stall_p99_ms"`
	Sent int64   `json:"stall_sent"`
}

// outcome is the outcome of one run of a tool.
type outcome struct {
	claim
	arrivals
	cpu time.Duration
}

// kind is a kind of measurement.
type kind struct {
	name   string
	rate   int
	length time.Duration
	stalls bool
}

// measure runs all tools in turn, several times, so that a busy minute of the machine affects all of them.
func measure(ctx context.Context, s settings, tools []tool, progress io.Writer) ([]row, error) {
	kinds := []kind{
		{"full speed", 0, s.length, false}, {"2,000/s", pacedRate, pacedLength, false}, {"stall", pacedRate, pacedLength, true},
	}
	outcomes := map[string][]outcome{}
	for i := range s.runs {
		for _, k := range kinds {
			for _, t := range tools {
				if k.rate > 0 && !t.paced && !k.stalls {
					continue
				}
				fmt.Fprintf(progress, "run %d of %d, %s: %s\n", i+1, s.runs, k.name, t.name)
				o, err := once(ctx, t, k)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", t.name, k.name, err)
				}
				outcomes[t.name+k.name] = append(outcomes[t.name+k.name], o)
			}
		}
	}
	var rows []row
	for _, t := range tools {
		rows = append(rows, summarize(t, outcomes[t.name+kinds[0].name], outcomes[t.name+kinds[1].name], outcomes[t.name+kinds[2].name]))
	}
	return rows, nil
}

func summarize(t tool, full, paced, stalled []outcome) row {
	cpu := func(o outcome) float64 { return float64(o.cpu.Microseconds()) / float64(o.Count) }
	r := row{
		Tool: t.name, Note: t.note,
		MaxRate: median(full, func(o outcome) float64 { return o.rate() }), CPU: median(full, cpu),
		P95:  median(stalled, func(o outcome) float64 { return o.p95.Seconds() * 1000 }),
		P99:  median(stalled, func(o outcome) float64 { return o.p99.Seconds() * 1000 }),
		Sent: int64(median(stalled, func(o outcome) float64 { return float64(o.Count) })),
	}
	if len(paced) > 0 {
		rateError := median(paced, func(o outcome) float64 { return o.rate()/pacedRate - 1 })
		atRate := median(paced, cpu)
		r.RateError, r.PacedCPU = &rateError, &atRate
	}
	return r
}

func median(list []outcome, of func(outcome) float64) float64 {
	var values []float64
	for _, o := range list {
		values = append(values, of(o))
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// once runs a tool against a new server.
func once(ctx context.Context, t tool, k kind) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, k.length+time.Minute)
	defer cancel()
	folder, err := os.MkdirTemp("", "firedrill-bench-load-")
	if err != nil {
		return outcome{}, err
	}
	defer os.RemoveAll(folder)
	server, err := startServer(ctx)
	if err != nil {
		return outcome{}, err
	}
	defer server.stop()
	j := job{server.url + "/", k.rate, k.length, folder}
	if err := os.WriteFile(folder+"/targets", []byte("GET "+j.url+"\n"), 0o600); err != nil {
		return outcome{}, err
	}
	if k.stalls {
		go server.stopFor(ctx, stallAt, stall)
	}
	var o outcome
	var output []byte
	for _, step := range t.steps(j) {
		var used time.Duration
		if output, used, err = execute(ctx, step, t.exits); err != nil {
			return outcome{}, err
		}
		o.cpu += used
	}
	if o.claim, err = t.read(j, output); err != nil {
		return outcome{}, fmt.Errorf("read what %s printed: %w", t.name, err)
	}
	o.arrivals, err = server.arrived(ctx)
	if err == nil && o.Count == 0 {
		err = errors.New("nothing arrived")
	}
	return o, err
}

// execute runs a command. It returns the command's output and CPU time. Exit codes in exits
// are no error.
func execute(ctx context.Context, command []string, exits []int) ([]byte, time.Duration, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) && slices.Contains(exits, failed.ExitCode()) {
		err = nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, stderr.Bytes())
	}
	return stdout.Bytes(), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}
