package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/fault"
	"firedrill/chaos/report"
	"firedrill/chaos/run"
)

func TestWaitBeforeADrill(t *testing.T) {
	for _, tc := range []struct {
		name      string
		series    Series
		following bool
		want      time.Duration
	}{
		{"the first", Series{}, false, 0},
		{"a following one", Series{}, true, waitFollowing},
		{"on a fresh copy", Series{Fresh: true}, true, waitFresh},
		{"as told", Series{Wait: time.Second, Fresh: true}, true, time.Second},
	} {
		if got := tc.series.wait(tc.following); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// TestRefusedDrillsDoNotStopTheOthers runs drills that a target cannot run. Each is refused, and the next is tried.
func TestRefusedDrillsDoNotStopTheOthers(t *testing.T) {
	f := folderAt(t)
	var said strings.Builder
	done := 0
	s := Series{
		Settings: Settings{Progress: &said}, Folder: f,
		Copy: func(context.Context, string) (*Target, func(), error) {
			return &Target{Folder: f, Faults: fault.Config{Admins: map[string]string{"bank": "http://127.0.0.1:1"}}}, func() { done++ }, nil
		},
	}
	drills := []*drill.Drill{
		{Name: "one", Faults: []drill.Fault{{Kind: "kill", Target: "bank"}}},
		{Name: "two", Faults: []drill.Fault{{Kind: "errors", Target: "orders"}}},
	}
	journals, refused, err := s.Each(t.Context(), drills, func(*run.Journal) error { return nil })
	if len(journals) != 0 || err != nil || !Refused(refused) {
		t.Fatalf("%d journals, refused %v, error %v", len(journals), refused, err)
	}
	for _, want := range []string{`drill "one" refused`, `drill "two" refused`} {
		if !strings.Contains(refused.Error(), want) || !strings.Contains(said.String(), want) {
			t.Errorf("%q is not told: %v\n%s", want, refused, &said)
		}
	}
	if done != 2 {
		t.Errorf("%d copies were given back, want 2", done)
	}
	if _, err := os.Stat(f.Notes); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused drill locked the copy: %v", err)
	}
}

// TestResultsAreReadAgain stores two journals and finds the later one.
func TestResultsAreReadAgain(t *testing.T) {
	f := folderAt(t)
	if _, err := f.Journals(nil); err == nil || !strings.Contains(err.Error(), "no drill has run on "+f.Data) {
		t.Errorf("without results: %v", err)
	}
	for _, name := range []string{"20260101-000000-old", "20260102-000000-new"} {
		dir := filepath.Join(f.Results(), name)
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		page := filepath.Join(t.TempDir(), "page.html")
		if err := keep(&run.Journal{Drill: name, Verdict: run.Pass}, dir, page); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{page, filepath.Join(dir, pageName)} {
			if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), name) {
				t.Errorf("%s: %v, %d bytes", file, err, len(text))
			}
		}
	}
	for _, named := range [][]string{nil, {filepath.Join(f.Results(), "20260102-000000-new")}, {filepath.Join(f.Results(), "20260102-000000-new", journalName)}} {
		all, err := f.Journals(named)
		if err != nil || len(all) != 1 || all[0].Drill != "20260102-000000-new" {
			t.Errorf("%v: %v, %v", named, all, err)
		}
	}
	kept, err := f.KeepScorecard(report.NewScorecard([]*run.Journal{{Drill: "d", Verdict: run.Pass}}), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}
