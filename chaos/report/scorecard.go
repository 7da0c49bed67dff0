package report

import (
	_ "embed" // for the template of the page
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"firedrill/chaos/run"
)

// Scorecard is a table of drills and signals: what each signal showed of each drill,
// and how soon.
type Scorecard struct {
	At    time.Time `json:"at"` // when the last drill ended
	Rows  []Row     `json:"drills"`
	Total Total     `json:"total"`
}

// Row is the results of one drill.
type Row struct {
	Drill   string      `json:"drill"`
	Title   string      `json:"title"`
	Verdict run.Verdict `json:"verdict"`
	Reasons []string    `json:"reasons,omitempty"`
	Took    run.Seconds `json:"took_seconds"`
	// Outcomes of all checks of a signal; "" if nothing was expected of it.
	Alert  run.Outcome `json:"alert,omitempty"`
	Metric run.Outcome `json:"metric,omitempty"`
	Trace  run.Outcome `json:"trace,omitempty"`
	Log    run.Outcome `json:"log,omitempty"`
	Probes run.Outcome `json:"probes,omitempty"` // probes, and services that must stay ready
	// Of the first expected alert of the drill.
	Detection *run.Seconds    `json:"detection_seconds,omitempty"`
	Resolved  *run.Seconds    `json:"resolved_seconds,omitempty"`
	Predicted *run.Prediction `json:"predicted,omitempty"`
	Alarms    []string        `json:"false_alarms"`
}

// Total is the sum of a scorecard.
type Total struct {
	Passed      int `json:"passed"`
	Drills      int `json:"drills"`
	FalseAlarms int `json:"false_alarms"`
	// MedianDetection is the median over the drills that were detected.
	MedianDetection *run.Seconds `json:"median_detection_seconds,omitempty"`
}

// NewScorecard returns the scorecard of journals, in their order.
func NewScorecard(journals []*run.Journal) Scorecard {
	card := Scorecard{Total: Total{Drills: len(journals)}}
	var detections []run.Seconds
	for _, j := range journals {
		r := rowOf(j)
		card.Rows = append(card.Rows, r)
		if j.End.After(card.At) {
			card.At = j.End
		}
		if r.Verdict == run.Pass {
			card.Total.Passed++
		}
		card.Total.FalseAlarms += len(r.Alarms)
		if r.Detection != nil {
			detections = append(detections, *r.Detection)
		}
	}
	if n := len(detections); n > 0 {
		slices.Sort(detections)
		median := (detections[(n-1)/2] + detections[n/2]) / 2
		card.Total.MedianDetection = &median
	}
	return card
}

func rowOf(j *run.Journal) Row {
	r := Row{Drill: j.Drill, Title: j.Title, Verdict: j.Verdict, Reasons: j.Reasons, Took: run.Seconds(j.End.Sub(j.Start)), Alarms: []string{}}
	for _, c := range j.Checks {
		switch c.Signal {
		case run.SignalAlert:
			if r.Alert == "" {
				r.Detection, r.Resolved, r.Predicted = c.After, c.Resolved, c.Predicted
			}
			r.Alert = worse(r.Alert, c.Outcome)
		case run.SignalMetric:
			r.Metric = worse(r.Metric, c.Outcome)
		case run.SignalTrace:
			r.Trace = worse(r.Trace, c.Outcome)
		case run.SignalLog:
			r.Log = worse(r.Log, c.Outcome)
		case run.SignalProbe, run.SignalHealth:
			r.Probes = worse(r.Probes, c.Outcome)
		case run.SignalQuiet:
			r.Alarms = append(r.Alarms, c.Alarms...)
		default: // faults and load are not scored
		}
	}
	return r
}

// worse returns the worse of two outcomes: failed, then unknown, then passed.
func worse(a, b run.Outcome) run.Outcome {
	rank := []run.Outcome{"", run.Passed, run.Unknown, run.Failed}
	if slices.Index(rank, a) > slices.Index(rank, b) {
		return a
	}
	return b
}

// JSON writes the scorecard for programs.
func (s Scorecard) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(s); err != nil {
		return fmt.Errorf("write the scorecard: %w", err)
	}
	return nil
}

// Text writes the scorecard as a table.
func (s Scorecard) Text(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "drill\tverdict\talert\tdetected\tpredicted\tresolved\tmetric\ttrace\tlog\tprobes\tfalse alarms\ttook")
	for _, r := range s.Rows {
		fmt.Fprintln(table, strings.Join([]string{
			r.Drill, string(r.Verdict), cell(r.Alert), length(r.Detection), r.Forecast(), length(r.Resolved), cell(r.Metric), cell(r.Trace),
			cell(r.Log), cell(r.Probes), fmt.Sprint(len(r.Alarms)), short(time.Duration(r.Took)),
		}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the scorecard: %w", err)
	}
	_, err := fmt.Fprintln(w, s.Total)
	return err
}

// String returns the sum in one line.
func (t Total) String() string {
	text := fmt.Sprintf("%d of %d pass, false alarms: %d", t.Passed, t.Drills, t.FalseAlarms)
	if t.MedianDetection != nil {
		text += fmt.Sprintf(", median detection %s", *t.MedianDetection)
	}
	return text
}

// Forecast returns the prediction of the detection.
func (r Row) Forecast() string {
	switch p := r.Predicted; {
	case p == nil:
		return "–"
	case !p.Fires:
		return "never"
	default:
		return fmt.Sprintf("%s…%s", p.Detection, p.Detection+p.Slack)
	}
}

// cell returns the text of an outcome for a table, or a mark if nothing was expected.
func cell(o run.Outcome) string {
	if o == "" {
		return "–"
	}
	return sign(o)
}

func length(s *run.Seconds) string {
	if s == nil {
		return "–"
	}
	return s.String()
}

//go:embed scorecard.html.tmpl
var scorecardTemplate string

// HTML writes the scorecard as one page that works alone.
func (s Scorecard) HTML(w io.Writer) error {
	t, err := template.New("scorecard").Funcs(template.FuncMap{"cell": cell, "length": length, "short": func(s run.Seconds) string { return short(time.Duration(s)) }}).Parse(scorecardTemplate)
	if err == nil {
		err = t.Execute(w, struct {
			Scorecard
			Style template.CSS
		}{s, template.CSS(style)}) //nolint:gosec // it is part of the program
	}
	if err != nil {
		return fmt.Errorf("write the page of the scorecard: %w", err)
	}
	return nil
}
