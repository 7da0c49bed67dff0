package report

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"firedrill/internal/term"
	"firedrill/loadgen/result"
)

// partOf returns the example run up to a time.
func partOf(elapsed time.Duration) *result.Result {
	random := rand.New(rand.NewPCG(1, 1))
	c := result.New(exampleMeta(), result.Options{Intended: exampleIntended})
	seq := uint64(0)
	for due := time.Duration(0); due < elapsed; due += 100 * time.Microsecond {
		for ; seq < exampleIntended(due+100*time.Microsecond); seq++ {
			addExample(c, random, seq, due)
		}
	}
	return c.Snapshot(elapsed)
}

var budgets = []Budget{{"errors < 1%", 0.87}, {"errors < 0.01%", -1.5}}

func TestPlainLinesWhenNoTerminal(t *testing.T) {
	var b bytes.Buffer
	l := NewLive(&b)
	for elapsed := time.Second; elapsed <= 12*time.Second; elapsed += time.Second {
		if err := l.Show(partOf(elapsed), budgets); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 3 || strings.Contains(b.String(), "\x1b") {
		t.Fatalf("%d lines:\n%s", len(lines), b.String())
	}
	const want = "   10s  stage 1/2 warm up  43.8/s of 43.8/s  lag p99 79.0 µs  failed 0  p50 "
	if !strings.HasPrefix(lines[2], want) || !strings.HasSuffix(lines[2], "budget of errors < 1% 87 % left  budget of errors < 0.01% spent 2.5 times") {
		t.Errorf("third line:\n%s\nwant\n%s…", lines[2], want)
	}
}

func TestTerminalBlock(t *testing.T) {
	var b bytes.Buffer
	l := &Live{display: term.Terminal(&b, true, func() int { return 70 })}
	if err := l.Show(partOf(44*time.Second), budgets); err != nil {
		t.Fatal(err)
	}
	first := b.String()
	golden(t, "live.txt", []byte(strings.NewReplacer("\x1b[K", "", "\x1b[J", "").Replace(first)))
	for line := range strings.Lines(first) {
		if n := utf8.RuneCountInString(strings.TrimRight(strings.ReplaceAll(line, "\x1b[K", ""), "\n")); n > 69 {
			t.Errorf("a line of %d letters wraps: %s", n, line)
		}
	}
	b.Reset()
	if err := l.Show(partOf(45*time.Second), budgets[:1]); err != nil {
		t.Fatal(err)
	}
	if again := b.String(); !strings.HasPrefix(again, "\r\x1b[9A") || strings.Contains(again, "\x1b[2J") || strings.Count(again, "\x1b[K\n") != 8 {
		t.Errorf("the second frame does not stand in the first one's place: %q", again)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLiveOfAnUnpacedRunThatJustBegan(t *testing.T) {
	c := result.New(result.Meta{Target: "http://127.0.0.1"}, result.Options{})
	for _, width := range []int{0, 5, 200} {
		var b bytes.Buffer
		l := &Live{display: term.Terminal(&b, true, func() int { return width })}
		if err := l.Show(c.Snapshot(0), nil); err != nil {
			t.Error(err)
		}
		if strings.Contains(b.String(), "NaN") {
			t.Errorf("shows %s", b.String())
		}
	}
}

func TestSpark(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   string
	}{
		{[]float64{1, 10, 100, 0, 1}, "▁▅█ ▁"}, {[]float64{5, 5.1, 5}, "▁▁▁"}, {nil, ""}, {[]float64{0, 0}, "  "},
	} {
		if got := spark(test.values); got != test.want {
			t.Errorf("spark(%v) = %q, want %q", test.values, got, test.want)
		}
	}
}
