package prerequisite_test

import (
	"fmt"
	"testing"

	"firedrill/internal/prerequisite"
)

// recorder records how a test ends, and continues.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatalf(format string, args ...any) {
	r.said += "failed: " + fmt.Sprintf(format, args...) + "\n"
}
func (r *recorder) Skipf(format string, args ...any) {
	r.said += "skipped: " + fmt.Sprintf(format, args...) + "\n"
}

func TestMissing(t *testing.T) {
	for ci, want := range map[string]string{
		"": "skipped: no tool of 2\n", "false": "skipped: no tool of 2\n", "true": "failed: no tool of 2\nskipped: no tool of 2\n", // a real Fatalf does not return
	} {
		t.Setenv("CI", ci)
		r := &recorder{TB: t}
		prerequisite.Missing(r, "no tool of %d", 2)
		if r.said != want {
			t.Errorf("CI=%q: %q, want %q", ci, r.said, want)
		}
	}
}
