package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fake records the failure of a test.
type fake struct {
	testing.TB
	failed string
}

func (f *fake) Helper() {}

func (f *fake) Errorf(format string, args ...any) { f.failed = fmt.Sprintf(format, args...) }

func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text.golden")
	Check(t, path, true, []byte("one\n"))
	if text, err := os.ReadFile(path); err != nil || string(text) != "one\n" {
		t.Fatalf("update wrote %q, %v", text, err)
	}
	for got, want := range map[string]string{"one\n": "", "two\n": path + " is not current"} {
		f := &fake{TB: t}
		Check(f, path, false, []byte(got))
		if (want == "") != (f.failed == "") || !strings.Contains(f.failed, want) {
			t.Errorf("%q: failed with %q, want %q", got, f.failed, want)
		}
	}
}
