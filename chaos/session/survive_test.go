package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"firedrill/chaos/report"
	"firedrill/chaos/run"
	"firedrill/internal/storetest"
)

// folderIn returns the folder of a copy below dir, whose name has characters that patterns of names use.
func folderIn(dir string) Folder {
	data := filepath.Join(dir, "data [1] ?")
	return Folder{Data: data, Notes: filepath.Join(data, "run", "drill")}
}

func TestRunningDrillSurvives(t *testing.T) {
	storetest.Survives(t, storetest.Store{
		Single: true,
		Put:    func(dir string, n int) error { return folderIn(dir).begins(fmt.Sprint(n)) },
		Get: func(dir string) ([]int, error) {
			r, err := folderIn(dir).Running()
			if err != nil {
				return nil, err
			}
			n, err := strconv.Atoi(r.Drill)
			return []int{n}, err
		},
	})
}

func TestJournalsSurvive(t *testing.T) {
	storetest.Survives(t, storetest.Store{
		Put: func(dir string, n int) error {
			results := filepath.Join(folderIn(dir).Results(), fmt.Sprintf("2026010%d-000000-d", n))
			if err := os.MkdirAll(results, 0o700); err != nil {
				return err
			}
			return keep(&run.Journal{Drill: fmt.Sprint(n), Verdict: run.Pass}, results, "")
		},
		Get: func(dir string) ([]int, error) {
			f := folderIn(dir)
			if _, err := f.Journals(nil); err != nil {
				return nil, err
			}
			results, err := os.ReadDir(f.Results())
			if err != nil {
				return nil, err
			}
			var all []int
			for _, r := range results {
				j, err := report.Read(filepath.Join(f.Results(), r.Name(), journalName))
				if errors.Is(err, fs.ErrNotExist) {
					continue // the run that was cut short
				}
				if err != nil {
					return nil, err
				}
				n, err := strconv.Atoi(j.Drill)
				if err != nil {
					return nil, err
				}
				all = append(all, n)
			}
			return all, nil
		},
	})
}

// TestUnreadableJournalBlocksNothing checks that the latest journal is kept aside if it cannot be read, at whatever byte it
// was cut, and that the one before is shown then.
func TestUnreadableJournalBlocksNothing(t *testing.T) {
	f := folderIn(t.TempDir())
	var path string
	for _, name := range []string{"20260101-000000-d", "20260102-000000-d"} {
		dir := filepath.Join(f.Results(), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := keep(&run.Journal{Drill: name, Verdict: run.Pass}, dir, ""); err != nil {
			t.Fatal(err)
		}
		path = filepath.Join(dir, journalName)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(strings.TrimSpace(string(whole))); cut += 7 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Journals(nil); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), ".unreadable") {
			t.Fatalf("cut at byte %d: %v, want an error that names the file and where it is now", cut, err)
		}
		if all, err := f.Journals(nil); err != nil || len(all) != 1 || all[0].Drill != "20260101-000000-d" {
			t.Fatalf("cut at byte %d: the next time %v, %v", cut, all, err)
		}
	}
}

// TestWriteFileOfAPerson checks that a named file is replaced, through a link too, and that what is no regular file is
// written in place.
func TestWriteFileOfAPerson(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("old"), 0o600), os.Symlink("file", link)); err != nil {
		t.Fatal(err)
	}
	say := func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }
	if err := WriteFile(link, say); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "new" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if err := WriteFile(os.DevNull, say); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(os.DevNull); err != nil || info.Mode()&fs.ModeDevice == 0 {
		t.Errorf("%s is no device any more: %v, %v", os.DevNull, info, err)
	}
}

// TestStopSignalsTheDrillItself checks that Stop signals no process that has the drill's id by now.
func TestStopSignalsTheDrillItself(t *testing.T) {
	f := folderAt(t)
	release, err := f.Lock("d")
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Running()
	if err != nil || !r.Lives() {
		t.Fatalf("%+v, %v, want this process", r, err)
	}
	text := fmt.Sprintf(`{"pid":%d,"born":1,"uid":%d,"drill":"d"}`, r.PID, r.UID) // signalled, this test would end
	if err := os.WriteFile(f.runningPath(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if name, err := f.Stop(ctx); err == nil || name != "" || !strings.Contains(err.Error(), "does not end") {
		t.Errorf("stopped %q, %v; want an error, as the lock is held", name, err)
	}
}

// TestResultsTakeAnyNumber checks that a result is stored whatever a query returned.
func TestResultsTakeAnyNumber(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64} {
		f := folderIn(t.TempDir())
		dir := filepath.Join(f.Results(), "20260101-000000-d")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		j := &run.Journal{
			Drill: "d", Verdict: run.Pass, Start: now, End: now.Add(time.Minute),
			Probes: []run.ProbeRun{{Name: "p", Before: &v, Samples: []run.Sample{{At: now, Value: v}}}}, Sights: []run.Sight{{Name: "s", During: &v}},
		}
		if err := keep(j, dir, filepath.Join(dir, "also.html")); err != nil {
			t.Errorf("%v: %v", v, err)
			continue
		}
		if all, err := f.Journals(nil); err != nil || len(all[0].Probes) != 1 || fmt.Sprint(all[0].Probes[0].Samples[0].Value) != fmt.Sprint(v) {
			t.Errorf("%v: read %v, %v", v, all, err)
		}
	}
}
