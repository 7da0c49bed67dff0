package verify

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"firedrill/internal/junit"
	"firedrill/internal/term"
)

func someCells(states ...State) []Cell {
	cells := []Cell{
		{Group: "services", Row: "orders", Column: "up"}, {Group: "services", Row: "orders", Column: "logs"},
		{Group: "services", Row: "broker", Column: "up"},
		{Group: "edges", Row: "orders → bank", Column: "graph"},
		{Group: "services", Row: "late", Column: "logs"},
	}
	for i := range cells {
		cells[i].State = states[i]
	}
	return cells
}

// The table is written from the top, one whole row at a time.
func TestTableFillsRowByRow(t *testing.T) {
	const (
		head   = "services                                    up       logs\n"
		orders = "  orders                                    ok       MISSING\n"
		broker = "  broker                                    ok       -\n"
		late   = "  late                                      -        ok\n"
		edge   = "\nedges                                       graph\n  orders → bank                             ok\n"
	)
	var out bytes.Buffer
	table := NewTable(&out)
	for _, step := range []struct {
		cells []Cell
		want  string
	}{
		{someCells(Waiting, Waiting, Waiting, Waiting, Waiting), ""},
		{someCells(OK, Waiting, OK, OK, Waiting), ""},
		{someCells(OK, Missing, OK, OK, Waiting), head + orders + broker},
		{someCells(OK, Missing, OK, OK, Waiting), ""},
		{someCells(OK, Missing, OK, OK, OK), late + edge},
		{someCells(OK, Missing, OK, OK, OK), ""},
	} {
		out.Reset()
		table.Update(step.cells)
		if got := out.String(); got != step.want {
			t.Errorf("wrote\n%s, want\n%s", got, step.want)
		}
	}
}

func TestReportNamesWhatIsMissing(t *testing.T) {
	r := Report{Run: "ab12", Seconds: 1.25, Cells: []Cell{
		{Group: "services", Row: "orders", Column: "logs", State: Missing, Asked: "loki: {a=\"b\"}", Got: "no lines"},
		{Group: "services", Row: "orders", Column: "up", State: OK, Asked: "prometheus: up", Got: "1 up"},
		{Group: "links", Row: "x", Column: "holds", State: Waiting},
	}}
	var out strings.Builder
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	want := `
2 of 3 cells are missing, after 1.2 s:

services / orders / logs
  asked  loki: {a="b"}
  got    no lines

links / x / holds
  asked  nothing
  got    
`
	if out.String() != want {
		t.Errorf("wrote\n%s, want\n%s", out.String(), want)
	}

	out.Reset()
	good := Report{OK: true, Order: "4bf9", Seconds: 2, Cells: r.Cells[1:2]}
	if err := good.WriteText(&out); err != nil || out.String() != "\nAll 1 cells hold, after 2.0 s. The order's trace is 4bf9.\n" {
		t.Errorf("wrote %q, %v", out.String(), err)
	}
}

// The JSON has the same content as the table.
func TestReportAsJSON(t *testing.T) {
	verified(t, nil, func(t *testing.T, r Report) {
		var out bytes.Buffer
		if err := r.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		var back Report
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("JSON gives %+v, %v", back, err)
		}
		for _, key := range []string{`"ok": true`, `"order_trace": "`, `"state": "ok"`, `"row": "gateway → orders"`} {
			if !strings.Contains(out.String(), key) {
				t.Errorf("JSON lacks %s", key)
			}
		}
	})
}

func TestProgress(t *testing.T) {
	cells := someCells(OK, Waiting, OK, Waiting, OK)
	synctest.Test(t, func(t *testing.T) {
		var plain, drawn strings.Builder
		quiet, live := NewProgress(term.New(&plain, os.Getenv)), NewProgress(term.Terminal(&drawn, true, func() int { return 100 }))
		for range 12 { // 12 s
			time.Sleep(time.Second)
			quiet.Update("asking", cells)
		}
		const line = " 5 s, asking: 3 of 5 cells decided; waiting for services / orders / logs\n"
		if got, want := plain.String(), " "+line+strings.Replace(line, " 5", " 10", 1); got != want {
			t.Errorf("no terminal: wrote\n%q, want\n%q", got, want)
		}
		live.Update("asking "+strings.Repeat("x", 200), cells)
		live.Clear()
		live.Clear()
		if got := drawn.String(); strings.Count(got, "\r\033[K") != 2 || strings.Contains(got, "\n") || len([]rune(got)) > 110 {
			t.Errorf("terminal: wrote %q", got)
		}
	})
}

// The observer sees each cell become decided, and never undecided again.
func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		decided := map[string]bool{}
		var stages []string
		w := newWorld()
		r, err := Run(t.Context(), w.config(), func(stage string, cells []Cell) {
			if len(stages) == 0 || stages[len(stages)-1] != stage {
				stages = append(stages, stage)
			}
			for _, c := range cells {
				if decided[c.Name()] && c.State == Waiting {
					t.Errorf("%s is %s again", c.Name(), c.State)
				}
				decided[c.Name()] = decided[c.Name()] || c.State != Waiting
			}
		})
		if err != nil || !r.OK || len(decided) != len(r.Cells) {
			t.Errorf("OK %v, %v, %d cells seen of %d", r.OK, err, len(decided), len(r.Cells))
		}
		if len(stages) != len(steps())+2 {
			t.Errorf("stages %q", stages)
		}
	})
}

func TestSuite(t *testing.T) {
	cells := []Cell{
		{Group: "services", Row: "orders", Column: "up", State: OK},
		{Group: "services", Row: "orders", Column: "logs", State: Missing, Asked: "loki: {}", Got: "no lines"},
		{Group: "links", Row: "x", Column: "holds", State: Waiting},
	}
	slow := &Machine{Asked: 10, Slowest: 5, StrainedShare: 0.9, WorstWait: 1}
	for _, tc := range []struct {
		name    string
		machine *Machine
		want    []junit.Outcome
	}{
		{"the machine kept up", nil, []junit.Outcome{junit.Passed, junit.Failed, junit.Error}},
		{"the machine did not keep up", slow, []junit.Outcome{junit.Passed, junit.Error, junit.Error}},
	} {
		s := Report{Seconds: 12, Cells: cells, Machine: tc.machine}.Suite()
		var got []junit.Outcome
		for _, c := range s.Cases {
			got = append(got, c.Outcome)
			if c.Outcome != junit.Passed && c.Text == "" {
				t.Errorf("%s: %s has no reason", tc.name, c.Name)
			}
		}
		if !reflect.DeepEqual(got, tc.want) || s.Cases[1].Name != "services / orders / logs" {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}
