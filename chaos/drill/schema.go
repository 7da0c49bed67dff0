package drill

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"firedrill/apps/fault/kinds"
)

// object is a JSON object; its keys come out sorted.
type object = map[string]any

// WriteSchema writes the JSON schema of drills whose faults are of these kinds.
func WriteSchema(w io.Writer, kinds []kinds.Kind) error {
	schema := schemaOf(reflect.TypeFor[document](), "")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "Firedrill drill"
	schema["description"] = "What is broken, and what must then be seen; docs/drills.md explains it."
	faults := schema["properties"].(object)["faults"].(object)["items"].(object)
	schemaOfKinds(faults, kinds)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		return fmt.Errorf("write the schema of drills: %w", err)
	}
	return nil
}

// Patterns of texts, by their form.
const (
	lengthPattern     = `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	comparisonPattern = `^\s*(>=|<=|==|!=|>|<)\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*$`
)

// schemaOf returns the schema of a value of the document.
func schemaOf(t reflect.Type, tag reflect.StructTag) object {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	out := object{}
	switch t.Kind() {
	case reflect.String:
		out["type"] = "string"
		switch words, form := tag.Get("one"), tag.Get("form"); {
		case words != "":
			out["enum"] = strings.Fields(words)
		case form != "":
			out["pattern"] = map[string]string{"length": lengthPattern, "comparison": comparisonPattern, "name": name.String()}[form]
		case tag.Get("need") != "":
			out["minLength"] = 1
		}
	case reflect.Slice:
		items := schemaOf(t.Elem(), tag)
		delete(items, "description") // the list has the description
		out["type"], out["items"] = "array", items
	case reflect.Map:
		out["type"] = "object"
		if t.Elem().Kind() == reflect.String {
			out["additionalProperties"] = object{"type": "string"}
		}
	case reflect.Struct:
		schemaOfStruct(out, t)
	case reflect.Bool:
		out["type"] = "boolean"
	case reflect.Int:
		out["type"], out["minimum"] = "integer", 1
	default:
		out["type"] = "number"
	}
	if doc := tag.Get("doc"); doc != "" {
		out["description"] = doc
	}
	return out
}

func schemaOfStruct(out object, t reflect.Type) {
	properties, required := object{}, []string{}
	for _, k := range keysOf(t) {
		properties[k.name] = schemaOf(k.kind, k.tag)
		if k.needed() {
			required = append(required, k.name)
		}
	}
	out["type"], out["additionalProperties"], out["properties"] = "object", false, properties
	if len(required) > 0 {
		out["required"] = required
	}
	if _, asks := t.FieldByName("Ask"); asks {
		var one []object
		for _, k := range keysOf(reflect.TypeFor[ask]()) {
			one = append(one, object{"required": []string{k.name}})
		}
		out["oneOf"] = one
	}
}

// key is one key of an object of the document.
type key struct {
	name string
	kind reflect.Type
	tag  reflect.StructTag
}

func (k key) needed() bool { return k.tag.Get("need") != "" }

// keysOf returns the keys of a struct in its order, including those of inline structs.
func keysOf(t reflect.Type) []key {
	var all []key
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("yaml") == ",inline" {
			all = append(all, keysOf(f.Type)...)
			continue
		}
		all = append(all, key{f.Tag.Get("yaml"), f.Type, f.Tag})
	}
	return all
}

// schemaOfKinds adds to the schema of a fault which kinds there are and which
// parameters each takes.
func schemaOfKinds(fault object, kinds []kinds.Kind) {
	var names []string
	var rules []object
	for _, k := range kinds {
		names = append(names, k.Name)
		params, required := object{}, []string{}
		for _, p := range k.Params {
			params[p.Name] = schemaOfParam(p)
			if p.Default == nil {
				required = append(required, p.Name)
			}
		}
		then := object{"properties": object{"params": object{
			"type": "object", "additionalProperties": false, "properties": params, "required": required, "description": k.Doc,
		}}}
		if len(required) > 0 {
			then["required"] = []string{"params"}
		}
		rules = append(rules, object{"if": object{"properties": object{"kind": object{"const": k.Name}}}, "then": then})
	}
	slices.Sort(names)
	kind := fault["properties"].(object)["kind"].(object)
	delete(kind, "pattern")
	kind["enum"], fault["allOf"] = names, rules
}

func schemaOfParam(p kinds.Param) object {
	out := object{"description": p.Doc}
	if p.Default != nil {
		out["default"] = p.Default
	}
	switch {
	case p.OneOf != nil:
		out["enum"] = p.OneOf
	case p.Type == kinds.Number || p.Type == kinds.Integer:
		out["type"], out["minimum"], out["maximum"] = string(p.Type), p.Min, p.Max
	default:
		out["type"] = "string"
		if p.Pattern != "" {
			out["pattern"] = "^(" + p.Pattern + ")$"
		}
	}
	return out
}
