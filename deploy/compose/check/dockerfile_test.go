package check

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stages parses the Dockerfile as BuildKit does. The test fails if BuildKit's linter has a warning.
func stages(t *testing.T) map[string]instructions.Stage {
	t.Helper()
	file, err := os.Open(filepath.Join(root(t), "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	parsed, err := parser.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	warn := func(rule, _, _, message string, _ []parser.Range) { t.Errorf("%s: %s", rule, message) }
	all, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{Warn: warn}))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]instructions.Stage{}
	for _, s := range all {
		named[s.Name] = s
	}
	return named
}

// text returns all instructions of a stage and of the stages that it is based on.
func text(named map[string]instructions.Stage, name string) string {
	s, there := named[name]
	if !there {
		return ""
	}
	lines := []string{text(named, s.BaseName), s.SourceCode}
	for _, c := range s.Commands {
		if line, ok := c.(interface{ String() string }); ok {
			lines = append(lines, line.String())
		}
	}
	return strings.Join(lines, "\n")
}

func TestDockerfile(t *testing.T) {
	named := stages(t)
	if base := named["build"].BaseName; !regexp.MustCompile(`^golang:\d+\.\d+\.\d+-alpine\d+\.\d+$`).MatchString(base) {
		t.Errorf("built with %s, want an exact version", base)
	}
	if base := named["base"].BaseName; base != "scratch" {
		t.Errorf("the images are based on %q, want nothing", base)
	}
	for stage, wants := range map[string][]string{
		"shop":      {"USER 65532:65532", `ENTRYPOINT ["/shop"]`, `CMD ["/shop", "healthcheck", "all"]`, "ENV SHOP_DATA=/data"},
		"firedrill": {"USER 65532:65532", `ENTRYPOINT ["/firedrill"]`},
	} {
		got := strings.ReplaceAll(text(named, stage), `","`, `", "`)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("stage %s lacks %s:\n%s", stage, want, got)
			}
		}
	}
}

// The targets that compose.yaml builds exist.
func TestTargets(t *testing.T) {
	named := stages(t)
	var built []string
	for _, s := range project(t, copyOf(t, 0)).Services {
		if s.Build == nil {
			continue
		}
		built = append(built, s.Image)
		if _, there := named[s.Build.Target]; !there || s.Build.Context != root(t) {
			t.Errorf("%s is built from target %q in %s", s.Name, s.Build.Target, s.Build.Context)
		}
	}
	slices.Sort(built)
	if want := []string{"firedrill/firedrill:v1", "firedrill/shop:v1"}; !slices.Equal(built, want) {
		t.Errorf("builds %v, want %v", built, want)
	}
}
