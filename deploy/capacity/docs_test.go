package capacity

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/scaling.md")

// The tables in docs/scaling.md match the measurements.
func TestDocumentIsCurrent(t *testing.T) {
	const (
		file  = "../../docs/scaling.md"
		begin = "<!-- tables: begin -->\n"
		end   = "<!-- tables: end -->\n"
	)
	r, err := ReadReport("measured.json")
	if err != nil {
		t.Fatal(err)
	}
	var tables strings.Builder
	if err := r.Markdown(&tables, Scenarios()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, also := strings.Cut(rest, end)
	if !ok || !also {
		t.Fatalf("%s has no place for the tables", file)
	}
	want := head + begin + "\n" + tables.String() + "\n" + end + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(text) != want {
		t.Errorf("%s is not current: run go test ./deploy/capacity -update", file)
	}
}
