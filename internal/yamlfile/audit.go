package yamlfile

import (
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// audit returns the first error in a tree that the YAML library accepts silently. These are keys without a
// field in the struct (the library ignores keys that are not strings), and numbers with a fraction for an
// integer (the library drops the fraction).
func audit(file string, node ast.Node, t reflect.Type, key string) *Error {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || node == nil {
		return nil
	}
	switch n := node.(type) {
	case *ast.AnchorNode:
		return audit(file, n.Value, t, key)
	case *ast.MappingNode:
		for _, entry := range n.Values {
			if err := audit(file, entry, t, key); err != nil {
				return err
			}
		}
	case *ast.MappingValueNode:
		return auditEntry(file, n, t, key)
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice {
			return nil // the library reports it
		}
		for i, entry := range n.Values {
			if err := audit(file, entry, t.Elem(), fmt.Sprintf("%s[%d]", key, i)); err != nil {
				return err
			}
		}
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		if nameOf(t) == wholeNumber {
			return &Error{file, node.GetToken().Position.Line, key, "want a whole number, have " + cut(node.GetToken().Value)}
		}
	}
	return nil
}

func auditEntry(file string, entry *ast.MappingValueNode, t reflect.Type, key string) *Error {
	if _, merge := entry.Key.(*ast.MergeKeyNode); merge {
		return nil
	}
	var name string
	switch k := ast.Node(entry.Key).(type) {
	case *ast.MappingKeyNode:
		name = k.Value.GetToken().Value // behind "? "
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return nil // the library reports what is wrong
	default:
		name = k.GetToken().Value
	}
	inner := name
	if key != "" {
		inner = key + "." + name
	}
	switch t.Kind() { //nolint:exhaustive // the decoder reports every other kind
	case reflect.Map:
		return audit(file, entry.Value, t.Elem(), inner)
	case reflect.Struct:
		for field, known := range fields(t) {
			if known == name {
				return audit(file, entry.Value, field.Type, inner)
			}
		}
		if len(keys(t)) > 0 {
			return &Error{file, entry.Key.GetToken().Position.Line, inner, "unknown key" + suggest(t, name)}
		}
	}
	return nil
}
