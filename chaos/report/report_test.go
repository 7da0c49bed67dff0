package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/report"
	"firedrill/chaos/run"
	"firedrill/internal/golden"
	"firedrill/internal/junit"
)

var update = flag.Bool("update", false, "write golden files")

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

func secs(s float64) *run.Seconds {
	v := run.Seconds(s * float64(time.Second))
	return &v
}

// failed returns the journal of a drill in which most expectations were met.
func failed() *run.Journal {
	low, high := 0.0, 12.0
	bad := run.Line{Name: "payments availability"}
	flat := run.Line{Name: "catalog browsing-latency"}
	for i := range 110 {
		v := 0.0
		if i > 21 && i < 55 {
			v = 0.8
		}
		bad.Points = append(bad.Points, run.Point{At: at(float64(i)), Value: v})
		flat.Points = append(flat.Points, run.Point{At: at(float64(i)), Value: 0.0001})
	}
	return &run.Journal{
		Drill: "payments-fail", Title: "Payments <fail>", Story: "Customers & shops cannot pay.", Scale: 60, Seed: 7,
		Answer: &drill.Answer{Service: "payments", Fault: "errors", Because: "Its spans fail."}, Runbook: "docs/runbooks/PaymentsAvailabilityBurn.md",
		Start: start, End: at(110),
		Phases: []run.Phase{
			{Name: run.PhasePreflight, From: start, To: at(0.1)}, {Name: run.PhaseWarmUp, From: at(0.1), To: at(20)},
			{Name: run.PhaseFaults, From: at(20), To: at(50)}, {Name: run.PhaseRecovery, From: at(50), To: at(109)},
			{Name: run.PhaseRollback, From: at(109), To: at(110)},
		},
		Verdict: run.Fail, Reasons: []string{"log payments says so: the value came no closer than 0, want >= 1 (before: 0)"},
		Checks: []run.Check{
			{Signal: run.SignalFault, Name: "errors on payments", Outcome: run.Passed, Detail: "on for 30s, then undone"},
			{Signal: run.SignalAlert, Name: "PaymentsAvailabilityBurn page", Outcome: run.Passed, Detail: "fired after 9.5s, resolved 25s after the fault", After: secs(9.5), Resolved: secs(25),
				Predicted: &run.Prediction{Fires: true, Detection: *secs(8.6), Reset: *secs(24), Slack: *secs(2), Ratio: 0.8}},
			{Signal: run.SignalTrace, Name: "payments fails", Outcome: run.Passed, Detail: "3 after 4s (before: 0), trace 0af7651916cd43dd8448eb211c80319c", After: secs(4)},
			{Signal: run.SignalLog, Name: "payments says so", Outcome: run.Failed, Detail: "the value came no closer than 0, want >= 1 (before: 0)"},
			{Signal: run.SignalProbe, Name: "no order is lost", Outcome: run.Unknown, Detail: "cannot tell: no answer: no data"},
		},
		Load:   run.LoadRun{Profile: "steady", Rate: "20/s", Began: at(0.2), Ended: at(109), LoadResult: run.LoadResult{Requests: 2000, Failed: 130}},
		Faults: []run.FaultRun{{Kind: "errors", Target: "payments", Params: map[string]any{"ratio": 0.8}, At: 0, For: *secs(30), Began: at(20), Ended: at(50)}},
		Alerts: []run.AlertRun{
			{Labels: map[string]string{"alertname": "PaymentsAvailabilityBurn", "severity": "page"}, Expected: true, Episodes: []run.Episode{{Firing: at(29.5), Resolved: at(75)}}, Told: []time.Time{at(33)}, ToldOver: []time.Time{at(80)}},
			{Labels: map[string]string{"alertname": "PaymentsAvailabilityBurn", "severity": "ticket"}, Episodes: []run.Episode{{Firing: at(45)}}},
			{Labels: map[string]string{"alertname": "TargetDown", "severity": "ticket"}, Episodes: []run.Episode{{Pending: at(31), Resolved: at(36)}}},
		},
		Blind: []run.Gap{{From: at(60), To: at(63), Why: "connection refused"}},
		Sights: []run.Sight{
			{Signal: run.SignalTrace, Name: "payments fails", Query: "{ status = error }", Want: "a trace with 1 of payments", Before: &low, During: &high, Seen: at(24), TraceID: "0af7651916cd43dd8448eb211c80319c", Link: "http://127.0.0.1:3200/api/traces/0af7651916cd43dd8448eb211c80319c"},
			{Signal: run.SignalLog, Name: "payments says so", Query: `{service_name="payments"}`, Want: ">= 1", Before: &low, During: &low},
		},
		Charts: []run.Chart{{Title: "Bad events", Unit: "%", Lines: []run.Line{flat, bad}}, {Title: "Budget", Error: "connection refused"}},
		Events: []run.Event{{At: at(20), Kind: run.EventFault, State: run.StateBegan, Text: "errors on payments"}},
	}
}

func render(t *testing.T, write func(io.Writer, *run.Journal) error, j *run.Journal) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, j); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	golden.Check(t, "testdata/failed.txt", *update, []byte(render(t, report.Text, failed())))
}

func TestJUnit(t *testing.T) {
	aborted := failed()
	aborted.Drill, aborted.Checks = "cut-short", nil
	aborted.Stopped = &run.Stop{Phase: run.PhaseFaults, Verdict: run.Aborted, Reason: "Ctrl-C"}
	var b bytes.Buffer
	if err := junit.Write(&b, report.Suites(nil, failed(), aborted)...); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/junit.xml", *update, b.Bytes())
}

func TestJournalSurvivesItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.json")
	if err := os.WriteFile(path, []byte(render(t, report.JSON, failed())), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := report.Read(path)
	if err != nil || !reflect.DeepEqual(got, failed()) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, failed())
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := report.Read(path); err == nil {
		t.Error("something else was read as a journal")
	}
}

var (
	bar = regexp.MustCompile(`<rect class="(\w+)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="[\d.]+" rx="2"><title>([^<]*)</title>`)
	ext = regexp.MustCompile(`(?i)<script|<link|src=|@import|url\(`)
)

func TestHTML(t *testing.T) {
	page := render(t, report.HTML, failed())
	if *update { // write the page, for people
		if err := os.WriteFile("testdata/failed.html", []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if found := ext.FindString(page); found != "" {
		t.Errorf("the page needs %q", found)
	}
	if strings.Contains(page, "<fail>") || !strings.Contains(page, "Payments &lt;fail&gt;") {
		t.Error("text is not escaped")
	}
	if err := wellFormed(page[strings.Index(page, "<svg viewBox=\"0 0 1000"):strings.Index(page, "<figcaption")]); err != nil {
		t.Errorf("the timeline is no XML: %v", err)
	}
	var bars []string
	for _, m := range bar.FindAllStringSubmatch(page, -1) {
		bars = append(bars, m[1]+" "+m[2]+"+"+m[3]+" "+m[4])
	}
	// The drill's 110 s take 740 px, from 230 px on.
	want := []string{
		"load 231.3+731.9 steady at 20/s",
		"fault 364.5+201.8 errors on payments, 30s",
		"page 428.5+306.1 PaymentsAvailabilityBurn page fires from 00:29",
		"predicted 422.4+13.5 predicted to fire at 00:28",
		"pending 438.5+33.6 TargetDown ticket pending from 00:31",
		"ticket 532.7+437.3 PaymentsAvailabilityBurn ticket fires from 00:45",
		"blind 633.6+20.2 connection refused",
	}
	if !reflect.DeepEqual(bars, want) {
		t.Errorf("bars\n%s\nwant\n%s", strings.Join(bars, "\n"), strings.Join(want, "\n"))
	}
	for _, want := range []string{
		`<a href="http://127.0.0.1:3200/api/traces/0af7651916cd43dd8448eb211c80319c">`, "<title>notified at 00:33</title>", "<title>notified that it is over at 01:20</title>",
		"1 more that hardly changed", "no data: connection refused", "80 %", "8.6s + 2s", `<td class="n">12</td>`, "<b>errors</b> on <b>payments</b>. Its spans fail.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func wellFormed(text string) error {
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestHTMLOfNearlyNothing checks the page of a drill that ended early.
func TestHTMLOfNearlyNothing(t *testing.T) {
	j := &run.Journal{Drill: "d", Title: "d", Start: start, End: start, Verdict: run.Aborted, Phases: []run.Phase{{Name: run.PhasePreflight, From: start, To: start}}}
	if page := render(t, report.HTML, j); strings.Contains(page, "NaN") || !strings.Contains(page, "Aborted") {
		t.Error(page)
	}
}

func TestLive(t *testing.T) {
	events := []run.Event{
		{At: start, Kind: run.EventPhase, State: run.StateBegan, Text: "faults"},
		{At: at(0.5), Kind: run.EventFault, State: run.StateBegan, Text: "errors on payments"},
		{At: at(65), Kind: run.EventAlert, State: run.StateFiring, Text: "Burn page"},
	}
	for mystery, want := range map[bool]string{
		false: "00:00  phase         began           faults\n00:00  fault         began           errors on payments\n01:05  alert         firing          Burn page\n",
		true:  "01:05  alert         firing          Burn page\n",
	} {
		var b bytes.Buffer
		live := report.NewLive(&b, report.Display{Secret: mystery})
		for _, e := range events {
			live.Observe(e)
		}
		live.Close()
		if b.String() != want {
			t.Errorf("mystery %v:\n%s\nwant\n%s", mystery, b.String(), want)
		}
	}
}

// A drill that was refused did not pass: CI must not read a file without it as green.
func TestJUnitOfARefusedDrill(t *testing.T) {
	var b strings.Builder
	refused := &run.RefusedError{Drill: "total-outage", Reasons: []string{"TargetDown fires", "no data"}}
	if err := junit.Write(&b, report.Suites([]*run.RefusedError{refused})...); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Suites []struct {
			Name string `xml:"name,attr"`

			Cases []struct {
				Name  string `xml:"name,attr"`
				Error struct {
					Message string `xml:"message,attr"`
				} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Suites) != 1 || got.Suites[0].Name != "drill.total-outage" || len(got.Suites[0].Cases) != 1 ||
		got.Suites[0].Cases[0].Error.Message != "refused: TargetDown fires; no data" || !strings.Contains(b.String(), `errors="1"`) {
		t.Errorf("got %+v in\n%s", got, b.String())
	}
}

// Where the machine is why nobody can tell, every format says what to do.
func TestAdviceIsInEveryFormat(t *testing.T) {
	j := failed()
	j.Verdict, j.Advice = run.Inconclusive, "close what else runs"
	for name, write := range map[string]func(io.Writer, *run.Journal) error{
		"text": report.Text, "HTML": report.HTML, "JSON": report.JSON,
		"JUnit": func(w io.Writer, j *run.Journal) error { return junit.Write(w, report.Suites(nil, j)...) },
	} {
		var with, without strings.Builder
		quiet := *j
		quiet.Advice = ""
		if err := errors.Join(write(&with, j), write(&without, &quiet)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(with.String(), j.Advice) || strings.Contains(without.String(), "What to do") || strings.Contains(without.String(), "what to do") {
			t.Errorf("%s does not say %q, or says what to do without advice", name, j.Advice)
		}
	}
}
