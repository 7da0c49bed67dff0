package compare

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/loadgen/result"
)

func TestJudge(t *testing.T) {
	for _, tc := range []struct {
		name      string
		low, high float64
		want      Finding
	}{
		{"all above 0", 0.01, 0.3, Worse},
		{"all below 0", -0.3, -0.01, Better},
		{"within the margin", -0.05, 0.09, Same},
		{"certain, and too small to matter", 0.01, 0.03, Same},
		{"certain, small and better", -0.03, -0.01, Same},
		{"nothing at all", 0, 0, Same},
		{"reaches past the margin", -0.05, 0.11, Unclear},
		{"reaches past the margin below", -0.11, 0.05, Unclear},
		{"spans everything", -0.99, 1725, Unclear},
		{"not a number", math.NaN(), math.NaN(), Unclear},
	} {
		if got := judge(tc.low, tc.high, 0.1); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestNeeded(t *testing.T) {
	for _, tc := range []struct {
		name                 string
		change, half, margin float64
		want                 time.Duration
	}{
		{"twice as wide as the margin", 0, 0.2, 0.1, 4 * time.Minute},
		{"a change as large as the interval", 0.2, 0.2, 0.1, time.Minute},
		{"a change at half the margin", 0.05, 0.1, 0.1, 4 * time.Minute},
		{"hopeless", 0, 1e6, 0.1, 30 * 24 * time.Hour},
	} {
		if got := needed(time.Minute, tc.change, tc.half, tc.margin); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	for d, want := range map[time.Duration]string{
		50 * time.Second: "50s", 4 * time.Minute: "4m", 90 * time.Minute: "1h30m", 2 * time.Hour: "2h", 10 * time.Minute: "10m", 100 * time.Hour: "5 days",
	} {
		if got := atLeast(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// clustered returns a run in which errors come in one cluster of seconds.
func clustered(seed uint64, errors int) *result.Result {
	s := simulation{seconds: 60, rate: 10, level: 0.1}
	r := s.run(seed)
	for i := range r.Timeline.Series {
		slots := r.Timeline.Series[i].Slots
		for k := 20; k < len(slots) && errors > 0; k++ {
			n := min(uint64(errors), slots[k].Due)
			slots[k].Failed += n
			errors -= int(n)
		}
	}
	return r
}

// Errors that come in a cluster of a few seconds may be chance, but they are no agreement.
func TestAClusterOfErrorsIsNoAgreement(t *testing.T) {
	r, err := Runs(clustered(1, 0), clustered(2, 32), Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(r.Differences, func(d Difference) bool { return d.Scope == "all" && d.Metric == "errors" })
	if d := r.Differences[at]; d.Finding != Unclear || d.Run <= time.Minute || r.Verdict == Same || r.Verdict == Better {
		t.Errorf("errors %+v, verdict %s: want unclear, and a longer run", d, r.Verdict)
	}
	var text strings.Builder
	if err := r.Text(&text); err != nil || strings.Contains(text.String(), "agree") || !strings.Contains(text.String(), "cannot tell") {
		t.Errorf("%v: says\n%s", err, &text)
	}
}

func TestAScenarioOfOneRunIsNamed(t *testing.T) {
	a, b := services["independent seconds"].run(1), services["independent seconds"].run(2)
	b.Groups = slices.DeleteFunc(b.Groups, func(g result.Group) bool { return g.Scenario == "order" })
	r, err := Runs(a, b, Options{Replicates: 50})
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(r.Notes, "\n"); !strings.Contains(all, "scenario order: only run a has requests of it") {
		t.Errorf("notes\n%s", all)
	}
}

func TestOnlySomeMetrics(t *testing.T) {
	a, b := services["independent seconds"].run(1), services["independent seconds"].run(2)
	r, err := Runs(a, b, Options{Replicates: 50, Only: []string{"p50"}})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Metric != "p50" }) || len(r.Differences) == 0 {
		t.Errorf("%+v", r.Differences)
	}
	for _, bad := range []Options{{Only: []string{"p42"}}, {Margin: -1}, {ErrorMargin: 2}, {Margin: math.NaN()}} {
		if _, err := Runs(a, b, bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
