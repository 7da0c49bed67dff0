package compare

import (
	"fmt"
	"math"
	"time"
)

// Finding is what an interval says about a change.
type Finding string

// Findings.
const (
	Worse   Finding = "worse"   // the whole interval is above 0, and reaches past the margin
	Better  Finding = "better"  // the whole interval is below 0, and reaches past the margin
	Same    Finding = "same"    // the whole interval is within the margin: a change that matters is ruled out
	Unclear Finding = "unclear" // the interval has 0 and changes that matter: the runs are too short
)

// Default margins: changes that are smaller do not matter.
const (
	defaultMargin      = 0.1  // of a latency
	defaultErrorMargin = 0.01 // of the share of failed requests: one percentage point
)

// judge returns what the interval [low, high] of a change says, if changes of up to margin in both directions do not
// matter.
func judge(low, high, margin float64) Finding {
	switch {
	case low >= -margin && high <= margin: // also a change that is certain, but too small to matter
		return Same
	case low > 0:
		return Worse
	case high < 0:
		return Better
	}
	return Unclear
}

// needed returns how long a run must be for a clear finding, if the change is what was measured: the interval then
// either excludes 0 or is within the margin. Widths of intervals shrink with the root of the length. half is half the
// width of the interval in a run of the given length.
func needed(length time.Duration, change, half, margin float64) time.Duration {
	room := max(math.Abs(change), margin-math.Abs(change))
	factor := half * half / (room * room)
	const longest = 30 * 24 * time.Hour
	if wanted := factor * length.Seconds(); wanted < longest.Seconds() {
		return roundUp(time.Duration(wanted * float64(time.Second)))
	}
	return longest
}

// roundUp rounds a length up to one that people would type.
func roundUp(d time.Duration) time.Duration {
	step := time.Hour
	switch {
	case d <= 2*time.Minute:
		step = 10 * time.Second
	case d <= time.Hour:
		step = time.Minute
	case d <= 6*time.Hour:
		step = 10 * time.Minute
	}
	return (d + step - 1).Truncate(step)
}

// Verdict is the finding about all differences together: the worst of them. It is unclear if there is none.
func (r *Report) verdict() Finding {
	verdict := Unclear
	for i, d := range r.Differences {
		if i == 0 || rank(d.Finding) < rank(verdict) {
			verdict = d.Finding
		}
	}
	return verdict
}

// rank orders findings by how much they matter to the verdict.
func rank(f Finding) int {
	for i, other := range []Finding{Worse, Unclear, Better, Same} {
		if f == other {
			return i
		}
	}
	return -1
}

// Run returns how long a run must be at least for clear findings about everything that is unclear; 0 if nothing is, or
// if there is nothing to compare.
func (r *Report) Run() time.Duration {
	var longest time.Duration
	for _, d := range r.Differences {
		longest = max(longest, d.Run)
	}
	return longest
}

// atLeast formats a length for "run at least …".
func atLeast(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return fmt.Sprintf("%d days", (d+day-1)/day)
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if n := len(text) - 2; n > 0 && text[n-1:] == zero {
			text = text[:n]
		}
	}
	return text
}
