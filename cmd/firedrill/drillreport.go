package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"firedrill/chaos"
	drillreport "firedrill/chaos/report"
)

const drillReportUsage = `drill report [flags] [RESULT…]

Prints the results of earlier drills. RESULT is a folder below DATA/drills or its journal.json; without RESULT it is the latest.`

const journalName = "journal.json"

func drillReport(_ context.Context, p program, args []string) error {
	fs := p.newFlags("drill report", drillReportUsage)
	which := addStackFlags(fs)
	html := fs.String("html", "", "`file` to write the page of one result to")
	junit := fs.String("junit", "", "`file` to write all results to as JUnit XML")
	asJSON := fs.Bool("json", false, "print the journals as JSON instead of text")
	const most = 10_000
	if err := parse(fs, args, 0, most); err != nil {
		return err
	}
	if *html != "" && fs.NArg() > 1 {
		return fmt.Errorf("%w: --html is for one result", errUsage)
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	journals, err := drillTarget{Stack: kit, getenv: p.getenv}.journals(fs.Args())
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if *html != "" {
		if err := writeFile(*html, func(w io.Writer) error { return drillreport.HTML(w, journals[0]) }); err != nil {
			return err
		}
	}
	if *junit != "" {
		if err := writeFile(*junit, func(w io.Writer) error { return drillreport.JUnit(w, journals...) }); err != nil {
			return err
		}
	}
	if *asJSON {
		return writeJSON(p.stdout, journals)
	}
	for _, j := range journals {
		if err := drillreport.Text(p.stdout, j); err != nil {
			return err
		}
	}
	return nil
}

// journals reads the named results, or the latest.
func (t drillTarget) journals(named []string) ([]*chaos.Journal, error) {
	if len(named) == 0 {
		all, err := filepath.Glob(filepath.Join(t.results(), "*", journalName))
		if err != nil || len(all) == 0 {
			return nil, fmt.Errorf("no drill has run on %s yet", t.Data)
		}
		named = []string{slices.Max(all)} // their names begin with the time
	}
	var journals []*chaos.Journal
	for _, file := range named {
		if !strings.HasSuffix(file, ".json") {
			file = filepath.Join(file, journalName)
		}
		j, err := drillreport.Read(file)
		if err != nil {
			return nil, err
		}
		journals = append(journals, j)
	}
	return journals, nil
}
