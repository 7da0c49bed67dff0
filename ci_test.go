package firedrill

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// script runs a script in .ci and returns its exit code and its output.
func script(t *testing.T, dir string, env []string, name string, args ...string) (code int, output string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(".ci", name))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("%s: %v", path, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// folderOf returns a folder that contains only links to programs of this machine.
func folderOf(t *testing.T, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range programs {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPrepareNamesAllThatIsMissing(t *testing.T) {
	bare := folderOf(t, "env", "bash", "dirname", "awk", "df", "id", "uname", "sort", "head", "ls", "sed")
	code, out := script(t, ".", []string{"PATH=" + bare, "CC=", "TEST_DATABASE_URL=postgres://elsewhere"}, "prepare", "-n")
	if code != 2 {
		t.Errorf("exit code %d, want 2:\n%s", code, out)
	}
	for _, want := range []string{"  - Go 1.", "  - make\n", "  - git\n", "  - a C compiler", "  - Node 18"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "PostgreSQL") {
		t.Errorf("PostgreSQL is missing, although TEST_DATABASE_URL names a server:\n%s", out)
	}
}

func TestWithoutRacePrintsWhatIsLeftOut(t *testing.T) {
	code, out := script(t, ".", nil, "without-race", "-n", "./telemetry/server", "./alerts/slo")
	if want := "firedrill/telemetry/server ^(TestAllocationsOfARequest)$\n"; code != 0 || out != want {
		t.Errorf("exit code %d, printed %q, want %q", code, out, want)
	}
}

func TestStepsStopAtTheFirstFailure(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte("good: ; @echo made good\nbad: ; @false\nlate: ; @echo made late\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"MAKE=make", "MAKEFLAGS=", "MAKELEVEL="}
	code, out := script(t, dir, env, "steps", "good 3 the first", "bad 2 the second", "late 9 the third")
	for _, want := range []string{
		"[1 of 3] the first: about 3 min, about 14 min left in all\nmade good\n", "[2 of 3] the second: about 2 min, about 11 min left in all\n",
		"[2 of 3] the second: failed after",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code == 0 || strings.Contains(out, "made late") || strings.Contains(out, "all 3 parts are good") {
		t.Errorf("exit code %d, want a failure and nothing after it:\n%s", code, out)
	}
	// The measured time of a target replaces the estimate.
	code, out = script(t, dir, env, "steps", "good 3 the first")
	if code != 0 || !strings.HasSuffix(out, "make test: all 1 parts are good, in 0 min\n") && !strings.HasSuffix(out, "in 1 min\n") || strings.Contains(out, "about 3 min") {
		t.Errorf("exit code %d, printed\n%s", code, out)
	}
}
