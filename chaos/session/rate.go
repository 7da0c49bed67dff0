package session

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"firedrill/chaos/drill"
	"firedrill/internal/machine"
)

// Bounds for fitting a drill's load to the machine.
const (
	// fullPower is the part of the capacity of the reference machine that is enough for the
	// full load of every drill, with a margin.
	fullPower = 0.75
	// leastShare is the minimum share of a drill's load. With less load, there would be too
	// few events to evaluate objectives.
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

// fit returns the drill with a load that the machine can carry: rate if it is not "",
// or else a share of the drill's own rate. A drill without a rate stays as it is.
func fit(d *drill.Drill, rate string, c machine.Capacity) *drill.Drill {
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

// CheckRate returns an error if rate is not a valid rate. "" is valid and means the drill's
// own rate.
func CheckRate(rate string) error {
	if rate == "" {
		return nil
	}
	parts := ratePattern.FindStringSubmatch(rate)
	if parts == nil || strings.Trim(parts[1], "0.") == "" {
		return fmt.Errorf("rate %q: want a rate greater than 0 such as 5/s or 90/m", rate)
	}
	return nil
}
