package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"firedrill/chaos/report"
	"firedrill/chaos/run"
	"firedrill/telemetry/telemetrytest"
)

func journals() []*run.Journal {
	control := &run.Journal{Drill: "control", Title: "Nothing", Start: start, End: at(140), Verdict: run.Pass,
		Checks: []run.Check{{Signal: run.SignalQuiet, Outcome: run.Passed}}}
	noisy := &run.Journal{Drill: "noisy", Title: "Noise", Start: start, End: at(90), Verdict: run.Fail, Reasons: []string{"quiet no other alert: TargetDown fired"},
		Checks: []run.Check{
			{Signal: run.SignalAlert, Name: "Burn page", Outcome: run.Passed, After: secs(20), Resolved: secs(30), Predicted: &run.Prediction{Detection: *secs(12), Slack: *secs(2), Fires: true}},
			{Signal: run.SignalAlert, Name: "Burn ticket", Outcome: run.Unknown, After: secs(1)},
			{Signal: run.SignalQuiet, Outcome: run.Failed, Alarms: []string{"TargetDown ticket (job=bank)"}},
			{Signal: run.SignalHealth, Outcome: run.Failed}, {Signal: run.SignalProbe, Outcome: run.Unknown},
		}}
	return []*run.Journal{control, failed(), noisy}
}

func TestScorecard(t *testing.T) {
	card := report.NewScorecard(journals())
	var text, page, data bytes.Buffer
	if err := card.Text(&text); err != nil {
		t.Fatal(err)
	}
	telemetrytest.Golden(t, "testdata/scorecard.txt", *update, text.Bytes())
	if err := card.HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 of 3 pass, false alarms: 1, median detection 14.8s", "TargetDown ticket (job=bank)<br>", "12s…14s", "Payments &lt;fail&gt;"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if found := ext.FindString(page.String()); found != "" {
		t.Errorf("the page needs %q", found)
	}
	if err := card.JSON(&data); err != nil {
		t.Fatal(err)
	}
	var back report.Scorecard
	if err := json.Unmarshal(data.Bytes(), &back); err != nil || len(back.Rows) != 3 || *back.Rows[2].Detection != *secs(20) || back.Rows[2].Alert != run.Unknown || back.Total.FalseAlarms != 1 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestScorecardOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := report.NewScorecard(nil).Text(&b); err != nil || !strings.Contains(b.String(), "0 of 0 pass, false alarms: 0\n") {
		t.Errorf("%q, %v", b.String(), err)
	}
}
