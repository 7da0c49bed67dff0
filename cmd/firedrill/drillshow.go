package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"firedrill/chaos/drill"
)

const drillListUsage = `drill list [flags]

Lists the drills of the repository (chaos/drills).`

func drillList(_ context.Context, p program, args []string) error {
	fs := p.newFlags("drill list", drillListUsage)
	which := addStackFlags(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	t, err := which.drillTarget(p)
	if err != nil {
		return err
	}
	drills, err := t.drills()
	if err != nil {
		return err
	}
	if *asJSON {
		var all []drill.File
		for _, d := range drills {
			one, err := d.ReadFile()
			if err != nil {
				return err
			}
			all = append(all, one)
		}
		return writeJSON(p.stdout, all)
	}
	tw := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, d := range drills {
		fmt.Fprintf(tw, "%s\t%s\n", d.Name, d.Title)
	}
	return tw.Flush()
}

const drillShowUsage = `drill show [flags] NAME

Shows what a drill breaks and what it expects to see. For a workshop: it also prints the answer.`

func drillShow(_ context.Context, p program, args []string) error {
	fs := p.newFlags("drill show", drillShowUsage)
	which := addStackFlags(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 1, 1); err != nil {
		return err
	}
	t, err := which.drillTarget(p)
	if err != nil {
		return err
	}
	d, err := t.drill(fs.Arg(0))
	if err != nil {
		return err
	}
	if *asJSON {
		one, err := d.ReadFile()
		if err != nil {
			return err
		}
		return writeJSON(p.stdout, one)
	}
	_, err = fmt.Fprint(p.stdout, d.Describe())
	return err
}
