package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"firedrill/internal/private"
	"firedrill/internal/proc"
	"firedrill/internal/storetest"
)

// inFolder returns the settings of a copy in dir, and creates its folders.
func inFolder(dir string) (Settings, error) {
	s := Settings{Data: dir}
	return s, s.ownFolders()
}

func TestRecordSurvives(t *testing.T) {
	storetest.Survives(t, storetest.Store{
		Single: true,
		Put: func(dir string, n int) error {
			s, err := inFolder(dir)
			if err != nil {
				return err
			}
			return s.Keep(Record{Offset: n, Components: []Component{{Name: "loki"}}})
		},
		Get: func(dir string) ([]int, error) {
			r, err := Settings{Data: dir}.Record()
			if err != nil {
				return nil, err
			}
			return []int{r.Offset}, nil
		},
	})
}

func TestLaunchedSupervisorSurvives(t *testing.T) {
	storetest.Survives(t, storetest.Store{
		Single: true,
		Put: func(dir string, n int) error {
			s, err := inFolder(dir)
			if err != nil {
				return err
			}
			return s.keepLaunched(proc.Identity{PID: n, Born: 1, Exe: "/bin/process-compose"})
		},
		Get: func(dir string) ([]int, error) {
			boss, err := Settings{Data: dir}.launched()
			return []int{boss.PID}, err
		},
	})
}

// TestSecretsSurvive checks that a secret is there from its first use on, and always a whole one.
func TestSecretsSurvive(t *testing.T) {
	first := func(dir string) string { return filepath.Join(dir, "first") }
	storetest.Survives(t, storetest.Store{
		Put: func(dir string, n int) error {
			s, err := inFolder(dir)
			if err != nil {
				return err
			}
			_, err = s.Secret(fmt.Sprint("secret-", n))
			return err
		},
		Get: func(dir string) ([]int, error) {
			var all []int
			known := map[string]string{}
			if text, err := os.ReadFile(first(dir)); err == nil && json.Unmarshal(text, &known) != nil {
				return nil, errors.New("the test's own file is broken")
			}
			for n := 1; n <= 3; n++ {
				name := fmt.Sprint("secret-", n)
				text, err := private.ReadFile(filepath.Join(dir, "run", name))
				switch {
				case err != nil: // not used yet
				case !isKey(text):
					return nil, fmt.Errorf("%s is %q", name, text)
				case known[name] != "" && known[name] != string(text):
					return nil, fmt.Errorf("%s has changed", name)
				default:
					known[name] = string(text)
					all = append(all, n)
				}
			}
			text, err := json.Marshal(known)
			if err != nil {
				return nil, err
			}
			return all, os.WriteFile(first(dir), text, 0o600)
		},
	})
}

// TestBrokenSecretIsReplaced checks that half a secret, as a crash of an earlier version left it, is never used.
func TestBrokenSecretIsReplaced(t *testing.T) {
	for _, broken := range []string{"", "abc", strings.Repeat("a", 63), strings.Repeat("a", 65), strings.Repeat("g", 64)} {
		s, err := inFolder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(s.runDir(), "jwt-key")
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		secret, err := s.Secret("jwt-key")
		if err != nil || !isKey([]byte(secret)) {
			t.Errorf("%q: got %q, %v", broken, secret, err)
		}
		if aside, err := os.ReadFile(path + ".unreadable"); err != nil || string(aside) != broken {
			t.Errorf("%q is aside as %q, %v", broken, aside, err)
		}
	}
}

// TestSecretOfAnotherIsRefused checks that no planted secret is used.
func TestSecretOfAnotherIsRefused(t *testing.T) {
	s, err := inFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	planted := filepath.Join(t.TempDir(), "planted")
	if err := os.WriteFile(planted, []byte(strings.Repeat("a", 64)), 0o600); err != nil {
		t.Fatal(err)
	}
	link, open := filepath.Join(s.runDir(), "link"), filepath.Join(s.runDir(), "open")
	if err := errors.Join(os.Symlink(planted, link), os.WriteFile(open, []byte(strings.Repeat("a", 64)), 0o600), os.Chmod(open, 0o666)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "open"} {
		if secret, err := s.Secret(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %q, %v, want an error that names it", name, secret, err)
		}
	}
}

// TestBrokenRecordBlocksNothing checks that a record that cannot be read is named, and that a command that changes the copy
// keeps it aside and goes on.
func TestBrokenRecordBlocksNothing(t *testing.T) {
	whole, err := json.MarshalIndent(Record{Offset: 7}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		var said strings.Builder
		s, err := inFolder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.statePath(), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Record(); !errors.Is(err, ErrRecord) || !strings.Contains(err.Error(), s.statePath()) {
			t.Fatalf("cut at byte %d: %v, want %v and the file", cut, err, ErrRecord)
		}
		if _, err := (Stack{Settings: s, Out: &said}).Down(t.Context()); err != nil || !strings.Contains(said.String(), s.statePath()+".unreadable") {
			t.Fatalf("cut at byte %d: %v, %q", cut, err, said.String())
		}
		if r, err := s.Record(); r != nil || err != nil {
			t.Fatalf("cut at byte %d: afterwards %v, %v", cut, r, err)
		}
	}
}
