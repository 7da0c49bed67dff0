//go:build !race

// These tests simulate thousands of runs, which takes minutes with the race detector.

package compare

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/internal/golden"
	"firedrill/loadgen/result"
)

var update = flag.Bool("update", false, "write the tables in docs/load.md anew")

// pair is a pair of simulated runs with a known difference.
type pair struct {
	name   string
	a, b   simulation
	differ bool
}

// pairs returns the pairs of the accuracy table.
func pairs() []pair {
	base := simulation{seconds: 60, rate: 24, level: 0.15, errors: 0.01}
	with := func(s simulation, change func(*simulation)) simulation { change(&s); return s }
	depends := func(by float64) func(*simulation) { return func(s *simulation) { s.correlation = by } }
	slower := func(by float64) func(*simulation) { return func(s *simulation) { s.slower = by } }
	errors := func(share float64) func(*simulation) { return func(s *simulation) { s.errors = share } }
	none, some := base, with(base, depends(0.5))
	strong := with(base, depends(0.8))
	clean := with(base, errors(0))
	return []pair{
		{"none, seconds independent", none, none, false},
		{"none, seconds dependent (0.5)", some, some, false},
		{"none, seconds strongly dependent (0.8)", strong, strong, false},
		{"20 % slower", none, with(none, slower(1.2)), true},
		{"20 % slower, seconds dependent (0.5)", some, with(some, slower(1.2)), true},
		{"50 % slower", none, with(none, slower(1.5)), true},
		{"50 % slower, seconds dependent (0.5)", some, with(some, slower(1.5)), true},
		{"errors 0 to 0.5 %", clean, with(clean, errors(0.005)), true},
		{"errors 1 % to 5 %", none, with(none, errors(0.05)), true},
	}
}

// others are ways in which people compare two runs today. Each says whether b looks worse.
var others = []struct {
	name  string
	worse func(a, b result.Group) bool
}{
	// k6: thresholds that were set from the first run, with the margins of this package.
	{"k6 thresholds", func(a, b result.Group) bool {
		return b.Response.Quantile(0.95) > scaled(a.Response.Quantile(0.95)) || shareOf(b) > shareOf(a)+defaultErrorMargin
	}},
	// vegeta's report, read by a person who looks for changes beyond the same margins.
	{"vegeta by eye", func(a, b result.Group) bool {
		for _, q := range []float64{0.5, 0.95, 0.99} {
			if b.Response.Quantile(q) > scaled(a.Response.Quantile(q)) {
				return true
			}
		}
		return b.Response.Mean() > scaled(a.Response.Mean()) || shareOf(b) > shareOf(a)+defaultErrorMargin
	}},
	{"t-test", func(a, b result.Group) bool { return welch(a, b) > oneSided975 || proportions(a, b) > oneSided975 }},
}

// oneSided975 is the normal quantile of 97.5 %.
const oneSided975 = 1.96

func scaled(d time.Duration) time.Duration { return time.Duration(float64(d) * (1 + defaultMargin)) }

func shareOf(g result.Group) float64 { return float64(g.Failed) / float64(g.Requests) }

// welch returns the statistic of Welch's t-test for the mean response times (B. L. Welch, Biometrika 34, 1947), which
// takes requests as independent.
func welch(a, b result.Group) float64 {
	meanA, errA := meanOf(&a.Response)
	meanB, errB := meanOf(&b.Response)
	return (meanB - meanA) / math.Sqrt(errA+errB)
}

// meanOf returns the mean and the square of its standard error, in seconds.
func meanOf(h *result.Histogram) (mean, squareError float64) {
	var n, sum, squares float64
	for b := range h.Buckets() {
		v, c := (b.Low+b.High).Seconds()/2, float64(b.Count)
		n, sum, squares = n+c, sum+c*v, squares+c*v*v
	}
	mean = sum / n
	return mean, (squares/n - mean*mean) / n
}

// proportions returns the statistic of the test of two proportions.
func proportions(a, b result.Group) float64 {
	n, m := float64(a.Requests), float64(b.Requests)
	p := float64(a.Failed+b.Failed) / (n + m)
	if p == 0 {
		return 0
	}
	return (shareOf(b) - shareOf(a)) / math.Sqrt(p*(1-p)*(1/n+1/m))
}

const trials = 40

// TestAccuracyIsPublished computes how often each method finds what is there, and finds what is not, and compares the
// table with docs/load.md.
func TestAccuracyIsPublished(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "| difference | `load compare`: worse | cannot tell |")
	for _, m := range others {
		fmt.Fprintf(&table, " %s: worse |", m.name)
	}
	fmt.Fprintf(&table, "\n|%s\n", strings.Repeat(" --- |", 3+len(others)))
	for _, p := range pairs() {
		var worse, unclear int
		found := make([]int, len(others))
		for i := range uint64(trials) {
			a, b := p.a.run(1000+2*i), p.b.run(1001+2*i)
			r, err := Runs(a, b, Options{Replicates: replicates, Seed: i})
			if err != nil {
				t.Fatal(err)
			}
			switch r.Verdict {
			case Worse:
				worse++
			case Unclear:
				unclear++
			case Better, Same:
			}
			for k, m := range others {
				if m.worse(a.Total(nil), b.Total(nil)) {
					found[k]++
				}
			}
		}
		percent := func(n int) float64 { return 100 * float64(n) / trials }
		fmt.Fprintf(&table, "| %s | %.0f %% | %.0f %% |", p.name, percent(worse), percent(unclear))
		for _, n := range found {
			fmt.Fprintf(&table, " %.0f %% |", percent(n))
		}
		table.WriteString("\n")
		if !p.differ && percent(worse) > 5 {
			t.Errorf("%s: false alarms in %.0f %% of pairs", p.name, percent(worse))
		}
	}
	inDocs(t, "accuracy", table.String())
}

// TestUsefulLengthIsPublished computes how long runs must be, and compares the table with docs/load.md.
func TestUsefulLengthIsPublished(t *testing.T) {
	const seconds, runs = 120, 15
	metricNames := []string{"p50", "p95", "p99", "errors"}
	var table strings.Builder
	table.WriteString("| requests per second | seconds depend on each other | p50 | p95 | p99 | errors |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, rate := range []int{10, 25, 100} {
		for _, correlation := range []float64{0, 0.5} {
			s := simulation{seconds: seconds, rate: rate, level: 0.15, errors: 0.005, correlation: correlation}
			fmt.Fprintf(&table, "| %d | %s |", rate, map[float64]string{0: "no", 0.5: "0.5"}[correlation])
			for _, name := range metricNames {
				var lengths []time.Duration
				for i := range uint64(runs) {
					r, err := Runs(s.run(2000+2*i), s.run(2001+2*i), Options{Replicates: replicates, Seed: i, Only: []string{name}})
					if err != nil {
						t.Fatal(err)
					}
					for _, d := range r.Differences {
						if d.Scope == "all" {
							lengths = append(lengths, max(d.Run, seconds*time.Second))
						}
					}
				}
				slices.Sort(lengths)
				fmt.Fprintf(&table, " %s |", lengthText(lengths, runs, seconds*time.Second))
			}
			table.WriteString("\n")
		}
	}
	inDocs(t, "length", table.String())
}

// lengthText returns the length that suffices for half of the pairs.
func lengthText(sorted []time.Duration, all int, least time.Duration) string {
	if len(sorted) < all {
		return "too few requests"
	}
	median := sorted[len(sorted)/2]
	if median <= least {
		return "2m"
	}
	return atLeast(median)
}

// inDocs compares a table with the one between its markers in docs/load.md, or writes it there.
func inDocs(t *testing.T, name, table string) {
	t.Helper()
	const file = "../../docs/load.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- table: "+name+" -->\n", "<!-- end of table: "+name+" -->\n"
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has no place for the table %q", file, name)
	}
	golden.Check(t, file, *update, []byte(before+begin+table+end+after))
}
