package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// Tool is one upstream program: where its version is pinned and how it is built.
type Tool struct {
	Name    string
	Module  string // nested module below deploy/stack that pins it
	Path    string // upstream module path; its version is the tool's
	Package string // main package below Path
	Tags    string // build tags
	Stamp   string // variable for the version that the program reports
	Cost    int    // estimated CPU seconds of a build with an empty cache, after the tools before it in its module
	Version string // from the nested go.mod
}

// commonVersion is the variable for the version that Prometheus and Alertmanager report.
const commonVersion = "github.com/prometheus/common/version.Version"

// toolTable returns the tools. Those of one module are adjacent, the most expensive first.
func toolTable() []Tool {
	const (
		loki         = "github.com/grafana/loki/v3"
		prometheus   = "github.com/prometheus/prometheus"
		tempo        = "github.com/grafana/tempo"
		alertmanager = "github.com/prometheus/alertmanager"
		compose      = "github.com/f1bonacc1/process-compose"
		fewer        = "remove_all_sd" // static and file discovery remain; clients of clouds are most of the build
	)
	return []Tool{
		{Name: "loki", Module: "monitoring", Path: loki, Package: "/cmd/loki", Stamp: loki + "/pkg/util/build.Version", Cost: 395},
		{Name: "prometheus", Module: "monitoring", Path: prometheus, Package: "/cmd/prometheus", Tags: fewer, Stamp: commonVersion, Cost: 20},
		{Name: "promtool", Module: "monitoring", Path: prometheus, Package: "/cmd/promtool", Tags: fewer, Stamp: commonVersion, Cost: 55},
		{Name: "tempo", Module: "tempo", Path: tempo, Package: "/cmd/tempo", Stamp: "main.Version", Cost: 215},
		{Name: "alertmanager", Module: "alertmanager", Path: alertmanager, Package: "/cmd/alertmanager", Stamp: commonVersion, Cost: 45},
		{Name: "amtool", Module: "alertmanager", Path: alertmanager, Package: "/cmd/amtool", Stamp: commonVersion, Cost: 2},
		{Name: "process-compose", Module: "process-compose", Path: compose, Stamp: compose + "/src/config.Version", Cost: 50},
	}
}

// Tools returns the upstream programs with the versions in the nested go.mod files below root.
func Tools(root string) ([]Tool, error) {
	tools := toolTable()
	for i := range tools {
		t := &tools[i]
		file := filepath.Join(root, "deploy", "stack", t.Module, "go.mod")
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read pin of %q: %w", t.Name, err)
		}
		mod, err := modfile.ParseLax(file, text, nil)
		if err != nil {
			return nil, fmt.Errorf("read pin of %q: %w", t.Name, err)
		}
		for _, req := range mod.Require {
			if req.Mod.Path == t.Path {
				t.Version = req.Mod.Version
			}
		}
		if t.Version == "" {
			return nil, fmt.Errorf("read pin of %q: %s does not require %s", t.Name, file, t.Path)
		}
	}
	return tools, nil
}

// Binary returns the tool's path below bin. It contains the version, so that a new version is built anew.
func (t Tool) Binary(bin string) string {
	return filepath.Join(bin, t.Name+"-"+t.Version, t.Name)
}

// buildArgs returns the arguments for go that build the tool into the file out.
func (t Tool) buildArgs(out string) []string {
	args := []string{"build", "-mod=readonly", "-buildvcs=false"}
	if t.Tags != "" {
		args = append(args, "-tags", t.Tags)
	}
	stamp := "-s -w -X " + t.Stamp + "=" + strings.TrimPrefix(t.Version, "v")
	return append(args, "-ldflags", stamp, "-o", out, t.Path+t.Package)
}
