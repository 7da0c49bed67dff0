// Command bench measures what telemetry costs a Fiber service: nothing at all
// ("bare"), what people put together today ("usual": otelfiber,
// fiberprometheus, slog-fiber and loki-client-go), and firedrill/telemetry
// ("ours"), each with all and with a tenth of the traces sampled.
//
// It starts itself several times: one process a case, one that receives and
// counts what they export, one that makes load. It must not know what the
// stacks do inside: they meet it as Fiber applications.
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

// errMissed is what -check makes of a target that was not met.
var errMissed = errors.New("a target was missed")

// run returns 0 when all was measured, 1 when that failed or, with -check, a
// target was missed, and 2 for misuse.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) > 0 && args[0] == childArg {
		return exit(errs, runChild(ctx, args[1:], in, out))
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errs)
	p := plan{Requests: 20_000}
	var file string
	var check bool
	flags.StringVar(&file, "json", "", "write the results to this `file` too")
	flags.BoolVar(&check, "check", false, "exit with 1 when a target is missed")
	flags.IntVar(&p.Rounds, "rounds", 3, "how often each case is measured; medians are reported")
	flags.IntVar(&p.Rate, "rate", 2000, "requests a second of the paced runs")
	flags.IntVar(&p.Conns, "conns", 50, "connections of the run at full speed")
	flags.DurationVar(&p.Time, "time", 2*time.Second, "length of a run")
	flags.BoolVar(&p.Meter, "meter", true, "let otelfiber of the usual stack record its metrics, sizes among them")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 || p.Rounds < 1 || p.Rate < 1 || p.Conns < 1 || p.Time < time.Second {
		fmt.Fprintln(errs, "bench: takes flags only; rounds, rate and conns are above 0, time is 1s or more")
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
