package check

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const (
	home = ".." // deploy/kubernetes
	root = "../../.."
)

// deployments returns the folders that people build.
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

// All fields are in the APIs' types; none is misspelt or duplicate.
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

// An API server accepts every object, according to its own code.
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

// TestKustomizeIsKubectls checks that the tests build the manifests with the version of Kustomize in kubectl.
// The release of kubectl is that of the Kubernetes code that admits the objects.
func TestKustomizeIsKubectls(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.GoMod}}", "k8s.io/kubernetes")
	file, err := list.Output()
	if err != nil {
		t.Fatalf("%s: %v", list, err)
	}
	theirs, ours := versions(t, strings.TrimSpace(string(file))), versions(t, "go.mod")
	for _, module := range []string{"sigs.k8s.io/kustomize/api", "sigs.k8s.io/kustomize/kyaml"} {
		if theirs[module] == "" || ours[module] != theirs[module] {
			t.Errorf("%s is %q here, %q in kubectl %s", module, ours[module], theirs[module], ours["k8s.io/kubernetes"])
		}
	}
}

// versions returns the versions of the modules that a go.mod requires.
func versions(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.ParseLax(file, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range mod.Require {
		all[r.Mod.Path] = r.Mod.Version
	}
	return all
}
