// Package golden compares the result of a test with a file in the repository.
package golden

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Check fails the test if got differs from the content of the file at path. If
// update is set, it writes the file instead.
func Check(t testing.TB, path string, update bool, got []byte) {
	t.Helper()
	if update {
		if err := os.WriteFile(path, got, 0o644); err != nil { //nolint:gosec // a golden file is for everybody to read
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s is not current (run the test with -update and look at the change): file -, now +:\n%s", path, d)
	}
}
