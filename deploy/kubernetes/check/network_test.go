package check

import (
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

const nameLabel = "app.kubernetes.io/name"

// calls returns the edges of the shop's call graph, "caller -> callee", from the imports of apps/. Every
// service that connects to NATS has an edge to the broker.
func calls(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "apps", "*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	edges := map[string]bool{}
	for _, file := range files {
		caller := filepath.Base(filepath.Dir(file))
		if strings.HasSuffix(file, "_test.go") || !serves(caller) || caller == "broker" {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			callee, ours := strings.CutPrefix(path, "firedrill/apps/")
			switch {
			case ours && serves(callee):
				edges[caller+" -> "+callee] = true
			case path == "github.com/nats-io/nats.go":
				edges[caller+" -> broker"] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(edges))
}

// serves reports whether a folder of apps/ is a service, which has a manifest.
func serves(name string) bool {
	_, err := os.Stat(filepath.Join(home, "base", name+".yaml"))
	return err == nil
}

// The network policies allow exactly the edges of the call graph.
func TestNetworkPoliciesAreTheCallGraph(t *testing.T) {
	d := decoder(t)
	edges := map[string]bool{}
	for _, o := range build(t, "base") {
		typed, err := d.Decode(o)
		if err != nil {
			t.Fatal(err)
		}
		policy, ok := typed.(*networkingv1.NetworkPolicy)
		if !ok {
			continue
		}
		callee := policy.Spec.PodSelector.MatchLabels[nameLabel]
		for _, rule := range policy.Spec.Ingress {
			for _, peer := range rule.From {
				if peer.PodSelector != nil {
					edges[peer.PodSelector.MatchLabels[nameLabel]+" -> "+callee] = true
				}
			}
		}
	}
	got, want := slices.Sorted(maps.Keys(edges)), calls(t)
	if !slices.Equal(got, want) {
		t.Errorf("the policies let through\n%s\nwant the call graph\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(want) < 6 {
		t.Errorf("the call graph has only %d edges: was apps/ found?", len(want))
	}
}

// Every namespace denies traffic that no policy allows.
func TestDefaultDeny(t *testing.T) {
	d := decoder(t)
	for _, tc := range []struct{ dir, namespace string }{
		{"base", "shop"}, {"overlays/local", "observability"}, {"overlays/scale/load", "load"},
	} {
		denies := false
		for _, o := range build(t, tc.dir) {
			typed, err := d.Decode(o)
			if err != nil {
				t.Fatal(err)
			}
			policy, ok := typed.(*networkingv1.NetworkPolicy)
			everyone := ok && policy.Namespace == tc.namespace && len(policy.Spec.PodSelector.MatchLabels)+len(policy.Spec.PodSelector.MatchExpressions) == 0
			denies = denies || everyone && len(policy.Spec.PolicyTypes) == 2
		}
		if !denies {
			t.Errorf("no policy of the namespace %q selects every pod and both directions", tc.namespace)
		}
	}
}
