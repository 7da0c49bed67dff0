package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"firedrill/chaos/chaosmesh"
	"firedrill/chaos/drill"
	"firedrill/chaos/fault"
)

const drillExportUsage = `drill export --format chaos-mesh [flags] NAME

Writes the faults of a drill for Chaos Mesh and the shop that deploy/kubernetes describes: one Workflow, which begins when it is
created and ends by itself.

    firedrill drill export --format chaos-mesh total-outage | kubectl create -f -

A comment above each experiment says how it differs from the fault. Faults that Chaos Mesh cannot do are listed on standard
error, and the exit code is 1.`

// chaosMesh is the only format of drill export.
const chaosMesh = "chaos-mesh"

func drillExport(_ context.Context, p program, args []string) error {
	fs := p.newFlags("drill export", drillExportUsage)
	which := addStackFlags(fs)
	format := fs.String("format", "", "output `format`: "+chaosMesh)
	scale := fs.Float64("scale", drill.DesignScale, "how many `times` faster than real the cluster's objectives run: 1 in production, where a drill takes hours")
	out := fs.String("o", "", "`file` to write to instead of standard output")
	if err := parse(fs, args, 1, 1); err != nil {
		return err
	}
	if *format != chaosMesh || *scale <= 0 {
		return fmt.Errorf("%w: --format %q, --scale %v: want --format %s and a scale greater than 0", errUsage, *format, *scale, chaosMesh)
	}
	t, err := which.drillTarget(p)
	if err != nil {
		return err
	}
	d, err := t.inCluster(fs.Arg(0))
	if err != nil {
		return err
	}
	plan, err := chaosmesh.Translate(d.AtScale(*scale), chaosmesh.Shop(), fault.Kinds())
	if err != nil {
		return err
	}
	return p.export(plan, *out)
}

// inCluster reads a drill as drill does, for a cluster in which services keep their data in a database server.
func (t drillTarget) inCluster(name string) (*drill.Drill, error) {
	faults := t.faults()
	for caller, wires := range faults.Wires {
		if caller != "gateway" {
			wires["database"] = "postgres:5432"
		}
	}
	library := t.library()
	library.Faults = fault.New(faults)
	d, err := library.One(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; \"firedrill drill list\" shows what there is", errUsage, err)
	}
	return d, nil
}

// export writes the plan, and prints to standard error what the plan lacks.
func (p program) export(plan chaosmesh.Plan, file string) error {
	for _, l := range plan.Lost {
		fmt.Fprintf(p.stderr, "not in it: %s on %s: %s\n", l.Kind, l.Target, l.Reason)
	}
	if len(plan.Drill.Faults) == 0 {
		fmt.Fprintf(p.stderr, "%s breaks nothing: there is nothing to export\n", plan.Drill.Name)
		return nil
	}
	var text strings.Builder
	if err := plan.Write(&text); err != nil {
		return err
	}
	var err error
	if file == "" {
		_, err = io.WriteString(p.stdout, text.String())
	} else {
		err = os.WriteFile(file, []byte(text.String()), 0o644) //nolint:gosec // kubectl may be another user, and it is no secret
	}
	if err != nil {
		return fmt.Errorf("write the export of drill %q: %w", plan.Drill.Name, err)
	}
	if len(plan.Lost) > 0 {
		return errQuiet
	}
	return nil
}
