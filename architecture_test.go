// Package firedrill holds the test of the house's import table and nothing else.
package firedrill

import (
	"fmt"
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

const module = "firedrill"

// mayImport is the import table: a package may import those of its own line and
// of its own folder, and nothing else of this module. The longest prefix of a
// package's path decides.
var mayImport = map[string][]string{
	"cmd":        {"telemetry", "apps", "loadgen", "chaos", "alerts", "dashboards", "deploy"},
	"dashboards": {"telemetry", "alerts/slo"},
	"loadgen":    {"telemetry"},
	"deploy":     {"telemetry"},
	"telemetry":  {},
	"internal":   {}, // leaves that everyone but telemetry may import

	// A drill is parsed and run without Fiber: of the shop, chaos knows the catalogue of
	// faults and the client that tells a service to show one.
	"chaos":           {"telemetry", "apps/fault/kinds"},
	"chaos/drill":     {"apps/fault/kinds"},
	"chaos/run":       {"chaos/drill"},
	"chaos/fault":     {"apps/fault/kinds", "apps/fault/client", "chaos/drill", "chaos/run"},
	"chaos/observe":   {"telemetry", "chaos/drill", "chaos/run"},
	"chaos/report":    {"chaos/drill", "chaos/run"},
	"chaos/session":   {"telemetry", "chaos/drill", "chaos/run", "chaos/fault", "chaos/observe", "chaos/report"},
	"chaos/game":      {"apps/fault/kinds", "chaos/drill", "chaos/run", "chaos/report"},
	"chaos/chaosmesh": {"apps/fault/kinds", "chaos/drill"},

	// sim -> rules -> slo; what else is there may use all three.
	"alerts":       {"telemetry", "alerts"},
	"alerts/slo":   {"telemetry"},
	"alerts/rules": {"telemetry", "alerts/slo"},
	"alerts/sim":   {"telemetry", "alerts/slo", "alerts/rules"},

	// Allowed imports mirror the services' call graph, and so the traces.
	"apps/internal": {"telemetry"},
	"apps/fault":    {"telemetry", "apps/internal", "apps/fault/kinds", "apps/fault/client"},
	"apps/gateway":  {"telemetry", "apps/internal", "apps/fault", "apps/catalog", "apps/orders"},
	"apps/catalog":  {"telemetry", "apps/internal", "apps/fault"},
	"apps/orders":   {"telemetry", "apps/internal", "apps/fault", "apps/catalog", "apps/payments"},
	"apps/payments": {"telemetry", "apps/internal", "apps/fault", "apps/bank"},
	"apps/bank":     {"telemetry", "apps/internal", "apps/fault"},
	"apps/shipping": {"telemetry", "apps/internal", "apps/fault", "apps/orders"},
	"apps/broker":   {"telemetry", "apps/internal", "apps/fault"},

	// Data and a client, for those who must not link the services.
	"apps/fault/kinds":  {},
	"apps/fault/client": {},
}

// testsMayImport lists what the tests of a folder may import beyond mayImport.
var testsMayImport = map[string][]string{
	"chaos/fault":  {"apps/fault"},              // they break a service's own faults
	"chaos/report": {"telemetry/telemetrytest"}, // golden files
}

// under is whether a package is folder or in it.
func under(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// line is the longest folder of the table that pkg is under, "" for none.
func line(pkg string) string {
	longest := ""
	for folder := range mayImport {
		if under(pkg, folder) && len(folder) > len(longest) {
			longest = folder
		}
	}
	return longest
}

// allowed returns nil if package from may import package to; both are paths
// within the module.
func allowed(from, to string) error {
	own := line(from)
	if own == "" {
		return fmt.Errorf("%s has no line in the import table", from)
	}
	if own == "cmd" && under(to, "cmd") {
		if slices.Equal(strings.SplitN(from, "/", 3)[:2], strings.SplitN(to, "/", 3)[:2]) {
			return nil // a part of the same command
		}
		return fmt.Errorf("%s imports %s: commands do not share code", from, to)
	}
	if line(to) == own || line(to) == "internal" && own != "telemetry" {
		return nil
	}
	for _, folder := range mayImport[own] {
		if under(to, folder) {
			return nil
		}
	}
	return fmt.Errorf("%s imports %s: it may import %v", from, to, mayImport[own])
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

// skipped keeps out of hidden folders, test data, and nested modules.
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

// importsOf returns the paths within the module that a file imports, whatever
// its build tags.
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
