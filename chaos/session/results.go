package session

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"firedrill/chaos/report"
	"firedrill/chaos/run"
	"firedrill/internal/private"
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
	if err := private.Folder(dir); err != nil {
		return "", fmt.Errorf("create folder of results: %w", err)
	}
	return dir, nil
}

// WriteFile replaces the file that a person named by what write writes. After an error, a
// crash or a full disk the file has its old content. What is no regular file, such as
// /dev/stdout, is written in place.
func WriteFile(path string, write func(io.Writer) error) error {
	to, err := filepath.EvalSymlinks(path) // a link is the choice of whoever named it
	if err != nil {
		return writeResult(path, write)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().IsRegular() {
		return writeResult(to, write)
	}
	f, err := os.OpenFile(to, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write a result: %w", err)
	}
	return errors.Join(write(f), f.Close())
}

// writeResult replaces the file at path by what write writes.
func writeResult(path string, write func(io.Writer) error) error {
	if err := private.Write(path, resultMode, write); err != nil {
		return fmt.Errorf("write a result: %w", err)
	}
	return nil
}

// resultMode lets everybody read a result who may enter its folder.
const resultMode = 0o644

// keep writes the journal and the page of a run to dir, and the page to also, if that
// is not "".
func keep(j *run.Journal, dir, also string) error {
	page := func(w io.Writer) error { return report.HTML(w, j) }
	if err := writeResult(filepath.Join(dir, journalName), func(w io.Writer) error { return report.JSON(w, j) }); err != nil {
		return err
	}
	if err := writeResult(filepath.Join(dir, pageName), page); err != nil {
		return err
	}
	if also == "" {
		return nil
	}
	return WriteFile(also, page)
}

// KeepScorecard writes a scorecard among the results, and its page to also, if that is
// not "". It returns the path of the page among the results.
func (f Folder) KeepScorecard(card report.Scorecard, also string) (string, error) {
	dir, err := f.newResult("matrix")
	if err != nil {
		return "", err
	}
	page := filepath.Join(dir, scorecardName+".html")
	for path, write := range map[string]func(io.Writer) error{filepath.Join(dir, scorecardName+".json"): card.JSON, page: card.HTML} {
		if err := writeResult(path, write); err != nil {
			return "", err
		}
	}
	if also == "" {
		return page, nil
	}
	return page, WriteFile(also, card.HTML)
}

// Journals reads the named results, each a folder or its journal; without names the
// latest. If the latest cannot be read, it is kept aside, so that the next call finds the
// one before.
func (f Folder) Journals(named []string) ([]*run.Journal, error) {
	if len(named) == 0 {
		latest, err := f.latest()
		if err != nil {
			return nil, err
		}
		j, err := report.Read(latest)
		if err != nil {
			return nil, f.keepAside(latest, err)
		}
		return []*run.Journal{j}, nil
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

// latest returns the path of the latest journal.
func (f Folder) latest() (string, error) {
	results, err := os.ReadDir(f.Results()) // sorted by name, which begins with the time
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("look for results of drills: %w", err)
	}
	for _, r := range slices.Backward(results) {
		path := filepath.Join(f.Results(), r.Name(), journalName)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no drill has run on %s yet", f.Data)
}

// keepAside renames a journal that cannot be read because of cause, and returns an error
// that says so.
func (f Folder) keepAside(path string, cause error) error {
	if notRead := (*fs.PathError)(nil); errors.As(cause, &notRead) {
		return cause // it may be whole
	}
	to, err := private.Aside(path)
	if err != nil {
		return errors.Join(cause, err)
	}
	return fmt.Errorf("%w; it is now %q, and the next report shows the result before it", cause, to)
}
