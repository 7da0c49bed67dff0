package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"firedrill/deploy/stack"
	"firedrill/internal/cli"
)

func (p program) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what runs, where, and whether it is ready",
		Long: `Shows each component of the running copy: its URL, whether it answers that it is ready, its process, how often it was
restarted, and its memory; then how much the machine can carry, and the background load. Exits 1 unless everything is ready.`,
		Args: cli.Args(),
	}
	which := addRunFlags(cmd.Flags())
	output := cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		target, _, err := which.running(p)
		if err != nil {
			return err
		}
		status, err := target.Status(cmd.Context())
		if err != nil {
			return err
		}
		err = output.Write(p.stdout, status, func(w io.Writer) error {
			printStatus(w, status)
			printMachine(w, status)
			return nil
		})
		if err == nil && !status.Up() {
			return cli.ErrQuiet
		}
		return err
	}
	return cmd
}

func printStatus(w io.Writer, status stack.Status) {
	if status.Started == nil {
		fmt.Fprintf(w, "Nothing runs in %s. \"make up\" starts it.\n", status.Data)
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "WHAT\tURL\tSTATE\tPID\tRESTARTS\tMEMORY")
	for _, c := range status.Components {
		pid, memory := "-", "-"
		if c.PID != 0 {
			pid = fmt.Sprint(c.PID)
			memory = fmt.Sprintf("%d MiB", c.RSSBytes>>20)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%d\t%s\n", c.Name, c.URL, c.State, pid, c.Restarts, memory)
	}
	_ = tw.Flush() // write errors do not matter to a program at a terminal
	for _, c := range status.Components {
		if c.Why != "" {
			fmt.Fprintf(w, "%s: %s\n", c.Name, c.Why)
		}
	}
}

// printMachine prints how much the machine can carry, if that is known, and the rate of the background load.
func printMachine(w io.Writer, status stack.Status) {
	if status.Machine == nil {
		return
	}
	load := "No background load"
	if status.LoadRate > 0 {
		load = stack.LoadText(status.LoadRate)
	}
	fmt.Fprintf(w, "This machine: %s (measured %s). %s.\n", status.Machine, status.Machine.Measured.Local().Format(time.DateTime), load)
}

// writeJSON writes a value as indented JSON.
func writeJSON(w io.Writer, v any) error { return cli.WriteJSON(w, v) }

func (p program) logsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "logs COMPONENT",
		Short: "Show what a component printed",
		Long: `Shows what a component printed. "firedrill status" lists the components; process-compose is one too. The shop's services
also send their lines to Loki, with trace ids.`,
		Example: `  firedrill logs orders
  firedrill logs -f -n 20 loki`,
		Args: cli.Args("COMPONENT"),
	}
	which := addRunFlags(cmd.Flags())
	follow := cmd.Flags().BoolP("follow", "f", false, "continue with what it prints from now on, until Ctrl-C")
	lines := cmd.Flags().IntP("lines", "n", 100, "`number` of last lines to show")
	cmd.ValidArgsFunction = p.completeComponents(which)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		target, _, err := which.running(p)
		if err != nil {
			return err
		}
		return target.Logs(cmd.Context(), args[0], *lines, *follow, p.stdout)
	}
	return cmd
}

func (p program) uiCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ui",
		Short: "Open process-compose's terminal view of everything",
		Long:  `Opens process-compose's terminal view of the running copy. Leaving it (F10) leaves everything running.`,
		Args:  cli.Args(),
	}
	which := addRunFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		target, err := which.stack(p)
		if err != nil {
			return err
		}
		runtime, err := which.runtime(p, target)
		if err != nil {
			return err
		}
		if runtime != stack.Native {
			return cli.Misuse("this view is process-compose's, which runs no containers; use \"firedrill status\" and \"firedrill logs\"")
		}
		view, err := target.AttachCommand(cmd.Context())
		if err != nil {
			return err
		}
		view.Stdin, view.Stdout, view.Stderr = os.Stdin, p.stdout, p.stderr
		if err := view.Run(); err != nil {
			return fmt.Errorf("show process-compose's view: %w", err)
		}
		return nil
	}
	return cmd
}
