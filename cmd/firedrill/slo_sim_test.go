package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const myRules = `groups:
  - name: mine
    interval: 5m
    rules:
      - alert: Errors
        expr: rate(bad_total[5m]) / rate(all_total[5m]) > 0.05
        labels: {severity: page}
`

func TestSimCommands(t *testing.T) {
	mine := writeTemp(t, "mine.yaml", myRules)
	badMonth := writeTemp(t, "month.yaml", "traffic: 1/s\nincidents: [{name: a, start: 0s, duration: 7s, size: 1}]\n")
	for _, tc := range []struct {
		name, args     string
		code           int
		stdout, stderr string // parts of the output
	}{
		{"all sets", "slo sim --quick", 0, "Told after the incident began", ""},
		{"two sets", "slo sim --quick --sets book-6,firedrill", 0, "Firedrill's own", ""},
		{"no such set", "slo sim --sets book-7", 2, "", `unknown rule set "book-7"; want some of book-1, `},
		{"rules of a user", "slo sim --quick --sets mine --all all_total --bad bad_total --rules " + mine, 0, "mine", "1 of 1 rules"},
		{"rules without series", "slo sim --quick --sets mine --rules " + mine, 2, "", "Errors reads bad_total, which no event counts in"},
		{"no rules", "slo sim --rules nowhere.yaml", 2, "", "nowhere.yaml"},
		{"a series that is none", "slo sim --bad bad_total[5m]", 2, "", `--bad: "bad_total[5m]" is no series`},
		{"bad incidents", "slo sim --quick " + badMonth, 2, "", "month.yaml:2: incidents[0].duration: 7s: want a multiple of 15s"},
		{"no incidents", "slo sim nowhere.yaml", 2, "", "nowhere.yaml"},
		{"no months", "slo tune --months 0", 2, "", "--months 0: want 1 or more"},
		{"bad incidents to tune on", "slo tune " + badMonth, 2, "", "month.yaml:2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := sloCommand(t, strings.Fields(tc.args)...)
			if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("firedrill %s: exit %d, want %d\n%s\n%s", tc.args, code, tc.code, stdout, stderr)
			}
		})
	}
}

func TestSimAsJSONAndPicture(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "month.svg")
	code, stdout, stderr := sloCommand(t, "slo", "sim", "--quick", "-o", "json", "--svg", picture)
	var report struct {
		Sets []struct {
			Name      string  `json:"name"`
			Precision float64 `json:"precision"`
			Recall    float64 `json:"recall"`
			Incidents []struct {
				Incident string `json:"incident"`
				Page     struct {
					Detection float64 `json:"detection_seconds"`
				} `json:"page"`
			} `json:"incidents"`
		} `json:"rule_sets"`
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 {
		t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if len(report.Sets) != 9 {
		t.Fatalf("%d rule sets, want 9", len(report.Sets))
	}
	own, book := report.Sets[8], report.Sets[5]
	if own.Name != "firedrill" || own.Precision < book.Precision || own.Recall < book.Recall {
		t.Errorf("%s has a precision of %v and a recall of %v, %s of %v and %v",
			own.Name, own.Precision, own.Recall, book.Name, book.Precision, book.Recall)
	}
	if first := own.Incidents[0]; first.Incident != "outage-10m" || first.Page.Detection != 60 {
		t.Errorf("%+v, want an outage that pages after a minute", first)
	}
	wellFormed(t, picture)
}

func wellFormed(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bars := 0
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "title" {
			bars++
		}
	}
	if bars < 100 {
		t.Errorf("%d bars are drawn, want one for each notification and incident", bars)
	}
}
