package drill_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	kind := kinds.Kind{Name: "errors", Doc: "Fails.", Params: []kinds.Param{{Name: "ratio", Type: kinds.Number, Max: 1, Default: 1.0}}}
	var b bytes.Buffer
	if err := drill.WriteSchema(&b, []kinds.Kind{kind}); err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("drill.schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("drill.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// validate validates a drill against the schema, as an editor does.
func validate(s *jsonschema.Schema, text string) error {
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// TestSchemaAgreesWithParse checks that the schema accepts what Parse accepts, and refuses
// what Parse refuses as far as a schema can.
func TestSchemaAgreesWithParse(t *testing.T) {
	s := schema(t)
	if err := validate(s, valid); err != nil {
		t.Errorf("the valid drill: %v", err)
	}
	for _, c := range wrong {
		err := validate(s, strings.Replace(valid, c.from, c.to, 1))
		if seen := err != nil; seen != c.schema && !strings.HasPrefix(c.to, "---") {
			t.Errorf("%s: the schema says %v", c.want, err)
		}
	}
}

func TestPage(t *testing.T) {
	kind := kinds.Kind{Name: "leak", Doc: "Leaks.", Services: []string{"a", "b"}, Params: []kinds.Param{
		{Name: "bytes", Type: kinds.Number, Unit: "bytes", Max: 1 << 30, Default: float64(1 << 28), Doc: "How much."},
		{Name: "after", Type: kinds.Duration, Max: 60, Doc: "When."},
		{Name: "how", Type: kinds.String, OneOf: []any{"fast", "slow"}, Default: "fast", Doc: "How."},
	}}
	var b bytes.Buffer
	if err := drill.WritePage(&b, []kinds.Kind{kind}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"### leak\n\nLeaks. Shown by a, b.\n",
		"| `bytes` | `268435456` | 0 to 1073741824 bytes | How much. |", "| `after` | needed | 0s to 1m0s | When. |",
		"| `how` | `fast` | `fast` `slow` | How. |", "| `for` | needed length | How long it lasts. |",
		"| `mode` | `before` `during` `after` `continuous` | When it must hold",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
