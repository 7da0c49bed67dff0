package dashboards_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"firedrill/dashboards"
)

// Links in alerts and dashboards lead to existing dashboards and set variables that these have.
func TestLinksLeadToDashboards(t *testing.T) {
	variables := map[string][]string{}
	for _, b := range dashboards.All() {
		all, err := b.Variables()
		if err != nil {
			t.Fatal(err)
		}
		variables[b.UID] = []string{}
		for _, v := range all {
			variables[b.UID] = append(variables[b.UID], v.Name)
		}
	}
	link := regexp.MustCompile(`/d/(\w+)([^\s")]*)`)
	set := regexp.MustCompile(`[?&]var-(\w+)=`)
	for _, pattern := range []string{"generated/*.json", "../alerts/generated/*.yaml"} {
		found := 0
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(string(text), -1) {
				found++
				has, ok := variables[m[1]]
				if !ok {
					t.Errorf("%s links to %s, which is no dashboard", file, m[0])
				}
				for _, v := range set.FindAllStringSubmatch(m[2], -1) {
					if !slices.Contains(has, v[1]) {
						t.Errorf("%s: %s sets %s, and there is %v", file, m[0], v[1], has)
					}
				}
			}
		}
		if found < 10 {
			t.Errorf("only %d links in %s", found, pattern)
		}
	}
}
