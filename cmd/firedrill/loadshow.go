package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"firedrill/loadgen"
	loadreport "firedrill/loadgen/report"
	"firedrill/loadgen/result"
	"firedrill/loadgen/threshold"
)

// outputs says where a result is written.
type outputs struct {
	file, html, hdr string
	junit           string
	asJSON          bool
}

func (o *outputs) add(fs *flag.FlagSet) {
	fs.StringVar(&o.file, "o", "", "`file` to write the result to, as JSON")
	fs.StringVar(&o.html, "html", "", "`file` to write a report to: one page that opens offline")
	fs.StringVar(&o.hdr, "hdr", "", "`file` to write an HdrHistogram log to")
	fs.StringVar(&o.junit, "junit", "", "`file` to write the verdict to as JUnit XML")
	fs.BoolVar(&o.asJSON, "json", false, "print the result as JSON instead of text")
}

func asJSON(w io.Writer, r *result.Result) error { return r.Write(w) }

// output is a file and the function that writes it.
type output struct {
	flag, path string
	write      func(io.Writer, *result.Result) error
}

func (o outputs) files() []output {
	return []output{{"--save", o.file, asJSON}, {"--html", o.html, loadreport.HTML}, {"--hdr", o.hdr, loadreport.HDRLog}}
}

// check reports before the run whether the files can be written.
func (o outputs) check() error {
	for _, file := range append(o.files(), output{flag: "--junit", path: o.junit}) {
		if file.path == "" || file.path == toStdout {
			continue
		}
		if info, err := os.Stat(file.path); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s %s: this is not a regular file", file.flag, file.path)
		}
		probe, err := os.CreateTemp(filepath.Dir(file.path), ".result-*")
		if err != nil {
			return fmt.Errorf("%s %s: %w", file.flag, file.path, errors.Unwrap(err))
		}
		if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
			return fmt.Errorf("%s %s: %w", file.flag, file.path, err)
		}
	}
	return nil
}

// write writes all files, even if one fails, and prints the result.
func (o outputs) write(p program, r *result.Result) error {
	show, to := loadreport.Text, p.stdout
	if o.asJSON {
		show = asJSON
	}
	var errs []error
	for _, file := range o.files() {
		switch file.path {
		case "":
		case toStdout:
			errs, to = append(errs, file.write(p.stdout, r)), p.stderr // the text must not be among the file's
		default:
			errs = append(errs, loadreport.WriteFile(file.path, func(w io.Writer) error { return file.write(w, r) }))
		}
	}
	return errors.Join(append(errs, show(to, r))...)
}

// toStdout is the path that stands for standard output.
const toStdout = "-"

// judge writes the result and returns an error with the exit code.
func (o outputs) judge(p program, r *result.Result) error {
	if err := o.write(p, r); err != nil {
		return err
	}
	return exitOfLoad(r)
}

// exitOfLoad returns what the exit code says of a result.
func exitOfLoad(r *result.Result) error {
	switch verdict, reasons := r.Verdict(); verdict {
	case result.Good:
		return nil
	case result.Failed:
		return &exit{exitFailed, errors.New(strings.Join(reasons, "; "))}
	case result.Broken:
		return &exit{exitFailed, errors.New("a threshold is broken, see above")}
	case result.Invalid:
	}
	return &exit{exitInvalid, errors.New("the run is invalid, see above")}
}

// show shows the progress of a run.
type show struct {
	live       *loadreport.Live
	out        io.Writer
	thresholds []threshold.Threshold
}

func (s *show) update(r *result.Result) {
	var budgets []loadreport.Budget
	for _, t := range s.thresholds {
		if left, ok := t.BudgetLeft(r); ok {
			budgets = append(budgets, loadreport.Budget{Threshold: t.String(), Left: left})
		}
	}
	_ = s.live.Show(r, budgets) // the run continues without a terminal
}

func (s *show) note(format string, args ...any) {
	_ = s.live.Close() // as above
	fmt.Fprintf(s.out, format+"\n", args...)
}

// end ends the view of a run and returns its result.
func (s *show) end(found loadgen.Outcome) *result.Result {
	s.close()
	for class, text := range found.Failures {
		s.note("the first %s failure: %s", class, text)
	}
	return found.Result
}

func (s *show) close() { _ = s.live.Close() }
