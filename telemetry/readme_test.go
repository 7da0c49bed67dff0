package telemetry_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"firedrill/internal/contract"
	"firedrill/telemetry/telemetrytest"
)

// The README shows the example as it compiles and the metrics as they are.
func TestReadmeIsUpToDate(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := replace(t, string(readme), regexp.MustCompile("(?s)(```go\n).*?(```\n)"), example(t))
	text = replace(t, text, regexp.MustCompile(`(?s)(<!-- metrics[^\n]*-->\n).*?(<!-- end of metrics -->\n)`), table(t))
	telemetrytest.Golden(t, "README.md", *update, []byte(text))
}

// replace puts text between what the pattern's two groups match, which they must once.
func replace(t *testing.T, in string, pattern *regexp.Regexp, text string) string {
	t.Helper()
	at := pattern.FindAllStringSubmatchIndex(in, -1)
	if len(at) != 1 {
		t.Fatalf("the README has %d places for %v, want 1", len(at), pattern)
	}
	return in[:at[0][3]] + text + in[at[0][4]:]
}

// example is the function serve.
func example(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(source), "\nfunc serve(")
	body, _, closed := strings.Cut(after, "\n}\n")
	if !found || !closed {
		t.Fatal("example_test.go has no function serve")
	}
	return strings.ReplaceAll("func serve("+body+"\n}\n", "\t", "    ")
}

// table lists the library's own metrics.
func table(t *testing.T) string {
	t.Helper()
	all, err := contract.ReadFiles("metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	var own contract.Contract
	for _, m := range all.Metrics {
		if strings.HasPrefix(m.Name, "http_") || strings.HasPrefix(m.Name, "go_sql_") || strings.HasPrefix(m.Name, "telemetry_") {
			own.Metrics = append(own.Metrics, m)
		}
	}
	var b strings.Builder
	if err := own.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	return "\n" + b.String() + "\n"
}
