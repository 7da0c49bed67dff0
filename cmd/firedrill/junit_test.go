package main

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"firedrill/chaos/drill"
	chaosrun "firedrill/chaos/run"
)

// junitCase is a case of a JUnit file as a CI reads it.
type junitCase struct {
	Name    string    `xml:"name,attr"`
	Failure *struct{} `xml:"failure"`
	Error   *struct{} `xml:"error"`
}

// readJUnit returns the outcome of each case of a JUnit file: "passed", "failed" or "error".
func readJUnit(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Cases []junitCase `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	outcomes := map[string]string{}
	for _, c := range doc.Cases {
		switch {
		case c.Failure != nil:
			outcomes[c.Name] = "failed"
		case c.Error != nil:
			outcomes[c.Name] = "error"
		default:
			outcomes[c.Name] = "passed"
		}
	}
	return outcomes
}

// Every command that checks something writes what came of it as JUnit XML. What was asked for and did not happen is a
// case that does not pass, also if the command could not begin.
func TestJUnitOfEveryCommand(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer target.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	dir := t.TempDir()
	load := func(url string, more ...string) []string {
		return append([]string{"load", "--admin", "off", "--rate", "50/s", "--duration", "200ms", "--threshold", "errors < 1%"}, append(more, url)...)
	}
	for _, tc := range []struct {
		name string
		args []string
		code int
		want map[string]string // outcomes of some cases
	}{
		{"load, good", load(target.URL), 0, map[string]string{"requests succeed": "passed", "errors < 1%": "passed"}},
		{"load, nothing succeeds", load(target.URL + "/broken"), exitFailed, map[string]string{"requests succeed": "failed", "errors < 1%": "failed"}},
		{"load, a threshold is broken", load(target.URL, "--threshold", "count > 1000000"), exitFailed, map[string]string{"requests succeed": "passed", "count > 1000000": "failed"}},
		{"load, nobody listens", load(gone.URL), exitFailed, map[string]string{"requests succeed": "failed"}},
		{"load, no such profile", []string{"load", "missing.yaml"}, exitMisuse, map[string]string{"ends": "error"}},
		{"verify, nobody listens", []string{
			"verify", "--timeout", "1s", "--gateway", gone.URL, "--prometheus", gone.URL, "--loki", gone.URL, "--tempo", gone.URL, "--alertmanager", gone.URL,
		}, exitFailed, map[string]string{"services / orders / up": "failed"}},
		{"slo generate, nothing is there", []string{"slo", "generate", "--check", "--out", dir, "../../alerts/rules/testdata/spec.yaml"}, exitFailed, map[string]string{"spec.yaml is current": "failed"}},
		{"slo sim", []string{"slo", "sim", "--quick", "--sets", "book-6"}, -1, map[string]string{"alerts without an incident": "passed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "junit.xml")
			code, out, errs := firedrill(t.Context(), append(tc.args, "--junit", file)...)
			if code != tc.code && tc.code >= 0 {
				t.Errorf("exit code %d, want %d:\n%s%s", code, tc.code, out, errs)
			}
			got := readJUnit(t, file)
			for name, want := range tc.want {
				if got[name] != want {
					t.Errorf("%s: %q, want %q; all: %v", name, got[name], want, got)
				}
			}
			bad := false
			for _, outcome := range got {
				bad = bad || outcome != "passed"
			}
			if bad != (code != 0) {
				t.Errorf("exit code %d and cases %v", code, got)
			}
		})
	}
}

// A drill that did not run, because an earlier one was interrupted, does not pass.
func TestDrillsThatDidNotRun(t *testing.T) {
	named := func(name string) *drill.Drill { return &drill.Drill{Name: name} }
	missing := notRun([]*drill.Drill{named("a"), named("b"), named("c")},
		[]*chaosrun.Journal{{Drill: "a"}}, []*chaosrun.RefusedError{{Drill: "c"}})
	if strings.Join(missing, " ") != "b" {
		t.Errorf("missing %q, want b", missing)
	}
	if suites := missingSuites(missing); len(suites) != 1 || suites[0].Name != "drill.b" || suites[0].Cases[0].Outcome != "error" {
		t.Errorf("suites %+v", suites)
	}
}
