package telemetry_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The README shows the example as it compiles and the metrics as they are.
func TestReadmeIsUpToDate(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := replace(t, string(readme), regexp.MustCompile("(?s)(```go\n).*?(```\n)"), example(t))
	text = replace(t, text, regexp.MustCompile(`(?s)(<!-- metrics[^\n]*-->\n).*?(<!-- end of metrics -->\n)`), table(t))
	golden(t, "README.md", []byte(text))
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
	var b strings.Builder
	b.WriteString("\n| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n")
	for _, m := range metrics(t) {
		if !strings.HasPrefix(m.Name, "http_") && !strings.HasPrefix(m.Name, "go_sql_") && !strings.HasPrefix(m.Name, "telemetry_") {
			continue
		}
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Type, labels, strings.ReplaceAll(m.Help, "|", "\\|"))
	}
	return b.String() + "\n"
}
