package sim

import (
	"bytes"
	"flag"
	"testing"

	"firedrill/internal/golden"
)

var update = flag.Bool("update", false, "write golden files")

// The results in the documentation match the simulation of the month.
func TestShownMonthIsCurrent(t *testing.T) {
	report, err := Replay(t.Context(), catalogue(t), sets(t), Options{Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	var text, picture bytes.Buffer
	if err := report.Write(&text); err != nil {
		t.Fatal(err)
	}
	if err := report.Draw(&picture); err != nil {
		t.Fatal(err)
	}
	for file, got := range map[string][]byte{"../incidents/month.txt": text.Bytes(), "../incidents/month.svg": picture.Bytes()} {
		golden.Check(t, file, *update, got)
	}
}
