// Package junit writes results as JUnit XML, which CI systems show as tests.
//
// A file is honest about what did not happen: Begin writes a file with one error, and only End replaces it with the
// results. A command that is killed, refused or broken therefore never leaves a file that reads as green, nor the
// green file of an earlier run.
//
// It must not know what is tested.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// Outcome is the outcome of a case.
type Outcome string

// Outcomes of a case.
const (
	Passed Outcome = "passed"
	Failed Outcome = "failed" // the thing that was checked failed
	Error  Outcome = "error"  // the check could not be made or is inconclusive
	// Skipped is for what the command never judges, by design. It must not be used for what was asked for.
	Skipped Outcome = "skipped"
)

// Suite is a group of cases, such as a drill or a load test.
type Suite struct {
	Name   string
	Start  time.Time // zero: unknown
	Length time.Duration
	Cases  []Case
}

// Case is one check.
type Case struct {
	Name    string
	Length  time.Duration
	Outcome Outcome
	Text    string // why it failed, or what was found
}

// The elements of JUnit XML that CI systems read. See https://github.com/testmoapp/junitxml.
type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suite  `xml:"testsuite"`
	}
	suite struct {
		Name      string     `xml:"name,attr"`
		Tests     int        `xml:"tests,attr"`
		Failures  int        `xml:"failures,attr"`
		Errors    int        `xml:"errors,attr"`
		Skipped   int        `xml:"skipped,attr"`
		Time      string     `xml:"time,attr"`
		Timestamp string     `xml:"timestamp,attr,omitempty"`
		Cases     []testCase `xml:"testcase"`
	}
	testCase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Failure *problem `xml:"failure"`
		Error   *problem `xml:"error"`
		Skipped *skipped `xml:"skipped"`
		Out     string   `xml:"system-out,omitempty"`
	}
	skipped struct {
		Message string `xml:"message,attr"`
	}
	problem struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// Write writes suites as JUnit XML. If there is no suite, or a suite has no case, it writes an error in its place:
// a test that tested nothing has not passed.
func Write(w io.Writer, all ...Suite) error {
	if len(all) == 0 {
		all = []Suite{unfinished("firedrill", "nothing was checked")}
	}
	var doc suites
	for _, s := range all {
		if len(s.Cases) == 0 {
			s.Cases = unfinished(s.Name, "nothing was checked").Cases
		}
		doc.Suites = append(doc.Suites, elements(s))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(doc); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	return nil
}

func elements(s Suite) suite {
	e := suite{Name: s.Name, Tests: len(s.Cases), Time: seconds(s.Length)}
	if !s.Start.IsZero() {
		e.Timestamp = s.Start.UTC().Format("2006-01-02T15:04:05")
	}
	for _, c := range s.Cases {
		t := testCase{Class: s.Name, Name: c.Name, Time: seconds(c.Length)}
		switch c.Outcome {
		case Passed:
			t.Out = c.Text
		case Failed:
			t.Failure = &problem{c.Text, c.Text}
			e.Failures++
		case Skipped:
			t.Skipped = &skipped{c.Text}
			e.Skipped++
		default:
			t.Error = &problem{c.Text, c.Text}
			e.Errors++
		}
		e.Cases = append(e.Cases, t)
	}
	return e
}

func seconds(d time.Duration) string {
	if d <= 0 {
		return "0"
	}
	return fmt.Sprintf("%.3f", d.Seconds())
}

// unfinished returns a suite with one error.
func unfinished(name, reason string) Suite {
	return Suite{Name: name, Cases: []Case{{Name: "ends", Outcome: Error, Text: reason}}}
}

// File is the JUnit file of a command. On a nil File, methods do nothing.
type File struct{ path, name string }

// Begin writes a file with an error that says that the command has not ended, and returns it. name names the suite of
// that error. If path is "", Begin returns nil.
func Begin(path, name string) (*File, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // a nil File is one that nobody asked for
	}
	// A device such as /dev/stdout must not be replaced by a file.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("write the results as JUnit XML: %s is not a regular file", path)
	}
	f := &File{path, name}
	return f, f.write(unfinished(name, "the command was stopped before it could write its results"))
}

// End writes the results of the command. If failed is not nil and no suite says why, End adds a suite with that error.
// It returns failed joined by any error of its own.
func (f *File) End(all []Suite, failed error) error {
	if f == nil {
		return failed
	}
	if failed != nil && !Bad(all) {
		all = append(all, unfinished(f.name, failed.Error()))
	}
	if err := f.write(all...); err != nil {
		if failed == nil {
			return err
		}
		return fmt.Errorf("%w; %w", failed, err)
	}
	return failed
}

// Bad reports whether any case failed or is an error.
func Bad(all []Suite) bool {
	for _, s := range all {
		for _, c := range s.Cases {
			if c.Outcome != Passed && c.Outcome != Skipped {
				return true
			}
		}
	}
	return false
}

func (f *File) write(all ...Suite) error {
	var text strings.Builder
	if err := Write(&text, all...); err != nil {
		return err
	}
	if err := renameio.WriteFile(f.path, []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("write the results as JUnit XML: %w", err)
	}
	return nil
}
