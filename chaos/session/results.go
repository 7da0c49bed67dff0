package session

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"firedrill/chaos/report"
	"firedrill/chaos/run"
)

// Names of the files of a result.
const (
	journalName   = "journal.json"
	pageName      = "report.html"
	scorecardName = "scorecard"
)

// newResult creates a folder for the results of a drill. Its name begins with the time, so
// that the latest sorts last.
func (f Folder) newResult(name string) (string, error) {
	dir := filepath.Join(f.Results(), time.Now().Format("20060102-150405-")+name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("create folder of results: %w", err)
	}
	return dir, nil
}

// WriteFile creates the file at path and calls write with it.
func WriteFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write a result: %w", err)
	}
	return errors.Join(write(f), f.Close())
}

// keep writes the journal and the page of a run to dir, and the page to also, if that
// is not "".
func keep(j *run.Journal, dir, also string) error {
	files := map[string]func(io.Writer, *run.Journal) error{
		filepath.Join(dir, journalName): report.JSON, filepath.Join(dir, pageName): report.HTML,
	}
	if also != "" {
		files[also] = report.HTML
	}
	for path, write := range files {
		if err := WriteFile(path, func(w io.Writer) error { return write(w, j) }); err != nil {
			return err
		}
	}
	return nil
}

// KeepScorecard writes a scorecard among the results, and its page to also, if that is
// not "". It returns the path of the page among the results.
func (f Folder) KeepScorecard(card report.Scorecard, also string) (string, error) {
	dir, err := f.newResult("matrix")
	if err != nil {
		return "", err
	}
	page := filepath.Join(dir, scorecardName+".html")
	files := map[string]func(io.Writer) error{filepath.Join(dir, scorecardName+".json"): card.JSON, page: card.HTML}
	if also != "" {
		files[also] = card.HTML
	}
	for path, write := range files {
		if err := WriteFile(path, write); err != nil {
			return "", err
		}
	}
	return page, nil
}

// Journals reads the named results, each a folder or its journal; without names the
// latest.
func (f Folder) Journals(named []string) ([]*run.Journal, error) {
	if len(named) == 0 {
		all, err := filepath.Glob(filepath.Join(f.Results(), "*", journalName))
		if err != nil || len(all) == 0 {
			return nil, fmt.Errorf("no drill has run on %s yet", f.Data)
		}
		named = []string{slices.Max(all)}
	}
	var journals []*run.Journal
	for _, file := range named {
		if !strings.HasSuffix(file, ".json") {
			file = filepath.Join(file, journalName)
		}
		j, err := report.Read(file)
		if err != nil {
			return nil, err
		}
		journals = append(journals, j)
	}
	return journals, nil
}
