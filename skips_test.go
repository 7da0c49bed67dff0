package firedrill

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// skipReason begins the comment that says why a skip is right on every CI machine. The comment is on the line
// of the skip or on the line before.
const skipReason = "// skip-ok: "

// skipsWithoutReason returns the positions in a file where a test is skipped without a comment that gives a
// reason.
func skipsWithoutReason(name string, text any) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(file.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == strconv.Quote("testing") }) {
		return nil, nil
	}
	excused := map[int]bool{}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if reason, ok := strings.CutPrefix(c.Text, skipReason); ok && strings.TrimSpace(reason) != "" {
				line := files.Position(c.Pos()).Line
				excused[line], excused[line+1] = true, true
			}
		}
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, method.Sel.Name) {
			return true
		}
		if at := files.Position(call.Pos()); !excused[at.Line] {
			found = append(found, fmt.Sprintf("%s:%d", name, at.Line))
		}
		return true
	})
	return found, nil
}

// goFiles calls do for every Go file of the repository, with those of nested modules.
func goFiles(t *testing.T, do func(path string) error) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"testdata", "node_modules"}, d.Name())) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		files++
		return do(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("there are no Go files")
	}
}

// TestNothingIsSkippedWithoutAReason checks every skip of a test. With CI=true it must fail instead, by
// prerequisite.Missing, or a comment must say why the skip is right on every CI machine.
func TestNothingIsSkippedWithoutAReason(t *testing.T) {
	goFiles(t, func(path string) error {
		found, err := skipsWithoutReason(path, nil)
		for _, at := range found {
			t.Errorf("%s: a skip without a reason: use internal/prerequisite, which fails in CI, or say \"%s…\"", at, skipReason)
		}
		return err
	})
}

func TestSkipsWithoutReason(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"no skip", `t.Log("x")`, nil},
		{"a skip", `t.Skip("x")`, []string{"a_test.go:4"}},
		{"each kind", "t.Skip()\nt.Skipf(\"x\")\nt.SkipNow()", []string{"a_test.go:4", "a_test.go:5", "a_test.go:6"}},
		{"a reason on the line", `t.Skip("x") // skip-ok: the other case covers it`, nil},
		{"a reason before", "// skip-ok: the other case covers it\nt.Skip()", nil},
		{"an empty reason", `t.Skip("x") // skip-ok: `, []string{"a_test.go:4"}},
		{"a reason too far away", "// skip-ok: no\n\nt.Skip()", []string{"a_test.go:6"}},
		{"in a closure, of a benchmark", "f := func(b *testing.B) { b.Skip() }\nf(nil)", []string{"a_test.go:4"}},
	} {
		got, err := skipsWithoutReason("a_test.go", "package a\nimport \"testing\"\nfunc TestA(t *testing.T) {\n"+c.body+"\n}\n")
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

// raceConstraint returns what is wrong with the parts of a test file's build constraint that concern the race
// detector. .ci/without-race runs only the tests in files with "!race"; it would not find others.
func raceConstraint(text string) string {
	for line := range strings.Lines(text) {
		if !constraint.IsGoBuild(line) {
			continue
		}
		expr, err := constraint.Parse(strings.TrimSpace(line))
		if err != nil {
			return err.Error()
		}
		if names := expr.String(); strings.Contains(names, "race") && names != "!race" {
			return fmt.Sprintf("the constraint is %q, want \"!race\"", names)
		}
	}
	return ""
}

// TestWithoutRaceFindsItsTests checks that tests that do not run with the race detector are in files with the
// constraint "!race". .ci/without-race finds these files by itself.
func TestWithoutRaceFindsItsTests(t *testing.T) {
	goFiles(t, func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		if wrong := raceConstraint(string(text)); wrong != "" {
			t.Errorf("%s: %s", path, wrong)
		}
		return nil
	})
	for text, want := range map[string]string{
		"//go:build !race\n": "", "//go:build linux\n": "", "package a\n": "", "//go:build race\n": "the constraint is \"race\", want \"!race\"",
		"//go:build !race && linux\n": "the constraint is \"!race && linux\", want \"!race\"",
	} {
		if got := raceConstraint(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
