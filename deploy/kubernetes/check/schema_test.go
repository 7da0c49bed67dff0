package check

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
)

// schemas writes a JSON schema for every kind of Kubernetes into a folder, with the file names that kubeconform
// expects. They come from the OpenAPI documents in the Kubernetes module, at the version in go.mod. They refuse
// unknown fields.
func schemas(t *testing.T) string {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes").Output()
	if err != nil {
		t.Fatal(err)
	}
	documents, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(module)), "api", "openapi-spec", "v3", "*.json"))
	if err != nil || len(documents) == 0 {
		t.Fatalf("no OpenAPI documents in %s: %v", module, err)
	}
	dir := t.TempDir()
	for _, file := range documents {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeSchemas(dir, text); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return dir
}

// writeSchemas writes the schemas of one OpenAPI document.
func writeSchemas(dir string, document []byte) error {
	var api struct {
		Components struct{ Schemas map[string]map[string]any }
	}
	if err := json.Unmarshal(document, &api); err != nil {
		return err
	}
	for _, schema := range api.Components.Schemas {
		if _, open := schema["additionalProperties"]; schema["properties"] != nil && !open {
			schema["additionalProperties"] = false
		}
	}
	for name, schema := range api.Components.Schemas {
		kinds, _ := schema["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 { // schemas with other numbers are parts of every API, such as the options of a deletion
			continue
		}
		kind := kinds[0].(map[string]any)
		text, err := json.Marshal(map[string]any{
			"$ref": "#/components/schemas/" + name, "components": map[string]any{"schemas": api.Components.Schemas},
		})
		if err != nil {
			return err
		}
		version := kind["version"].(string)
		group := cmp.Or(kind["group"].(string), version) // as kubeconform splits "v1"
		file := strings.Join([]string{strings.ToLower(kind["kind"].(string)), group, version}, "_") + ".json"
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func conform(t *testing.T, dir string) validator.Validator {
	t.Helper()
	location := filepath.Join(dir, `{{ .ResourceKind }}_{{ .Group }}_{{ .ResourceAPIVersion }}.json`)
	v, err := validator.New([]string{location}, validator.Opts{Strict: true, KubernetesVersion: "master"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// kubeconform accepts every object of a built-in kind. Kinds of operators are checked against their Go types
// instead, because their modules have no schemas.
func TestConformance(t *testing.T) {
	v, server := conform(t, schemas(t)), NewServer()
	each(t, func(t *testing.T, o Object) {
		if errors.Is(server.Admit(o), errNotBuiltIn) {
			return
		}
		if result := v.ValidateResource(resource.Resource{Bytes: o.JSON}); result.Status != validator.Valid {
			t.Errorf("status %d: %v", result.Status, result.Err)
		}
	})
}

func TestConformanceRefuses(t *testing.T) {
	v := conform(t, schemas(t))
	for name, object := range map[string]string{
		"an unknown field": `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"port":[]}}`,
		"a wrong type":     `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":"two","selector":{},"template":{}}}`,
		"a missing field":  `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":1}}`,
	} {
		if result := v.ValidateResource(resource.Resource{Bytes: []byte(object)}); result.Status != validator.Invalid {
			t.Errorf("%s: status %d (%v), want invalid", name, result.Status, result.Err)
		}
	}
}
