package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"

	"firedrill/chaos"
	"firedrill/internal/machine"
)

// Bounds of how a drill's load is fitted to the machine.
const (
	// fullPower is the part of the reference machine that carries every drill as its file has it, with a margin.
	fullPower = 0.75
	// leastShare is the least share of a drill's load. With less, objectives would have too few events to judge by.
	leastShare = 0.5
)

// loadShare returns the share of a drill's load that a machine can carry with a margin.
func loadShare(c machine.Capacity) float64 {
	if !(c.Power() > 0) {
		return 1
	}
	return min(max(leastShare, c.Power()/fullPower), 1)
}

var ratePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)/([smh])$`)

// fit returns the drill with a load that the machine can carry: rate, if it is not "", or else a share of the drill's own
// rate. Drills without a rate of their own stay as they are.
func fit(d *chaos.Drill, rate string, c machine.Capacity) *chaos.Drill {
	if d.Load.Profile == "" || d.Load.Rate == "" && rate == "" {
		return d
	}
	out := *d
	if rate != "" {
		out.Load.Rate = rate
		return &out
	}
	parts := ratePattern.FindStringSubmatch(d.Load.Rate)
	if parts == nil {
		return d
	}
	n, err := strconv.ParseFloat(parts[1], 64)
	if err != nil {
		return d
	}
	n = max(math.Round(n*loadShare(c)*10)/10, 0.1)
	out.Load.Rate = strconv.FormatFloat(n, 'f', -1, 64) + "/" + parts[2]
	return &out
}

// checkRate refuses a rate that no load could have.
func checkRate(rate string) error {
	if rate == "" {
		return nil
	}
	parts := ratePattern.FindStringSubmatch(rate)
	if parts == nil || strings.Trim(parts[1], "0.") == "" {
		return fmt.Errorf("%w: --rate %q: want a rate greater than 0 such as 5/s or 90/m", errUsage, rate)
	}
	return nil
}

// fitted returns the drill with a load for this machine, and says so.
func (r *drillRunner) fitted(ctx context.Context, d *chaos.Drill) (*chaos.Drill, error) {
	if err := os.MkdirAll(r.target.Data, 0o750); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	capacity, err := machine.Of(ctx, r.target.Data)
	if err != nil {
		return nil, err
	}
	out := fit(d, r.rate, capacity)
	if out.Load.Rate != d.Load.Rate {
		fmt.Fprintf(r.p.stderr, "This machine: %s. The load is %s instead of %s.\n", capacity, out.Load.Rate, d.Load.Rate)
	}
	return out, nil
}
