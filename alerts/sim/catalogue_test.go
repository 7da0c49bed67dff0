package sim

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"firedrill/alerts/slo"
)

const good = `name: two
traffic: 100/s
background: 0.0001
incidents:
  - {name: a, start: 1d, duration: 10m, size: 1}
  - {name: b, start: 2d, duration: 2h, shape: flap, size: 0.5, on: 5m, every: 10m, traffic: 10/h}
`

func TestParseCatalogue(t *testing.T) {
	c, err := ParseCatalogue("two.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	a, b := c.Incidents[0], c.Incidents[1]
	if c.Name != "two" || c.Rate != 100 || c.Background != 0.0001 || len(c.Incidents) != 2 {
		t.Errorf("read %+v", c)
	}
	if a.Start != day || a.End() != day+10*time.Minute || a.Shape != Constant(1) || a.Rate != 100 {
		t.Errorf("read %+v", a)
	}
	if want := (Flap{Size: 0.5, On: 5 * time.Minute, Every: 10 * time.Minute}); b.Shape != want || b.Rate != 10.0/3600 {
		t.Errorf("read %+v", b)
	}
}

func TestBadCatalogues(t *testing.T) {
	for _, tc := range []struct {
		name         string
		old, with    string
		line         int
		reason, path string
	}{
		{"unknown key", "size: 1}", "size: 1, sizes: 2}", 5, `unknown key; did you mean size?`, "incidents[0].sizes"},
		{"not a whole scrape", "duration: 10m", "duration: 10s", 5, "10s: want a multiple of 15s", "incidents[0].duration"},
		{"no duration", "duration: 10m", "duration: soon", 5, `"soon" is no duration: want one like 1d6h or 45s`, "incidents[0].duration"},
		{"more than all", "size: 1}", "size: 2}", 5, "2: want a share of events, 0 to 1", "incidents[0].size"},
		{"overlap", "start: 2d", "start: 1d", 6, "a and b overlap", "incidents[1].start"},
		{"after the end", "start: 2d", "start: 30d", 6, "b lasts from 30d to 30d2h: want within the period of 30d", "incidents[1].start"},
		{"same name", "name: b", "name: a", 6, `"a" is there twice`, "incidents[1].name"},
		{"no name", "name: b, ", "", 6, "the incident has none", "incidents[1].name"},
		{"shape", "shape: flap, size: 0.5, on: 5m, every: 10m", "shape: flip, size: 0.5", 6, `"flip": want constant, ramp, wave or flap`, "incidents[1].shape"},
		{"always on", "on: 5m", "on: 10m", 6, "on 10m0s of every 10m0s: want 0 < on < every", "incidents[1].on"},
		{"traffic", "traffic: 10/h", "traffic: 10/d", 6, `"10/d" is no traffic: want events a second, minute or hour, like 100/s or 10/h`, "incidents[1].traffic"},
		{"background", "background: 0.0001", "background: 1", 3, "1: want a share of events, from 0 to below 1", "background"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.Replace(good, tc.old, tc.with, 1)
			_, err := ParseCatalogue("two.yaml", []byte(text))
			var bad *slo.SpecError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want an error with its place", err)
			}
			if bad.File != "two.yaml" || bad.Line != tc.line || bad.Key != tc.path || !strings.Contains(bad.Reason, tc.reason) {
				t.Errorf("got %v, want %s in line %d: %s", err, tc.path, tc.line, tc.reason)
			}
		})
	}
}

func TestShapes(t *testing.T) {
	for _, tc := range []struct {
		name  string
		shape Shape
		at    time.Duration
		want  float64
	}{
		{"constant", Constant(0.3), time.Hour, 0.3},
		{"half a ramp", Ramp{To: 0.02, Over: 8 * time.Hour}, 4 * time.Hour, 0.01},
		{"wave at midnight", Wave(0.1), 0, 0},
		{"wave at noon", Wave(0.1), 12 * time.Hour, 0.1},
		{"wave in the morning", Wave(0.1), 30 * time.Hour, 0.05},
		{"flap on", Flap{0.2, time.Minute, time.Hour}, 2*time.Hour + 59*time.Second, 0.2},
		{"flap off", Flap{0.2, time.Minute, time.Hour}, 2*time.Hour + time.Minute, 0},
	} {
		if got := tc.shape.At(tc.at); math.Abs(got-tc.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// Events are whole, none is lost, and each incident spends the share of the budget that the
// formulas predict.
func TestReplayCountsWholeEvents(t *testing.T) {
	c := catalogue(t)
	line := c.replay(Period, day)
	for i := 1; i < len(line.all); i++ {
		all, bad := line.all[i]-line.all[i-1], line.bad[i]-line.bad[i-1]
		if all != math.Trunc(all) || bad != math.Trunc(bad) || bad < 0 || bad > all {
			t.Fatalf("sample %d: %v bad of %v events", i, bad, all)
		}
	}
	for i, want := range map[int]float64{0: 0.2315, 2: 0.0347, 4: 0.0694, 6: 0.0583} { // the four incidents of the reference
		in := c.Incidents[i]
		if got := line.spent(Span{in.Start, in.End()}, 0.001); math.Abs(got-want) > 0.005*want {
			t.Errorf("%s spends %.4f of the budget, want %.4f", in.Name, got, want)
		}
	}
	night := c.Incidents[9]
	from, to := line.index(night.Start), line.index(night.End())
	if all, bad := line.all[to]-line.all[from], line.bad[to]-line.bad[from]; night.Name != "quiet-night" || math.Abs(all-100) > 1 || bad != 1 {
		t.Errorf("%s: %v bad of %v requests, want 1 of 100", night.Name, bad, all)
	}
}

func TestSameSeedSameMonth(t *testing.T) {
	for seed := range uint64(20) {
		a, b := Random(seed, 0.001), Random(seed, 0.001)
		end := time.Duration(0)
		for i, in := range a.Incidents {
			if in != b.Incidents[i] {
				t.Fatalf("seed %d: %+v and %+v", seed, in, b.Incidents[i])
			}
			if in.Start < end || in.End() > Period || in.Duration < Resolution || in.Duration%Resolution != 0 || in.Start%Resolution != 0 {
				t.Errorf("seed %d: %+v after %v", seed, in, end)
			}
			end = in.End()
		}
	}
	if Random(1, 0.001).Incidents[0] == Random(2, 0.001).Incidents[0] {
		t.Error("another seed gives the same month")
	}
}
