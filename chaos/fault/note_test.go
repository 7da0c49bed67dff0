package fault

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"firedrill/internal/proc"
	"firedrill/internal/storetest"
)

func TestNotesSurvive(t *testing.T) {
	storetest.Survives(t, storetest.Store{
		Put: func(dir string, n int) error {
			return note{ID: fmt.Sprint(n), Kind: "stop", Target: "victim"}.write(filepath.Join(dir, "undo"))
		},
		Get: func(dir string) ([]int, error) {
			all, err := notes(filepath.Join(dir, "undo"))
			var ids []int
			for _, n := range all {
				id, convErr := strconv.Atoi(n.ID)
				if convErr != nil {
					return nil, convErr
				}
				ids = append(ids, id)
			}
			return ids, err
		},
	})
}

// TestUnreadableNotesBlockNothing checks that faults are undone beside notes that cannot be read, and that these are kept
// aside and named, once.
func TestUnreadableNotesBlockNothing(t *testing.T) {
	whole := `{"id":"torn","kind":"stop","target":"victim"}`
	bad := map[string]string{
		"empty.json": "", "null.json": "null", "other.json": `{"id":"another","kind":"stop"}`, "kind.json": `{"id":"kind","kind":"melt"}`,
		"param.json": `{"id":"param","kind":"restart_loop","params":{"every":"soon"}}`, "torn.json": whole[:20],
	}
	dir := filepath.Join(t.TempDir(), "with [brackets] and ?")
	if err := (note{ID: "good", Kind: "stop", Target: "victim"}).write(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range bad {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".unfinished.json.123.tmp"), []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	s := stopped{}
	healed, err := HealProcesses(t.Context(), dir, s)
	if !slices.Equal(healed, []string{"stop on victim"}) {
		t.Errorf("healed %v", healed)
	}
	for name := range bad {
		if err == nil || !strings.Contains(err.Error(), name+".unreadable") || !strings.Contains(err.Error(), "firedrill restart") {
			t.Errorf("error %v does not say where %s is and what to do", err, name)
		}
		if text, err := os.ReadFile(filepath.Join(dir, name+".unreadable")); err != nil || string(text) != bad[name] {
			t.Errorf("%s is aside as %q, %v", name, text, err)
		}
	}
	if healed, err := HealProcesses(t.Context(), dir, s); err != nil || len(healed) > 0 {
		t.Errorf("the second time: %v, %v", healed, err)
	}
}

// TestNotesAreNobodyElses checks that what another user put into the place of the notes undoes nothing.
func TestNotesAreNobodyElses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "undo")
	if err := (note{ID: "n", Kind: "stop", Target: "victim"}).write(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := HealProcesses(t.Context(), dir, stopped{}); err == nil || !strings.Contains(err.Error(), "may be written by other users") {
		t.Errorf("notes in a folder that all may write: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if err := (note{ID: "n", Kind: "stop", Target: "victim"}).write(link); err == nil {
		t.Error("a note was written through a link")
	}
}

// TestNoSignalForAnotherProcess checks that a note about a process that has ended undoes nothing to one that has its id now.
func TestNoSignalForAnotherProcess(t *testing.T) {
	s := newSupervisor(t)
	p, err := s.Process(t.Context(), "victim")
	if err != nil {
		t.Fatal(err)
	}
	limit := uint64(1)
	for name, other := range map[string]proc.Identity{
		"born before":     {PID: p.PID, Born: p.Born - 1, UID: p.UID, Exe: p.Exe},
		"another program": {PID: p.PID, Born: p.Born, UID: p.UID, Exe: "/other"},
		"nothing else":    {PID: p.PID},
	} {
		for _, n := range []note{
			{ID: "n", Kind: "hang", Target: "victim", Watchdog: other, Held: other},
			{ID: "n", Kind: "memory_limit", Target: "victim", Watchdog: other, Held: other, Limit: &limit},
		} {
			dir := filepath.Join(t.TempDir(), "undo")
			if err := n.write(dir); err != nil {
				t.Fatal(err)
			}
			_, _ = HealProcesses(t.Context(), dir, s) // a process of another user is an error, one that has ended is none
			if !p.Lives() || !s.answers() || s.started() != 1 {
				t.Fatalf("%s: the process was signalled or limited by a note on %s", name, n.Kind)
			}
		}
	}
}

// stopped supervises a component that has no process, and lets it start.
type stopped struct{}

func (stopped) Process(context.Context, string) (proc.Identity, error) { return proc.Identity{}, nil }
func (stopped) Start(context.Context, string) error                    { return nil }
func (stopped) Stop(context.Context, string) error                     { return nil }
