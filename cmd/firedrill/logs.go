package main

import "context"

const logsUsage = `logs [flags] COMPONENT

Shows what a component printed; "firedrill status" names them, and process-compose is one too. The shop's services also
send their lines to Loki, with trace ids.`

func logs(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("logs", logsUsage)
	which := addRunFlags(fs)
	follow := fs.Bool("f", false, "go on with what it prints from now on, until Ctrl-C")
	lines := fs.Int("n", 100, "last `lines` to show")
	if err := parse(fs, args, 1, 1); err != nil {
		return err
	}
	target, _, err := which.running(p)
	if err != nil {
		return err
	}
	return target.Logs(ctx, fs.Arg(0), *lines, *follow, p.stdout)
}
