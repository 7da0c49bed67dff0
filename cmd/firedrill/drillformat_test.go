package main

import (
	"bytes"
	"flag"
	"io"
	"testing"

	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
	chaosfault "firedrill/chaos/fault"
	"firedrill/internal/golden"
)

var update = flag.Bool("update", false, "write the files that are generated")

// The schema and the documentation page of drills match the format and the kinds of faults.
func TestDrillFormatIsDocumented(t *testing.T) {
	for path, write := range map[string]func(io.Writer, []kinds.Kind) error{
		"../../chaos/drill.schema.json": drill.WriteSchema,
		"../../docs/drills.md":          drill.WritePage,
	} {
		var b bytes.Buffer
		if err := write(&b, chaosfault.Kinds()); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, path, *update, b.Bytes())
	}
}
