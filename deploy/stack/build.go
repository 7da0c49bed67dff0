package stack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// buildWorkers bounds how many modules build at once. Each go build already uses every core; a second one fills the time
// in which the first links, and a third would only cost memory.
const buildWorkers = 2

// Build builds the tools that bin lacks and tells out how far it is. Tools of one module are built one after another, so
// that the later ones find the shared packages compiled. Cancelling ctx leaves no half-built program, and a second Build
// goes on where the first stopped. It returns how many it built.
func Build(ctx context.Context, root, bin string, tools []Tool, out io.Writer) (int, error) {
	var missing []Tool
	for _, t := range tools {
		if _, err := os.Stat(t.Binary(bin)); err != nil {
			missing = append(missing, t)
		}
	}
	if len(missing) == 0 {
		return 0, nil
	}
	if _, err := exec.LookPath("go"); err != nil {
		return 0, fmt.Errorf("build the upstream programs: %w", err)
	}
	p := newProgress(out, missing, runtime.NumCPU())
	defer p.close()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(buildWorkers)
	for _, batch := range byModule(missing) {
		group.Go(func() error {
			for _, t := range batch {
				p.started(t)
				if err := buildTool(ctx, root, bin, t); err != nil {
					return err
				}
				p.finished(t)
			}
			return nil
		})
	}
	return len(missing), group.Wait()
}

func byModule(tools []Tool) [][]Tool {
	var batches [][]Tool
	for _, t := range tools {
		if n := len(batches); n > 0 && batches[n-1][0].Module == t.Module {
			batches[n-1] = append(batches[n-1], t)
			continue
		}
		batches = append(batches, []Tool{t})
	}
	return batches
}

// buildTool builds under a temporary name and renames, so that what stands at the final path is whole.
func buildTool(ctx context.Context, root, bin string, t Tool) error {
	final := t.Binary(bin)
	if err := os.MkdirAll(filepath.Dir(final), 0o750); err != nil {
		return fmt.Errorf("build %q: %w", t.Name, err)
	}
	temp := fmt.Sprintf("%s.%d.tmp", final, os.Getpid())
	defer os.Remove(temp)

	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", t.buildArgs(temp)...)
	cmd.Dir = filepath.Join(root, "deploy", "stack", t.Module)
	// Without cgo no C compiler is needed; GOFLAGS and a workspace of the user must not change what is pinned.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	cmd.Stdout, cmd.Stderr = &stderr, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // go removes its work folder then
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("build %q: %w", t.Name, context.Cause(ctx))
		}
		return fmt.Errorf("build %q in %s: %w\n%s", t.Name, cmd.Dir, err, lastLines(stderr.String(), 20))
	}
	if err := os.Rename(temp, final); err != nil {
		return fmt.Errorf("build %q: %w", t.Name, err)
	}
	return nil
}

// lastLines returns the last n lines of text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
