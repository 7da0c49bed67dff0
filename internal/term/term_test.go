package term

import (
	"os"
	"strings"
	"testing"
)

func width(n int) func() int { return func() int { return n } }

func TestDisplay(t *testing.T) {
	draw := func(d *Display) {
		for _, err := range []error{d.Line("one"), d.Line("a long second"), d.Print("kept"), d.Line("x"), d.Clear(), d.Clear(), d.End()} {
			if err != nil {
				t.Error(err)
			}
		}
	}
	for name, tt := range map[string]struct {
		display func(*strings.Builder) *Display
		want    string
	}{
		"terminal": {
			func(b *strings.Builder) *Display { return Terminal(b, true, width(9)) },
			"\r\x1b[Kone\r\x1b[Ka long …\r\x1b[Kkept\n\r\x1b[Kx\r\x1b[K",
		},
		"pipe": {
			func(b *strings.Builder) *Display { return New(b, os.Getenv) },
			"one\na long second\nkept\nx\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			draw(tt.display(&b))
			if b.String() != tt.want {
				t.Errorf("got  %q\nwant %q", b.String(), tt.want)
			}
		})
	}
}

func TestBlock(t *testing.T) {
	var b strings.Builder
	d := Terminal(&b, true, width(6))
	for _, lines := range [][]string{{"one", "second"}, {"x"}} {
		if err := d.Block(lines); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.End(); err != nil {
		t.Fatal(err)
	}
	if want := "one\x1b[K\nseco…\x1b[K\n\x1b[J\r\x1b[2Ax\x1b[K\n\x1b[J\n"; b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
}

// A file that is not a terminal is written to like a pipe.
func TestNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if d := New(f, func(string) string { return "" }); d.InPlace() || d.Width() != 0 || d.Paint(Red, "x") != "x" {
		t.Errorf("%+v", d)
	}
}

func TestPaint(t *testing.T) {
	for _, tt := range []struct {
		color bool
		style Style
		want  string
	}{{true, Red, "\x1b[31mx\x1b[0m"}, {true, "", "x"}, {false, Red, "x"}} {
		if got := Terminal(nil, tt.color, width(80)).Paint(tt.style, "x"); got != tt.want {
			t.Errorf("%v %q: %q, want %q", tt.color, tt.style, got, tt.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"äöüß", 2, "ä…"}, {"ab", 1, "…"}, {"ab", 0, ""}, {"ab", -1, ""}, {"", 0, ""}} {
		if got := Cut(tt.text, tt.width); got != tt.want {
			t.Errorf("%q to %d: %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}
