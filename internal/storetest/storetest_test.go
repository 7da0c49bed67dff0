package storetest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"firedrill/internal/private"
)

// one is a store of one value in one file.
func one(write func(path string, text []byte) error) Store {
	path := func(dir string) string { return filepath.Join(dir, "one") }
	return Store{
		Single: true,
		Put: func(dir string, n int) error {
			text, err := json.Marshal(map[string]any{"n": n, "more": "text to be cut"})
			if err != nil {
				return err
			}
			return write(path(dir), text)
		},
		Get: func(dir string) ([]int, error) {
			text, err := os.ReadFile(path(dir))
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			var v struct{ N int }
			if err == nil {
				err = json.Unmarshal(text, &v)
			}
			return []int{v.N}, err
		},
	}
}

// TestReplacedFile checks private.WriteFile, on which stores of one value stand.
func TestReplacedFile(t *testing.T) {
	Survives(t, one(func(path string, text []byte) error { return private.WriteFile(path, text, 0o600) }))
}

// TestSpread checks that each byte of a small file is tried, and the ends of a large one.
func TestSpread(t *testing.T) {
	if got := spread(3, 40); len(got) != 5 || got[0] != 0 || got[4] != 4 {
		t.Errorf("got %v, want 0 to 4", got)
	}
	if got := spread(100_000, 40); len(got) < 35 || len(got) > 42 || got[0] != 0 || got[len(got)-1] != 100_001 {
		t.Errorf("got %d numbers from %d to %d", len(got), got[0], got[len(got)-1])
	}
}

// brokenVar makes a test check a store that is known to be broken.
const brokenVar = "FIREDRILL_STORETEST_BROKEN"

// TestBrokenStoreIsFound checks that a store fails that writes into its file, and one that acknowledges what it lost.
func TestBrokenStoreIsFound(t *testing.T) {
	broken := map[string]func(path string, text []byte) error{
		"overwrites its file": func(path string, text []byte) error { return os.WriteFile(path, text, 0o600) },
		"ignores errors":      func(path string, text []byte) error { _ = private.WriteFile(path, text, 0o600); return nil },
	}
	if name := os.Getenv(brokenVar); name != "" {
		Survives(t, one(broken[name]))
		return
	}
	for name := range broken {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), brokenVar+"="+name)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "after a disk that was full at byte") {
			t.Errorf("a store that %s passes: %v\n%s", name, err, out)
		}
	}
}
