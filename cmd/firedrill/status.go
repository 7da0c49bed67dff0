package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"firedrill/alerts/slo"
	"firedrill/deploy/stack"
)

const statusUsage = `status [flags]

Shows each component of the running copy: where it is, whether it answers that it is ready, its process, how often it
was started again, and its memory; then how much the machine can carry, and the background load. Exits 1 unless everything is ready.`

func status(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("status", statusUsage)
	which := addRunFlags(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	target, _, err := which.running(p)
	if err != nil {
		return err
	}
	status, err := target.Status(ctx)
	if err != nil {
		return err
	}
	if *asJSON {
		if err := writeJSON(p.stdout, status); err != nil {
			return err
		}
	} else {
		printStatus(p.stdout, status)
		printMachine(p.stdout, status)
	}
	if !status.Up() {
		return errQuiet
	}
	return nil
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
	_ = tw.Flush() // w's errors end a terminal program anyway
	for _, c := range status.Components {
		if c.Why != "" {
			fmt.Fprintf(w, "%s: %s\n", c.Name, c.Why)
		}
	}
}

// printMachine says how much the machine can carry, if that is known, and what the background load is.
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

// hints are what to try next with what runs. which are the settings that the commands about this copy need.
func hints(status stack.Status, which string) []string {
	url := map[string]string{}
	for _, c := range status.Components {
		url[c.Name] = c.URL
	}
	var lines []string
	if gateway, ok := url["gateway"]; ok {
		lines = append(lines, "curl "+gateway+"/products", "make verify"+which+"    every signal of every service, proven to arrive",
			fmt.Sprintf(".bin/firedrill slo explain    what the alerts will do; objectives run at scale %s: an hour is a minute", slo.FormatScale(slo.Workshop().Scale)))
	}
	if grafana, ok := url["grafana"]; ok {
		lines = append(lines, "open "+grafana)
	}
	return append(lines,
		fmt.Sprintf("curl '%s/api/v1/query?query=up'", url["prometheus"]),
		"curl "+url["notifications"],
		fmt.Sprintf("make status%[1]s | make logs S=loki%[1]s | make ui%[1]s | make down%[1]s", which))
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}
