package main

import (
	"context"
	"fmt"
	"io"

	drillreport "firedrill/chaos/report"
	"firedrill/chaos/session"
	"firedrill/internal/junit"
)

const drillReportUsage = `drill report [flags] [RESULT…]

Prints the results of earlier drills. RESULT is a folder below DATA/drills or its journal.json; without RESULT it is the latest.`

func drillReport(_ context.Context, p program, args []string) error {
	fs := p.newFlags("drill report", drillReportUsage)
	which := addStackFlags(fs)
	html := fs.String("html", "", "`file` to write the page of one result to")
	file := fs.String("junit", "", "`file` to write all results to as JUnit XML")
	asJSON := fs.Bool("json", false, "print the journals as JSON instead of text")
	const most = 10_000
	if err := parse(fs, args, 0, most); err != nil {
		return err
	}
	if *html != "" && fs.NArg() > 1 {
		return fmt.Errorf("%w: --html is for one result", errUsage)
	}
	t, err := which.drillTarget(p)
	if err != nil {
		return err
	}
	journals, err := t.folder().Journals(fs.Args())
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if *html != "" {
		if err := session.WriteFile(*html, func(w io.Writer) error { return drillreport.HTML(w, journals[0]) }); err != nil {
			return err
		}
	}
	return p.reported(*file, "drill report", func() ([]junit.Suite, error) {
		suites := drillreport.Suites(nil, journals...)
		if *asJSON {
			return suites, writeJSON(p.stdout, journals)
		}
		for _, j := range journals {
			if err := drillreport.Text(p.stdout, j); err != nil {
				return suites, err
			}
		}
		return suites, nil
	})
}
