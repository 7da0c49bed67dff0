// Command bench compares load generators: on the same machine, with the same server and the same number of connections. For
// each one it measures the maximum requests a second, the CPU time of a request, the rate error at 2,000 requests a second,
// and the reported latencies when the server stops for a second. The targets of firedrill are relative to vegeta's command:
// at least 1.5 times its rate with traces and thresholds on, at most half its CPU time, and a rate error of at most 0.05 %.
//
// It must not know how any of the tools works: it runs their commands and reads what they print.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	connections = 50
	pacedRate   = 2000 // requests a second, for rate error and stall
	pacedLength = 9 * time.Second
	stallAt     = 4 * time.Second
	stall       = time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := program(ctx, os.Args[1:])
	stop()
	os.Exit(report(err, os.Stderr))
}

func program(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == serveArgument {
		return serve(ctx, os.Stdout)
	}
	return run(ctx, args, os.Stdout, os.Stderr)
}

func report(err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	fmt.Fprintln(stderr, "bench:", err)
	return 1
}

var (
	errUsage  = errors.New("usage")
	errMissed = errors.New("a target is missed, see above")
)

// settings are the values of the flags.
type settings struct {
	ours, bin string
	runs      int
	length    time.Duration // length of a run at full speed
	json      bool
	only      string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var s settings
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&s.ours, "ours", "../../.bin/firedrill", "firedrill's `program`")
	fs.StringVar(&s.bin, "bin", "../../.bin/bench", "`folder` to build the others into")
	fs.IntVar(&s.runs, "runs", 3, "`number` of runs of each measurement; medians are shown")
	fs.DurationVar(&s.length, "length", 5*time.Second, "how long each runs at full speed")
	fs.BoolVar(&s.json, "json", false, "print JSON instead of a table")
	fs.StringVar(&s.only, "only", "", "`names` of tools to run, separated by commas (default: all that the machine has or can build)")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if s.runs < 1 || s.length < 2*time.Second || fs.NArg() > 0 {
		return fmt.Errorf("%w: -runs must be 1 or more and -length 2s or more, and there are no arguments", errUsage)
	}
	for _, path := range []*string{&s.ours, &s.bin} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		*path = absolute
	}
	tools, err := available(ctx, s, stderr)
	if err != nil {
		return err
	}
	rows, err := measure(ctx, s, tools, stderr)
	if err != nil {
		return err
	}
	return show(stdout, s, rows)
}

func show(w io.Writer, s settings, rows []row) error {
	targets := judge(rows)
	var err error
	if s.json {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(map[string]any{"tools": rows, "targets": targets})
	} else {
		err = table(w, rows, targets)
	}
	if err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	for _, t := range targets {
		if !t.Met {
			return errMissed
		}
	}
	return nil
}
