package junit

import (
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// read decodes JUnit XML and checks that its counts agree with its cases.
func read(t *testing.T, text string) []suite {
	t.Helper()
	var doc suites
	if err := xml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, s := range doc.Suites {
		failures, errs := 0, 0
		for _, c := range s.Cases {
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				errs++
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != failures || s.Errors != errs {
			t.Errorf("suite %s counts %d, %d, %d: want %d, %d, %d", s.Name, s.Tests, s.Failures, s.Errors, len(s.Cases), failures, errs)
		}
	}
	return doc.Suites
}

func TestWrite(t *testing.T) {
	var b strings.Builder
	err := Write(&b, Suite{
		Name: "load.<a>", Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Length: 1500 * time.Millisecond,
		Cases: []Case{
			{Name: "p99 < 1s", Outcome: Passed, Text: "0.2s"},
			{Name: "errors", Outcome: Failed, Text: "5 % \x00 & more"},
			{Name: "rate", Outcome: Error, Text: "no data"},
			{Name: "later", Outcome: Skipped, Text: "not judged"},
			{Name: "forgotten"}, // an outcome that nobody set is no pass
		},
	}, Suite{Name: "empty"})
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, b.String())
	if len(got) != 2 || got[0].Name != "load.<a>" || got[0].Time != "1.500" || got[0].Timestamp != "2026-01-02T03:04:05" ||
		got[0].Tests != 5 || got[0].Skipped != 1 || got[0].Failures != 1 || got[0].Errors != 2 || got[0].Cases[0].Out != "0.2s" {
		t.Errorf("got %+v", got)
	}
	if got[1].Errors != 1 || got[1].Cases[0].Error.Message != "nothing was checked" {
		t.Errorf("an empty suite gives %+v", got[1])
	}
}

func TestWriteNothing(t *testing.T) {
	var b strings.Builder
	if err := Write(&b); err != nil {
		t.Fatal(err)
	}
	if got := read(t, b.String()); len(got) != 1 || got[0].Errors != 1 {
		t.Errorf("got %+v: want an error", got)
	}
}

func TestFile(t *testing.T) {
	refused := errors.New("refused: TargetDown fires")
	good := []Suite{{Name: "s", Cases: []Case{{Name: "c", Outcome: Passed}}}}
	broken := []Suite{{Name: "s", Cases: []Case{{Name: "c", Outcome: Failed, Text: "late"}}}}
	for _, tc := range []struct {
		name     string
		end      bool
		suites   []Suite
		failed   error
		problems int // failures and errors
		says     string
	}{
		{"killed", false, nil, nil, 1, "stopped before"},
		{"good", true, good, nil, 0, ""},
		{"a case failed", true, broken, errors.New("exit 1"), 1, "late"},
		{"refused", true, nil, refused, 1, refused.Error()},
		{"good so far, then broken", true, good, refused, 1, refused.Error()},
		{"nothing", true, nil, nil, 1, "nothing was checked"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "junit.xml")
			if err := os.WriteFile(path, []byte("<testsuites/>"), 0o600); err != nil { // of an earlier run
				t.Fatal(err)
			}
			f, err := Begin(path, "firedrill")
			if err != nil {
				t.Fatal(err)
			}
			if tc.end {
				if err := f.End(tc.suites, tc.failed); !errors.Is(err, tc.failed) {
					t.Errorf("error %v, want %v", err, tc.failed)
				}
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			problems := 0
			for _, s := range read(t, string(text)) {
				problems += s.Failures + s.Errors
			}
			if problems != tc.problems || !strings.Contains(string(text), tc.says) {
				t.Errorf("%d problems, want %d and %q in\n%s", problems, tc.problems, tc.says, text)
			}
		})
	}
}

func TestFileThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "junit.xml")
	if _, err := Begin(path, "firedrill"); err == nil {
		t.Error("no error")
	}
	if _, err := Begin("/dev/null", "firedrill"); err == nil {
		t.Error("a device was replaced")
	}
	f, err := Begin("", "firedrill")
	if f != nil || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	failed := errors.New("failed")
	if got := f.End(nil, failed); got != failed { //nolint:errorlint // the same error
		t.Errorf("%v, want %v", got, failed)
	}
}
