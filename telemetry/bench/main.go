// Command bench measures what telemetry costs a Fiber service. It compares
// three stacks: no telemetry ("bare"), the usual libraries ("usual": otelfiber,
// fiberprometheus, slog-fiber and loki-client-go), and firedrill/telemetry
// ("ours"). Each runs with 100 % and with 10 % of the traces sampled.
//
// It starts several processes of itself: one for each case, one that receives
// and counts the exports, and one that makes the load. It must not know how the
// stacks work inside: it uses them only as Fiber applications.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errMissed is returned with -check if a target was missed.
var errMissed = errors.New("a target was missed")

// run returns the exit code: 0 when everything was measured, 1 when that failed
// or, with -check, a target was missed, and 2 for invalid arguments.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) > 0 && args[0] == childArg {
		return exit(errs, runChild(ctx, args[1:], in, out))
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errs)
	p := plan{Requests: 20_000}
	var file string
	var check bool
	flags.StringVar(&file, "json", "", "also write the results to this `file`")
	flags.BoolVar(&check, "check", false, "exit with 1 if a target is missed")
	flags.IntVar(&p.Rounds, "rounds", 3, "number of rounds; the table shows medians")
	flags.IntVar(&p.Rate, "rate", 2000, "requests per second in the paced runs")
	flags.IntVar(&p.Conns, "conns", 50, "connections in the runs over loopback")
	flags.DurationVar(&p.Time, "time", 2*time.Second, "duration of a run")
	flags.BoolVar(&p.Meter, "meter", true, "let otelfiber record its metrics in the usual stack")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 || p.Rounds < 1 || p.Rate < 1 || p.Conns < 1 || p.Time < time.Second {
		fmt.Fprintln(errs, "bench: want only flags, with -rounds, -rate and -conns greater than 0 and -time at least 1s")
		return 2
	}
	return exit(errs, bench(ctx, p, file, check, out, errs))
}

func bench(ctx context.Context, p plan, file string, check bool, out, progress io.Writer) error {
	results, err := p.measure(ctx, progress)
	if err != nil {
		return err
	}
	results.write(out)
	if file != "" {
		if err := results.writeJSON(file); err != nil {
			return err
		}
	}
	if check && !results.met() {
		return errMissed
	}
	return nil
}

func exit(errs io.Writer, err error) int {
	if err != nil {
		fmt.Fprintln(errs, "bench:", err)
		return 1
	}
	return 0
}
