package run_test

import (
	"slices"
	"testing"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
)

// instrumented returns a drill that expects something of every signal, and a world that
// shows it.
func instrumented() (*world, *drill.Drill) {
	w, d := newWorld(), outage()
	d.Expect.Metrics = []drill.MetricExpectation{{Name: "errors", PromQL: "errors", During: &drill.Comparison{Op: "<", Bound: 1}}}
	d.Expect.Logs = []drill.LogExpectation{{Name: "lines", LogQL: "lines", Is: drill.Comparison{Op: "<", Bound: 1}}}
	d.Expect.Logs[0].Is = drill.Comparison{Op: ">=", Bound: 2}
	w.value = func(q drill.Query) float64 {
		switch {
		case q.Text == "lines" && !w.well():
			return 5
		case w.well():
			return 1
		}
		return 0
	}
	return w, d
}

// TestMutantsAreKilled removes each thing that a drill must notice from a run that passed. The run
// must then fail.
func TestMutantsAreKilled(t *testing.T) {
	w, d := instrumented()
	j, err := perform(t, w, d)
	if err != nil || j.Verdict != run.Pass {
		t.Fatalf("the run itself: %v, %v", j, err)
	}
	mutants, err := run.Mutants(j, d)
	if err != nil {
		t.Fatal(err)
	}
	var done []string
	for _, m := range mutants {
		done = append(done, m.Change)
		if !m.Killed() || m.Reason == "" || m.Drill != d.Name {
			t.Errorf("%s: %+v, want a failure with a reason", m.Change, m)
		}
	}
	want := []string{"the alert Burn page is removed", "the metrics are dropped", "the logs are dropped", "another alert fires"}
	if !slices.Equal(done, want) {
		t.Errorf("changes %q, want %q", done, want)
	}
	if j.Verdict != run.Pass || len(j.Alerts) != 1 {
		t.Error("the journal of the run was changed")
	}
}

func TestMutantsOfARunThatDidNotPass(t *testing.T) {
	w, d := instrumented()
	j, err := perform(t, w, d)
	if err != nil {
		t.Fatal(err)
	}
	j.Verdict = run.Fail
	if _, err := run.Mutants(j, d); err == nil {
		t.Error("mutants of a run that failed are made")
	}
	other := *d
	other.Name = "other"
	j.Verdict = run.Pass
	if _, err := run.Mutants(j, &other); err == nil {
		t.Error("mutants of another drill's run are made")
	}
}

// TestAFaultThatIsSwitchedOff checks that a drill whose fault is switched off fails.
func TestAFaultThatIsSwitchedOff(t *testing.T) {
	w, d := instrumented()
	j, err := perform(t, w, d, func(c *run.Config) { c.Injector = run.Idle(c.Injector) })
	if err != nil {
		t.Fatal(err)
	}
	if m := run.NewMutant(j, run.ChangeFaultOff); !m.Killed() {
		t.Errorf("%+v, want a failure", m)
	}
	if w.broken() {
		t.Error("a fault began")
	}
}
