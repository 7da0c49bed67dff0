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

	"firedrill/internal/private"
)

// buildWorkers is the number of modules that build at once. Each go build already uses every core. A second one
// uses the time in which the first links; a third would only need more memory.
const buildWorkers = 2

// Build builds the tools that are missing in bin, writes its progress to out, and returns how many tools were
// missing. Tools of one module are built one after another, so that later ones find the shared packages
// compiled. If ctx ends, no partial program is left, and the next Build continues.
func Build(ctx context.Context, root, bin string, tools []Tool, out io.Writer) (int, error) {
	if err := trustPrograms(root, bin); err != nil {
		return 0, err
	}
	var missing []Tool
	for _, t := range tools {
		if err := private.Trusted(t.Binary(bin)); err != nil {
			return 0, fmt.Errorf("%w: a program is not safe: %w", ErrSettings, err)
		}
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

// buildTool builds to a temporary name and renames it, so that the final path never has a partial program.
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
	// Without cgo no C compiler is needed. GOFLAGS and a workspace of the user must not change the pinned
	// versions.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	cmd.Stdout, cmd.Stderr = &stderr, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // on SIGINT, go removes its work folder
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
