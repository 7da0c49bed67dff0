package report

import (
	"bytes"
	"errors"
	"flag"
	stdhtml "html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/net/html"

	"firedrill/loadgen/result"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares got with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not as before (-update accepts it):\n%s", name, got)
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, exampleRun()); err != nil {
		t.Fatal(err)
	}
	golden(t, "steady.txt", b.Bytes())
}

func TestTextTellsAnInvalidRunFirst(t *testing.T) {
	r := exampleRun()
	r.Validity = result.Validity{Reasons: []string{"it lagged", "it was interrupted"}, Notes: []string{"one was late"}}
	r.Thresholds[0].OK = true
	for _, tc := range []struct {
		unclear, broken bool
		want            []string
	}{
		{false, false, []string{"INVALID: it lagged; it was interrupted", "note: one was late"}},
		{true, false, []string{"INVALID: it lagged; it was interrupted; errors < 5%: 0.52%", "note: one was late"}},
		{false, true, []string{
			"BROKEN: errors < 5%: 0.52%", "note: not the load that the profile describes: it lagged",
			"note: not the load that the profile describes: it was interrupted", "note: one was late",
		}},
	} {
		r.Thresholds[1].OK, r.Thresholds[1].Unclear = !tc.unclear && !tc.broken, tc.unclear
		var b bytes.Buffer
		if err := Text(&b, r); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Split(b.String(), "\n"); !slices.Equal(lines[1:1+len(tc.want)], tc.want) {
			t.Errorf("says %q, want %q", lines[1:1+len(tc.want)], tc.want)
		}
		b.Reset()
		if err := HTML(&b, r); err != nil || !strings.Contains(b.String(), stdhtml.EscapeString(tc.want[0])) {
			t.Errorf("%v: the page does not say %q", err, tc.want[0])
		}
	}
}

// TestReportsSayThatRatesWereMultiplied checks that a report says when the rates are not
// the profile's.
func TestReportsSayThatRatesWereMultiplied(t *testing.T) {
	for scale, want := range map[float64]string{0: "steady  http", 1: "steady  http", 0.48: "steady at 0.48 times its rates  http"} {
		r := exampleRun()
		r.Meta.RateScale = scale
		var text, page bytes.Buffer
		if err := errors.Join(Text(&text, r), HTML(&page, r)); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text.String(), want) {
			t.Errorf("times %v: the text begins with %.60s, want %s", scale, text.String(), want)
		}
		if title := strings.TrimSuffix(want, "  http"); !strings.Contains(page.String(), "<h1>"+title+"<") {
			t.Errorf("times %v: the page is not titled %q", scale, title)
		}
	}
}

func TestReportsOfNothing(t *testing.T) {
	empty := result.New(result.Meta{}, result.Options{}).Finish(result.Ending{})
	for name, write := range map[string]func(io.Writer, *result.Result) error{"text": Text, "html": HTML, "hdr": HDRLog} {
		if err := write(io.Discard, empty); err != nil {
			t.Errorf("%s of a run without requests: %v", name, err)
		}
		if err := write(full{}, exampleRun()); !errors.Is(err, errFull) {
			t.Errorf("%s to a full disk: %v", name, err)
		}
	}
}

// errFull is the error of a full disk.
var errFull = errors.New("no space left on device")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestPageNeedsNothingElse(t *testing.T) {
	r := exampleRun()
	r.Meta.Profile = `</title><script>alert("x")</script>`
	r.Meta.TraceURL = "javascript:alert('{trace_id}')"
	var b bytes.Buffer
	if err := HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, tag := range []string{"<script", "<link", "<img", "<iframe", "@import", "url(", `="javascript`} {
		if strings.Contains(page, tag) {
			t.Errorf("the page has %s", tag)
		}
	}
	for _, want := range []string{"Response latency over time", "Percentiles", "Rate: intended, sent and answered", "Failed requests", "1 of 3 thresholds broken", "whole journeys"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestPageIsWellFormedAndLinksTraces(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, exampleRun()); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	links, charts, numbers := 0, 0, regexp.MustCompile(`NaN|Inf|%!`)
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if numbers.MatchString(a.Val) {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
			if a.Key == "href" && strings.HasPrefix(a.Val, "http://127.0.0.1:3000/explore?trace=ab") {
				links++
			}
		}
		if n.Data == "svg" {
			charts++
		}
	}
	if links < 20 || charts != 4 {
		t.Errorf("%d links to traces, %d charts", links, charts)
	}
}

func TestHDRLogIsReadBack(t *testing.T) {
	r := exampleRun()
	var b bytes.Buffer
	if err := HDRLog(&b, r); err != nil {
		t.Fatal(err)
	}
	counts, first := map[string]int64{}, int64(0)
	reader := hdrhistogram.NewHistogramLogReader(&b)
	for {
		h, err := reader.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		if first == 0 {
			first = h.StartTimeMs()
		}
		counts[h.Tag()] += h.TotalCount()
	}
	if counts["browse"] != 4080 || counts["checkout"] != 2031 || counts["journey:checkout"] != 1020 {
		t.Errorf("the log holds %v", counts)
	}
	if first != r.Meta.Start.UnixMilli() {
		t.Errorf("the log begins at %d", first)
	}
}

func TestFormats(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", 87 * time.Microsecond: "87.0 µs", 999600 * time.Nanosecond: "1.00 ms", 4123 * time.Microsecond: "4.12 ms",
		99960 * time.Microsecond: "100 ms", 910 * time.Millisecond: "910 ms", 999600 * time.Microsecond: "1.00 s", 123456 * time.Millisecond: "123 s",
		-12 * time.Millisecond: "-12.0 ms",
	} {
		if got := Latency(d); got != want {
			t.Errorf("Latency(%d) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1500: "1.50 kB", 12_500_000: "12.5 MB", 3_000_000_000_000_000: "3000 TB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	if got := Rate(13638.4); got != "13,638/s" {
		t.Errorf("Rate: %q", got)
	}
	if got := Share(1, 1_000_000); got != "< 0.01 %" {
		t.Errorf("Share: %q", got)
	}
}
