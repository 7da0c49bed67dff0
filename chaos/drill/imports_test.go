package drill_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestADrillIsParsedWithoutAWebFramework checks that this package and its dependencies do
// not import the services' web framework.
func TestADrillIsParsedWithoutAWebFramework(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("list the imports: %v", err)
	}
	if !strings.Contains(string(out), "firedrill/apps/fault/kinds\n") {
		t.Fatalf("the list lacks the catalogue of faults:\n%s", out)
	}
	for pkg := range strings.Lines(string(out)) {
		for _, heavy := range []string{"github.com/gofiber/", "github.com/valyala/", "firedrill/apps/internal/"} {
			if strings.HasPrefix(pkg, heavy) {
				t.Errorf("package drill links %s", strings.TrimSpace(pkg))
			}
		}
	}
}
