package firedrill

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// modules returns the folders of all modules in the repository. The folder of the root module is ".".
func modules(t *testing.T) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && path != ".ci" && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if d.Name() == "go.mod" {
			folders = append(folders, filepath.Dir(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(folders, ".") || len(folders) < 2 {
		t.Fatalf("modules %v: want the root and nested ones", folders)
	}
	return folders
}

// readModule reads the go.mod of a folder.
func readModule(folder string) (*modfile.File, error) {
	name := filepath.Join(folder, "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the module: %w", err)
	}
	return modfile.Parse(name, text, nil)
}

// importsOfModule returns the paths that the Go files of a module import, whatever their build tags, each with
// one of the files.
func importsOfModule(folder string) (map[string]string, error) {
	imports := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != folder {
			return skipped(path, d.Name())
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			imports[name] = path
		}
		return nil
	})
	return imports, err
}

// provider returns the required module that contains the package, or "" if there is none.
func provider(mod *modfile.File, path string) string {
	longest := ""
	for _, r := range mod.Require {
		if under(path, r.Mod.Path) && len(r.Mod.Path) > len(longest) {
			longest = r.Mod.Path
		}
	}
	return longest
}

// toolModules returns the required modules that contain the module's tools.
func toolModules(mod *modfile.File) map[string]bool {
	tools := map[string]bool{}
	for _, tool := range mod.Tool {
		tools[provider(mod, tool.Path)] = true
	}
	return tools
}

// directModules compares a go.mod with the imports of its module, which map each path to a file. It returns the
// errors: an import that no requirement provides, an imported module that is marked "// indirect", and a module
// without this mark that is neither imported nor contains a tool. "go mod tidy" would fix all three.
func directModules(mod *modfile.File, imports map[string]string) []string {
	var wrong []string
	direct := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		first, _, _ := strings.Cut(path, "/")
		if own := mod.Module.Mod.Path; !strings.Contains(first, ".") && first != module || under(path, own) {
			continue // the standard library, or the module itself
		}
		home := provider(mod, path)
		if home == "" {
			wrong = append(wrong, fmt.Sprintf("%s imports %s, which no required module provides", imports[path], path))
		}
		direct[home] = true
	}
	tools := toolModules(mod)
	for _, r := range mod.Require {
		switch path := r.Mod.Path; {
		case direct[path] && r.Indirect:
			wrong = append(wrong, path+" is imported, but marked // indirect")
		case !direct[path] && !tools[path] && !r.Indirect:
			wrong = append(wrong, path+" is imported nowhere, but not marked // indirect")
		}
	}
	return wrong
}

func TestEveryModuleNamesItsDirectDependencies(t *testing.T) {
	for _, folder := range modules(t) {
		mod, err := readModule(folder)
		if err != nil {
			t.Fatal(err)
		}
		imports, err := importsOfModule(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range directModules(mod, imports) {
			t.Errorf("%s/go.mod: %s; run \"make tidy\"", folder, wrong)
		}
	}
}

func TestDirectModules(t *testing.T) {
	const requires = "module firedrill/bench\nrequire (\n\tfiredrill v0.0.0\n\texample.org/a v1.0.0\n\texample.org/a/sub v1.0.0 // indirect\n" +
		"\texample.org/tools v1.0.0\n)\ntool example.org/tools/cmd/x\n"
	mod, err := modfile.Parse("go.mod", []byte(requires), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		imports []string
		want    []string
	}{
		{"tidy", []string{"fmt", "firedrill/telemetry", "firedrill/bench/x", "example.org/a/b"}, nil},
		{"nothing is imported", []string{"fmt"},
			[]string{"firedrill is imported nowhere, but not marked // indirect", "example.org/a is imported nowhere, but not marked // indirect"}},
		{"the longest path provides", []string{"firedrill", "example.org/a", "example.org/a/sub/c"}, []string{"example.org/a/sub is imported, but marked // indirect"}},
		{"not provided", []string{"firedrill", "example.org/a", "example.org/ab"}, []string{"x.go imports example.org/ab, which no required module provides"}},
	} {
		imports := map[string]string{}
		for _, path := range c.imports {
			imports[path] = "x.go"
		}
		if got := directModules(mod, imports); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestArchitectureGivesAReasonForEveryDependency compares the lists in docs/architecture.md with the go.mod
// files, in both directions. A module without packages only pins programs, which the lists leave out.
func TestArchitectureGivesAReasonForEveryDependency(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## What it stands on\n")
	if !ok {
		t.Fatal("docs/architecture.md has no section \"What it stands on\"")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	said := map[string]string{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 2 {
			continue
		}
		for name := range strings.SplitSeq(cells[0], ",") {
			if name = strings.TrimSpace(name); strings.HasPrefix(name, "`") {
				said[strings.Trim(name, "`")] = strings.TrimSpace(cells[1])
			}
		}
	}
	required := map[string]bool{}
	for _, folder := range modules(t) {
		mod, err := readModule(folder)
		if err != nil {
			t.Fatal(err)
		}
		imports, err := importsOfModule(folder)
		if err != nil {
			t.Fatal(err)
		}
		tools := toolModules(mod)
		for _, r := range mod.Require {
			if path := r.Mod.Path; path != module && (!r.Indirect || tools[path] && len(imports) > 0) {
				required[path] = true
				if said[path] == "" {
					t.Errorf("docs/architecture.md gives no reason for %s, which %s/go.mod requires", path, folder)
				}
			}
		}
	}
	for name := range said {
		if !required[name] {
			t.Errorf("docs/architecture.md gives a reason for %s, which no go.mod requires directly", name)
		}
	}
}
