package sim

import (
	"reflect"
	"testing"
	"time"
)

const incidents = "../incidents/month.yaml"

func catalogue(t *testing.T) Catalogue {
	t.Helper()
	c, err := LoadCatalogue(incidents)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sets(t *testing.T) []RuleSet {
	t.Helper()
	all, err := Sets()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEnginesAgreeOnTheCatalogue does the same for the whole catalogue. It does not run with the
// race detector.
func TestEnginesAgreeOnEightHours(t *testing.T) {
	c := catalogue(t)
	c.Incidents = c.Incidents[:1]
	c.Incidents[0].Start = 30 * time.Minute
	agree(t, c, Options{length: 8 * time.Hour})
}

func agree(t *testing.T, c Catalogue, o Options) []Result {
	t.Helper()
	o.Quick = true
	quick, err := Replay(t.Context(), c, sets(t), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Quick, o.Prove = false, true
	full, err := Replay(t.Context(), c, sets(t), o)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range full.Results {
		fired := 0
		for severity, spans := range r.Fires {
			fired += len(spans)
			if want := quick.Results[i].Fires[severity]; !reflect.DeepEqual(spans, want) {
				t.Errorf("%s, %s: range queries fire at %v, the arithmetic at %v", r.Set.Name, severity, spans, want)
			}
		}
		for _, d := range r.Proof.Differences {
			t.Errorf("%s: %s", r.Set.Name, d)
		}
		if p := *r.Proof; r.Set.Name != "book-3" && (fired == 0 || p.Evaluations < 10 || p.Samples < 10 || p.States < 10) {
			t.Errorf("%s: %d alerts and a proof of %+v: that proves nothing", r.Set.Name, fired, p)
		}
	}
	return full.Results
}

// published checks the reference figures, which come from a replay in plain Go with samples every
// 15 s.
func published(t *testing.T, results []Result) {
	t.Helper()
	const missed = -1
	for _, tc := range []struct {
		set, incident    string
		detection, reset time.Duration
	}{
		{"book-4", "outage-10m", 2*time.Minute + 15*time.Second, 57*time.Minute + 45*time.Second},
		{"book-4", "errors-15%-10m", missed, 0},
		{"book-4", "errors-5%-1h", 43*time.Minute + 15*time.Second, 16*time.Minute + 45*time.Second},
		{"book-4", "errors-0.7%-6h", missed, 0},
		{"book-6", "outage-10m", time.Minute, 29*time.Minute + 45*time.Second},
		{"book-6", "errors-15%-10m", 5*time.Minute + 45*time.Second, 4*time.Minute + 30*time.Second},
		{"book-6", "errors-5%-1h", 17*time.Minute + 15*time.Second, 26*time.Minute + 15*time.Second},
		{"book-6", "errors-0.7%-6h", 5*time.Hour + 8*time.Minute + 15*time.Second, 4*time.Minute + 30*time.Second},
	} {
		got := outcomeOf(t, results, tc.set, tc.incident).Page
		if want := (Notice{Fires: tc.detection != missed, Detection: max(tc.detection, 0), Reset: tc.reset}); got.Fires != want.Fires ||
			got.Detection != want.Detection || got.Reset != want.Reset {
			t.Errorf("%s on %s: %+v, want %+v", tc.set, tc.incident, got, want)
		}
	}
}

func outcomeOf(t *testing.T, results []Result, set, incident string) Outcome {
	t.Helper()
	for _, r := range results {
		for _, o := range r.Judgement.Incidents {
			if r.Set.Name == set && o.Incident == incident {
				return o
			}
		}
	}
	t.Fatalf("no result of %s on %s", set, incident)
	return Outcome{}
}
