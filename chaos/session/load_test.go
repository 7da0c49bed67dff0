package session

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
)

// script returns a load whose process is a shell script. $1 is the path of the result.
func script(t *testing.T, text string) load {
	t.Helper()
	return load{
		dir: t.TempDir(), seed: 7,
		command: func(ctx context.Context, l LoadOrder) *exec.Cmd {
			return exec.CommandContext(ctx, "sh", "-c", text, "sh", l.Out)
		},
		read: func(path string) (run.LoadResult, error) {
			text, err := os.ReadFile(path)
			if err == nil && string(text) != "sent\n" {
				err = errors.New("it is no result")
			}
			return run.LoadResult{Requests: 3}, err
		},
	}
}

// until is a script that runs until it is interrupted and then writes a result.
const until = `trap 'echo %s > "$1"; exit' INT; : > "$1.ready"; while :; do sleep 0.02; done`

func TestLoadProcess(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		early        bool // the process ends by itself
		want         run.LoadResult
		err          string // "" for none
	}{
		{"it is interrupted and tells", strings.ReplaceAll(until, "%s", "sent"), false, run.LoadResult{Requests: 3}, ""},
		{"its result cannot be read", strings.ReplaceAll(until, "%s", "odd"), false, run.LoadResult{}, "it is no result"},
		{"it dies and says why", "echo first; echo no such profile >&2; exit 2", true, run.LoadResult{}, "no such profile"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := script(t, tc.script)
			running, err := l.Start(t.Context(), drill.LoadSpec{Profile: "steady"})
			if err != nil {
				t.Fatal(err)
			}
			if tc.early {
				<-running.Done()
			} else {
				awaitTrap(t, running)
			}
			got, err := running.Stop(t.Context())
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("error %v, want %q", err, tc.err)
			}
			if err == nil {
				tc.want.Report = filepath.Join(l.dir, "load.json")
			}
			if got != tc.want {
				t.Errorf("result %+v, want %+v", got, tc.want)
			}
		})
	}
}

// awaitTrap waits until the script has set its trap.
func awaitTrap(t *testing.T, r run.RunningLoad) {
	t.Helper()
	ready := r.(*runningLoad).out + ".ready"
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(ready); err == nil {
			return
		}
	}
	t.Fatal("the script does not run")
}
