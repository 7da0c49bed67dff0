// Package prerequisite skips tests for which a machine lacks something. On a CI machine it fails them: CI has to bring
// everything, or it proves less than it seems to.
package prerequisite

import (
	"os"
	"testing"
)

// Missing ends the test. It fails it if the variable CI is "true", and skips it elsewhere. The text says what is missing and
// where it comes from.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...) // skip-ok: not on a CI machine
}
