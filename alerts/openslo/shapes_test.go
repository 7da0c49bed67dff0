package openslo_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"firedrill/alerts/openslo"
	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/internal/golden"
)

var update = flag.Bool("update", false, "write the table in docs/slo.md anew")

// TestShapesArePublished reads one file of each shape that objectives have in the examples of Sloth, OpenSLO and Pyrra, and
// compares what came of it with the table in docs/slo.md. What is read makes rules.
func TestShapesArePublished(t *testing.T) {
	files, err := filepath.Glob("testdata/shapes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no shapes: %v", err)
	}
	var table strings.Builder
	table.WriteString("| shape | outcome | words |\n| --- | --- | --- |\n")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		outcome, words := shape(t, name, text)
		words = strings.ReplaceAll(strings.ReplaceAll(words, "\n", "; "), "|", `\|`)
		fmt.Fprintf(&table, "| [%s](../alerts/openslo/testdata/shapes/%s) | %s | %s |\n", name, filepath.Base(file), outcome, words)
	}
	const page, begin, end = "../../docs/slo.md", "<!-- table: shapes -->\n", "<!-- end of table: shapes -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has no place for the table", page)
	}
	golden.Check(t, page, *update, []byte(before+begin+table.String()+end+after))
}

// shape reads a text as its user would, and returns what came of it.
func shape(t *testing.T, name string, text []byte) (outcome, words string) {
	t.Helper()
	if strings.HasPrefix(name, "sloth") {
		specs, err := slo.ParseAll(name+".yaml", text)
		if err != nil {
			return "refused", reason(err)
		}
		makesRules(t, name, specs)
		return "read as it is", ""
	}
	got, err := openslo.Import(name+".yaml", text)
	switch {
	case err != nil:
		return "refused", reason(err)
	case len(got.Skipped) > 0:
		return "cannot be expressed", strings.Join(got.Skipped, "\n")
	}
	for service, text := range got.Specs {
		specs, err := slo.ParseAll(service, text)
		if err != nil {
			t.Errorf("%s: what was imported cannot be read: %v", name, err)
		}
		makesRules(t, name, specs)
	}
	if len(got.Changed) > 0 {
		return "imported, changed", strings.Join(got.Changed, "\n")
	}
	return "imported", ""
}

// reason returns the words of an error without the file and the line.
func reason(err error) string {
	var p *slo.SpecError
	if errors.As(err, &p) {
		return "`" + p.Key + "`: " + p.Reason
	}
	return err.Error()
}

// makesRules checks that rules can be made of specs, at both scales.
func makesRules(t *testing.T, name string, specs []slo.Spec) {
	t.Helper()
	for _, spec := range specs {
		for _, clock := range []slo.Clock{slo.Production(), slo.Workshop()} {
			if _, err := rules.Build(spec, rules.Options{Policy: slo.Default(), Clock: clock}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
