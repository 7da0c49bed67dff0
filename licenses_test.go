package firedrill

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// copyleft lists modules under the AGPL that look like libraries. Their programs run unmodified, as separate
// processes.
var copyleft = []string{
	"github.com/grafana/grafana", "github.com/grafana/loki/v3", "github.com/grafana/mimir", "github.com/grafana/pyroscope",
	"github.com/grafana/tempo", "go.k6.io/k6",
}

// isAGPL reports whether a text is the GNU Affero General Public License, or names it by its SPDX identifier.
// The GPL and the MPL mention the AGPL within a sentence. The text of the AGPL has its name alone on a line.
func isAGPL(text string) bool {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.EqualFold(line, "GNU Affero General Public License") || strings.Contains(line, "SPDX-License-Identifier: AGPL-") {
			return true
		}
	}
	return false
}

// agplFile returns the license file that puts a package's folder under the AGPL, or "" if there is none. The
// nearest folder with license files decides, up to the module's folder. It is an error if there is no license
// file.
func agplFile(folder, module string) (string, error) {
	for at := folder; ; at = filepath.Dir(at) {
		found := false
		for _, pattern := range []string{"LICEN[SC]E*", "COPYING*", "licen[sc]e*", "License*"} {
			names, err := filepath.Glob(filepath.Join(at, pattern))
			if err != nil {
				return "", err
			}
			for _, name := range names {
				text, err := os.ReadFile(name)
				if err != nil {
					continue // a folder of licenses
				}
				found = true
				if isAGPL(string(text)) {
					return name, nil
				}
			}
		}
		if found {
			return "", nil
		}
		if at == module || at == filepath.Dir(at) {
			return "", fmt.Errorf("%s has no license file", module)
		}
	}
}

// TestNoProgramLinksTheAGPL reads the licenses of all packages that are linked into the programs of this
// repository.
func TestNoProgramLinksTheAGPL(t *testing.T) {
	for _, c := range []struct{ folder, packages string }{
		{".", "./cmd/..."}, {"loadgen/bench", "."}, {"telemetry/bench", "."}, {"alerts/bench", "."},
	} {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}} {{$.Dir}}{{end}}{{end}}", c.packages)
		list.Dir = c.folder
		output, err := list.Output()
		if err != nil {
			t.Fatalf("%s in %s: %v", list, c.folder, err)
		}
		packages := 0
		for line := range strings.Lines(string(output)) {
			part := strings.Fields(line)
			if len(part) != 3 || part[0] == module {
				continue
			}
			packages++
			for _, name := range copyleft {
				if under(part[0], name) {
					t.Errorf("%s links %s, which is under the AGPL", c.folder, part[0])
				}
			}
			name, err := agplFile(part[2], part[1])
			if err != nil {
				t.Errorf("%s: %v", c.folder, err)
			}
			if name != "" {
				t.Errorf("%s links %s, which %s puts under the AGPL", c.folder, part[0], name)
			}
		}
		if packages == 0 {
			t.Errorf("%s in %s: no package of another module", list, c.folder)
		}
	}
}

func TestAGPLFile(t *testing.T) {
	const (
		agpl   = "                    GNU AFFERO GENERAL PUBLIC LICENSE\n                       Version 3, 19 November 2007\n"
		gpl    = "                    GNU GENERAL PUBLIC LICENSE\n\n  13. Use with the GNU Affero General Public License.\n"
		apache = "                                 Apache License\n                           Version 2.0, January 2004\n"
	)
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // path relative to the module
		fails bool
	}{
		{"the module's license", map[string]string{"LICENSE": agpl}, "LICENSE", false},
		{"another spelling", map[string]string{"COPYING.txt": agpl}, "COPYING.txt", false},
		{"by its identifier", map[string]string{"LICENCE.md": "SPDX-License-Identifier: AGPL-3.0-only\n"}, "LICENCE.md", false},
		{"one of two licenses", map[string]string{"LICENSE-APACHE": apache, "LICENSE-AGPL": agpl}, "LICENSE-AGPL", false},
		{"the package's own license", map[string]string{"LICENSE": apache, "pkg/LICENSE": agpl}, "pkg/LICENSE", false},
		{"a package that its module excepts", map[string]string{"LICENSE": agpl, "pkg/LICENSE": apache}, "", false},
		{"Apache", map[string]string{"LICENSE": apache}, "", false},
		{"the GPL mentions the AGPL", map[string]string{"LICENSE": gpl}, "", false},
		{"none", map[string]string{"README.md": agpl}, "", true},
	} {
		module := t.TempDir()
		folder := filepath.Join(module, "pkg", "inner")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range c.files {
			if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := agplFile(folder, module)
		if got != "" {
			got, _ = filepath.Rel(module, got)
		}
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: got %q, %v; want %q, an error: %v", c.name, got, err, c.want, c.fails)
		}
	}
}
