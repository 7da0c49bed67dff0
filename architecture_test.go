// Package firedrill holds tests of the whole repository, such as that of the import table. It has no other
// code.
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

	"firedrill/internal/topology"
)

const module = "firedrill"

// mayImport is the import table. A package may import the packages in its own row and in its own folder, and
// nothing else of this module. The longest prefix of a package's path selects the row.
var mayImport = map[string][]string{
	"cmd":        {"telemetry", "apps", "loadgen", "chaos", "alerts", "dashboards", "deploy", "console"},
	"console":    {"alerts/slo"}, // all else comes through interfaces that it declares
	"dashboards": {"telemetry", "alerts/slo"},
	"loadgen":    {"telemetry"},
	"deploy":     {"telemetry"},
	"telemetry":  {},
	"internal":   {}, // may be imported by all but telemetry

	// A drill is parsed and run without Fiber. Of the shop, chaos may import the catalogue of faults and the
	// client that controls a service's faults.
	"chaos":           {"telemetry", "apps/fault/kinds"},
	"chaos/drill":     {"apps/fault/kinds"},
	"chaos/run":       {"chaos/drill"},
	"chaos/fault":     {"apps/fault/kinds", "apps/fault/client", "chaos/drill", "chaos/run"},
	"chaos/observe":   {"telemetry", "chaos/drill", "chaos/run"},
	"chaos/report":    {"chaos/drill", "chaos/run"},
	"chaos/session":   {"telemetry", "chaos/drill", "chaos/run", "chaos/fault", "chaos/observe", "chaos/report"},
	"chaos/game":      {"apps/fault/kinds", "chaos/drill", "chaos/run", "chaos/report"},
	"chaos/chaosmesh": {"apps/fault/kinds", "chaos/drill"},

	// sim -> rules -> slo; the other packages of alerts may import all three.
	"alerts":       {"telemetry", "alerts"},
	"alerts/slo":   {"telemetry"},
	"alerts/rules": {"telemetry", "alerts/slo"},
	"alerts/sim":   {"telemetry", "alerts/slo", "alerts/rules"},

	// The rows of the services are in shopMayImport: allowed imports mirror the call graph.
	"apps/internal": {"telemetry"},
	"apps/fault":    {"telemetry", "apps/internal", "apps/fault/kinds", "apps/fault/client"},

	// Data and a client, for packages that must not link the services.
	"apps/fault/kinds":  {},
	"apps/fault/client": {},
}

// testsMayImport lists what the tests of a folder may import beyond mayImport.
var testsMayImport = map[string][]string{
	"chaos/fault": {"apps/fault"}, // they test a service's own faults
}

// shopMayImport returns the rows of the services: their shell, and the clients of the services that they call.
func shopMayImport() map[string][]string {
	lines := map[string][]string{}
	for service, calls := range topology.Calls() {
		folders := []string{"telemetry", "apps/internal", "apps/fault"}
		for _, called := range calls {
			folders = append(folders, "apps/"+called)
		}
		lines["apps/"+service] = folders
	}
	return lines
}

// table returns the whole import table.
func table() map[string][]string {
	all := shopMayImport()
	maps.Copy(all, mayImport)
	return all
}

// under reports whether a package is folder or below it.
func under(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// line returns the row of a package: the longest folder of the table that contains pkg, or "" if there is none.
func line(pkg string) string {
	longest := ""
	for folder := range table() {
		if under(pkg, folder) && len(folder) > len(longest) {
			longest = folder
		}
	}
	return longest
}

// allowed returns nil if package from may import package to. Both are paths within the module.
func allowed(from, to string) error {
	own := line(from)
	if own == "" {
		return fmt.Errorf("%s has no line in the import table", from)
	}
	if own == "cmd" && under(to, "cmd") {
		if slices.Equal(strings.SplitN(from, "/", 3)[:2], strings.SplitN(to, "/", 3)[:2]) {
			return nil // part of the same command
		}
		return fmt.Errorf("%s imports %s: commands do not share code", from, to)
	}
	if line(to) == own || line(to) == "internal" && own != "telemetry" {
		return nil
	}
	for _, folder := range table()[own] {
		if under(to, folder) {
			return nil
		}
	}
	return fmt.Errorf("%s imports %s: it may import %v", from, to, table()[own])
}

func TestImportTable(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipped(path, d.Name())
		}
		if !strings.HasSuffix(path, ".go") || !strings.Contains(path, string(filepath.Separator)) {
			return nil
		}
		files++
		imports, err := importsOf(path)
		if err != nil {
			return err
		}
		from := filepath.ToSlash(filepath.Dir(path))
		for _, to := range imports {
			err := allowed(from, to)
			if err != nil && strings.HasSuffix(path, "_test.go") && slices.Contains(testsMayImport[from], to) {
				err = nil
			}
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("no Go file was found")
	}
}

// TestCallsAreImports checks that a service imports the clients of exactly the services that it calls according
// to topology.
func TestCallsAreImports(t *testing.T) {
	folders, err := os.ReadDir("apps")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, folder := range folders {
		if !folder.IsDir() || folder.Name() == "internal" || folder.Name() == "fault" {
			continue
		}
		files, err := filepath.Glob(filepath.Join("apps", folder.Name(), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		called := map[string]bool{}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			imports, err := importsOf(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range imports {
				if name, ok := strings.CutPrefix(path, "apps/"); ok && !under(path, "apps/internal") && !under(path, "apps/fault") {
					called[name] = true
				}
			}
		}
		got[folder.Name()] = slices.Sorted(maps.Keys(called))
	}
	if want := topology.Calls(); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the services import the clients of %v, but topology says that they call %v", got, want)
	}
}

// skipped returns filepath.SkipDir for hidden folders, test data, and nested modules.
func skipped(path, name string) error {
	if path == "." {
		return nil
	}
	if strings.HasPrefix(name, ".") || name == "testdata" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// importsOf returns the paths within the module that a file imports, whatever its build tags.
func importsOf(path string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var ours []string
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if rest, ok := strings.CutPrefix(name, module+"/"); ok {
			ours = append(ours, rest)
		}
	}
	return ours, nil
}

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"cmd/shop", "apps/orders", true},
		{"cmd/shop", "cmd/firedrill", false},
		{"cmd/firedrill", "cmd/firedrill/table", true},
		{"telemetry", "apps/orders", false},
		{"telemetry/server", "telemetry", true},
		{"apps/gateway", "apps/orders", true},
		{"apps/gateway", "apps/payments", false},
		{"apps/orders", "apps/gateway", false},
		{"apps/shipping", "apps/orders", true},
		{"apps/internal/web", "apps/orders", false},
		{"apps/orders", "deploy/verify", false},
		{"apps/newcomer", "telemetry", false},
		{"chaos/drill", "apps/fault/kinds", true},
		{"chaos/drill", "apps/fault", false},
		{"chaos/drill", "chaos/run", false},
		{"chaos/run", "chaos/drill", true},
		{"chaos/run", "chaos/fault", false},
		{"chaos/run", "internal/backend", true},
		{"chaos/fault", "chaos/run", true},
		{"chaos/fault", "apps/fault/client", true},
		{"chaos/fault", "apps/fault", false},
		{"chaos/session", "chaos/observe", true},
		{"chaos/session", "chaos/game", false},
		{"chaos/session", "deploy/stack", false},
		{"chaos/session", "alerts/slo", false},
		{"chaos/game", "chaos/session", false},
		{"chaos/newcomer", "apps/orders", false},
		{"chaos/newcomer", "loadgen", false},
		{"apps/fault/kinds", "apps/internal/web", false},
		{"apps/fault", "apps/fault/kinds", true},
		{"loadgen", "chaos", false},
		{"dashboards", "alerts/slo", true},
		{"dashboards", "alerts/rules", false},
		{"alerts/slo", "alerts/rules", false},
		{"alerts/rules", "alerts/slo", true},
		{"alerts/sim", "alerts/rules", true},
		{"alerts/history", "alerts/slo", true},
		{"alerts/history", "apps/orders", false},
		{"deploy/verify", "deploy/stack", true},
		{"loadgen", "internal/machine", true},
		{"telemetry", "internal/machine", false},
		{"internal/machine", "internal/other", true},
		{"internal/machine", "telemetry", false},
	} {
		if err := allowed(c.from, c.to); (err == nil) != c.want {
			t.Errorf("%s imports %s: allowed %v, want %v (%v)", c.from, c.to, err == nil, c.want, err)
		}
	}
}
