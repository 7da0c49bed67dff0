package profile_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"firedrill/loadgen/profile"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("profile.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// check validates YAML against the schema, as an editor does.
func check(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

func TestSchemaAcceptsWhatParseAccepts(t *testing.T) {
	schema := compile(t)
	if err := check(t, schema, valid); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob("../profiles/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := check(t, schema, string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if !strings.HasPrefix(string(text), "# yaml-language-server: $schema=../profile/profile.schema.json\n") {
			t.Errorf("%s does not name the schema for editors", file)
		}
	}
}

func TestSchemaRefusesWhatParseRefuses(t *testing.T) {
	schema := compile(t)
	for _, change := range [][2]string{
		{"teaches: All", "teachs: All"}, {"for: 10s}", "for: 10s, shape: x}"}, {"seed: 7", "seed: seven"},
		{"to: 60/m, ", ""}, {"to: 60/m", "to: fast"}, {"for: 10s", "for: soon"}, {"arrivals: poisson", "arrivals: random"},
		{"arrivals: poisson", "ramp: {from: 1, to: 2, for: 1s}"}, {"request: GET /products/${color}", ""},
		{"GET /products", "FETCH /products"}, {"until: {status: done}, ", ""}, {"share: 0.5", "share: 50"},
	} {
		text := strings.Replace(valid, change[0], change[1], 1)
		if check(t, schema, text) == nil {
			t.Errorf("the schema accepts %q instead of %q", change[1], change[0])
		}
		if _, err := profile.Parse("p.yaml", []byte(text), profile.Options{Getenv: env}); err == nil {
			t.Errorf("the parser accepts %q instead of %q", change[1], change[0])
		}
	}
}

// TestSchemaHasTheDocumentsKeys checks that schema and document have the same keys at every
// level.
func TestSchemaHasTheDocumentsKeys(t *testing.T) {
	text, err := os.ReadFile("profile.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema node
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	compareKeys(t, schema, schema, reflect.TypeFor[profile.Document](), "document")
}

type node struct {
	Ref        string          `json:"$ref"`
	Defs       map[string]node `json:"$defs"`
	Properties map[string]node `json:"properties"`
	Items      *node           `json:"items"`
	Additional json.RawMessage `json:"additionalProperties"`
}

func compareKeys(t *testing.T, root, n node, of reflect.Type, where string) {
	t.Helper()
	if n.Ref != "" {
		n = root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
	}
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch of.Kind() { //nolint:exhaustive // other kinds have no keys
	case reflect.Slice:
		if n.Items != nil {
			compareKeys(t, root, *n.Items, of.Elem(), where+"[]")
		}
	case reflect.Map:
		var values node
		if json.Unmarshal(n.Additional, &values) == nil {
			compareKeys(t, root, values, of.Elem(), where+".*")
		}
	case reflect.Struct:
		var have, want []string
		for key := range n.Properties {
			have = append(have, key)
		}
		for i := range of.NumField() {
			f := of.Field(i)
			key := f.Tag.Get("yaml")
			want = append(want, key)
			compareKeys(t, root, n.Properties[key], f.Type, where+"."+key)
		}
		slices.Sort(have)
		slices.Sort(want)
		if !slices.Equal(have, want) {
			t.Errorf("%s: the schema has %v, the document %v", where, have, want)
		}
	}
}
