package session

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// folderAt returns the folder of a copy that does not run.
func folderAt(t *testing.T) Folder {
	t.Helper()
	data := t.TempDir()
	return Folder{Data: data, Notes: filepath.Join(data, "run", "drill")}
}

func TestOneDrillAtATime(t *testing.T) {
	f := folderAt(t)
	release, err := f.Lock("first")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Lock("second")
	want := fmt.Sprintf(`drill "first" (process %d) runs on %s; "firedrill drill stop" ends it`, os.Getpid(), f.Data)
	if busy := (*BusyError)(nil); !errors.As(err, &busy) || err.Error() != want {
		t.Errorf("a second drill gives %v, want %q", err, want)
	}
	release()
	if release, err = f.Lock("third"); err != nil {
		t.Fatalf("after the first: %v", err)
	}
	release()
	if stopped, err := f.Stop(t.Context()); stopped != "" || err != nil {
		t.Errorf("with none running, stopped %q, %v", stopped, err)
	}
}

// TestLockOfAKilledDrillIsTakenOver checks that the files of a killed drill do not block the
// next one.
func TestLockOfAKilledDrillIsTakenOver(t *testing.T) {
	f := folderAt(t)
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(f.Notes, 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"pid":%d,"drill":"dead"}`, dead.Process.Pid)
	for _, name := range []string{"running", "lock"} {
		if err := os.WriteFile(filepath.Join(f.Notes, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	release, err := f.Lock("next")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if now, err := f.Running(); err != nil || now.Drill != "next" || now.PID != os.Getpid() {
		t.Errorf("%+v runs, %v", now, err)
	}
}

// TestStopWithoutAName checks that stopping a locked copy without a stored name is an error.
func TestStopWithoutAName(t *testing.T) {
	f := folderAt(t)
	release, err := f.Lock("quiet")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := os.Remove(f.runningPath()); err != nil {
		t.Fatal(err)
	}
	if name, err := f.Stop(t.Context()); err == nil || name != "" {
		t.Errorf("stopped %q, %v; want an error", name, err)
	}
}
