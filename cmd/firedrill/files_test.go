package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Every command that reads a file that a person names says so when it is no file: it neither hangs nor fills the memory.
func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	load := []string{"load", "--admin", "off", "--rate", "1/s", "--duration", "1s"}
	commands := [][]string{ // FILE stands for the file
		{"load", "FILE"},
		append(load, "--targets", "FILE"),
		append(load, "--body", "@FILE", "http://127.0.0.1:1"),
		{"load", "merge", "FILE"},
		{"load", "compare", "FILE", "FILE"},
		{"slo", "generate", "FILE"},
		{"slo", "explain", "FILE"},
		{"slo", "import", "FILE"},
		{"slo", "sim", "FILE"},
		{"slo", "sim", "--quick", "--rules", "FILE"},
		{"drill", "show", "FILE"},
		{"drill", "run", "FILE"},
		{"drill", "run", "--remote", "FILE", "control"},
		{"drill", "report", "FILE/journal.json"},
		{"drill", "export", "--format", "chaos-mesh", "FILE"},
		{"capacity", "plan", "--file", "FILE"},
	}
	for _, command := range commands {
		for _, file := range []string{"/dev/zero", fifo, dir} {
			args := make([]string, len(command))
			for i, arg := range command {
				args[i] = strings.ReplaceAll(arg, "FILE", file)
			}
			t.Run(strings.Join(args, " "), func(t *testing.T) {
				code, out, errs := firedrill(t.Context(), args...)
				if code != exitMisuse && code != exitFailed || !strings.Contains(errs, file) {
					t.Errorf("exit code %d, want an error that names the file:\n%s%s", code, out, errs)
				}
			})
		}
	}
}
