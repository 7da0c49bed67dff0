package main

import (
	"bytes"
	"flag"
	"io"
	"testing"

	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
	chaosfault "firedrill/chaos/fault"
	"firedrill/telemetry/telemetrytest"
)

var update = flag.Bool("update", false, "write the files that are generated")

// The schema and the page of drills are those of the format and of the faults there are.
func TestDrillFormatIsDocumented(t *testing.T) {
	for path, write := range map[string]func(io.Writer, []kinds.Kind) error{
		"../../chaos/drill.schema.json": drill.WriteSchema,
		"../../docs/drills.md":          drill.WritePage,
	} {
		var b bytes.Buffer
		if err := write(&b, chaosfault.Kinds()); err != nil {
			t.Fatal(err)
		}
		telemetrytest.Golden(t, path, *update, b.Bytes())
	}
}
