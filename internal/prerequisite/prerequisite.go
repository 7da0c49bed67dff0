// Package prerequisite skips tests when the machine lacks something. On a CI machine it fails them instead,
// because CI must provide everything that its tests need.
package prerequisite

import (
	"os"
	"testing"
)

// Missing ends the test. It fails the test if the variable CI is "true", and skips it otherwise. The text says
// what is missing and how to get it.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...) // skip-ok: with CI=true the test has failed above
}
