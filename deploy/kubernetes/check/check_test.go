package check

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	home = ".." // deploy/kubernetes
	root = "../../.."
)

// deployments are the folders that people build.
func deployments() []string {
	return []string{"base", "postgres", "monitoring", "overlays/local", "overlays/scale", "overlays/scale/load", "overlays/scale/merge"}
}

// build builds a folder below deploy/kubernetes.
func build(t *testing.T, dir string) []Object {
	t.Helper()
	objects, err := Build(filepath.Join(home, dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) == 0 {
		t.Fatalf("%s has no objects", dir)
	}
	return objects
}

// each runs a test on every object of every deployment.
func each(t *testing.T, test func(t *testing.T, o Object)) {
	t.Helper()
	for _, dir := range deployments() {
		t.Run(dir, func(t *testing.T) {
			for _, o := range build(t, dir) {
				t.Run(o.String(), func(t *testing.T) { test(t, o) })
			}
		})
	}
}

func decoder(t *testing.T) Decoder {
	t.Helper()
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The fields are those of the APIs' types, none is misspelt or stands twice.
func TestStrictDecoding(t *testing.T) {
	d := decoder(t)
	each(t, func(t *testing.T, o Object) {
		if _, err := d.Decode(o); err != nil {
			t.Error(err)
		}
	})
}

func TestStrictDecodingRefuses(t *testing.T) {
	d := decoder(t)
	for name, tc := range map[string]struct{ object, want string }{
		"a misspelt field":          {`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"port":[]}}`, `unknown field "spec.port"`},
		"a field of the wrong type": {`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":"two"}}`, "cannot unmarshal string"},
		"a kind that nobody has":    {`{"apiVersion":"v1","kind":"Servise","metadata":{"name":"a"}}`, `no kind "Servise" is registered`},
		"an operator's, misspelt":   {`{"apiVersion":"monitoring.coreos.com/v1","kind":"ServiceMonitor","metadata":{"name":"a"},"spec":{"joblabel":"x"}}`, `unknown field "spec.joblabel"`},
		"Chaos Mesh's, misspelt":    {`{"apiVersion":"chaos-mesh.org/v1alpha1","kind":"PodChaos","metadata":{"name":"a"},"spec":{"acton":"x"}}`, `unknown field "spec.acton"`},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := parse([]byte(tc.object))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Decode(o); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// An API server takes every object: its own code says so.
func TestAdmission(t *testing.T) {
	server := NewServer()
	each(t, func(t *testing.T, o Object) {
		if err := server.Admit(o); err != nil && !errors.Is(err, errNotBuiltIn) {
			t.Error(err)
		}
	})
}

func TestAdmissionRefuses(t *testing.T) {
	server := NewServer()
	for name, tc := range map[string]struct{ object, want string }{
		"a selector beside the labels": {`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","namespace":"b"},"spec":{"selector":{"matchLabels":{"a":"b"}},
			"template":{"metadata":{"labels":{"a":"c"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}`, "`selector` does not match template `labels`"},
		"a port that is none":   {`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"b"},"spec":{"ports":[{"port":70000}]}}`, "must be between 1 and 65535"},
		"a name with a capital": {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"A","namespace":"b"}}`, "RFC 1123"},
		"both limits of a budget": {`{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"a","namespace":"b"},
			"spec":{"minAvailable":1,"maxUnavailable":1}}`, "cannot be both set"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := parse([]byte(tc.object))
			if err != nil {
				t.Fatal(err)
			}
			if err := server.Admit(o); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// kubectl's Kustomize is another version than ours; both must make the same.
func TestKubectlBuildsTheSame(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("no kubectl on the PATH")
	}
	for _, dir := range deployments() {
		t.Run(dir, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), kubectl, "kustomize", filepath.Join(home, dir))
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := fromYAML(out)
			if err != nil {
				t.Fatal(err)
			}
			ours := build(t, dir)
			if len(theirs) != len(ours) {
				t.Fatalf("kubectl makes %d objects, want %d", len(theirs), len(ours))
			}
			sortByName := func(a, b Object) int { return strings.Compare(a.String(), b.String()) }
			slices.SortFunc(ours, sortByName)
			slices.SortFunc(theirs, sortByName)
			for i := range ours {
				if string(ours[i].JSON) != string(theirs[i].JSON) {
					t.Errorf("%s: kubectl makes\n%s\nwant\n%s", ours[i], theirs[i].JSON, ours[i].JSON)
				}
			}
		})
	}
}
