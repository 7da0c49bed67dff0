package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Error is something in a profile that cannot be.
type Error struct {
	File string
	Line int    // 0: no line in particular
	Key  string // such as "stages[1].ramp.to"; "": the whole
	Err  error
}

// Error says it in one line: "file:line: key: what".
func (e *Error) Error() string {
	var path *fs.PathError
	if errors.As(e.Err, &path) && path.Path == e.File {
		return e.Where() + ": " + path.Err.Error()
	}
	return e.Where() + ": " + e.Err.Error()
}

// Where is the beginning of Error: "file:line: key".
func (e *Error) Where() string {
	where := e.File
	if e.Line > 0 {
		where += fmt.Sprintf(":%d", e.Line)
	}
	if where != "" && e.Key != "" {
		where += ": "
	}
	return where + e.Key
}

func (e *Error) Unwrap() error { return e.Err }

// positions knows where the keys of a file stand. The zero value knows nothing.
type positions struct {
	file string
	tree *ast.File
}

// at makes an error of what stands at a key.
func (p positions) at(key, format string, args ...any) *Error {
	return &Error{File: p.file, Line: p.line(key), Key: key, Err: fmt.Errorf(format, args...)}
}

// line is that of a key, or of what it would be in if it is missing; 0 if unknown.
func (p positions) line(key string) int {
	if p.tree == nil {
		return 0
	}
	for ; key != ""; key = parent(key) {
		path, err := yaml.PathString("$." + key)
		if err != nil {
			continue
		}
		if node, err := path.FilterFile(p.tree); err == nil && node != nil {
			return first(node)
		}
	}
	return 0
}

// first is the line on which a node begins. The token of a mapping is a colon, so
// its first key is asked.
func first(node ast.Node) int {
	line := node.GetToken().Position.Line
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		line = m.Values[0].Key.GetToken().Position.Line
	}
	return line
}

// parent is the key that a key is in: of "a.b[1]" that is "a.b".
func parent(key string) string {
	return key[:max(0, strings.LastIndexAny(key, ".["))]
}

// decodeError says what the YAML library found, and where.
func decodeError(file string, tree *ast.File, err error) error {
	var found yaml.Error
	if !errors.As(err, &found) {
		return &Error{File: file, Err: err}
	}
	e := &Error{File: file, Err: errors.New(explain(found))}
	if tok := found.GetToken(); tok != nil {
		e.Line = tok.Position.Line
		e.Key = keyOf(tree, tok)
	}
	return e
}

// explain speaks of YAML, where the library speaks of Go.
func explain(err yaml.Error) string {
	var (
		kind    *yaml.TypeError
		unknown *yaml.UnknownFieldError
	)
	switch {
	case errors.As(err, &unknown):
		return "unknown key"
	case errors.As(err, &kind):
		return "this is no " + nameOf(kind.DstType)
	}
	return err.GetMessage()
}

func nameOf(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // a document has few kinds
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "whole number"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "list"
	case reflect.Map, reflect.Struct, reflect.Pointer:
		return "mapping of keys to values"
	}
	return "text"
}

// keyOf finds the key of the node that a token belongs to. The library's paths
// look like "$.stages[1].ramp".
func keyOf(tree *ast.File, tok *token.Token) string {
	if tree == nil {
		return ""
	}
	f := finder{offset: tok.Position.Offset}
	for _, doc := range tree.Docs {
		if doc.Body != nil {
			ast.Walk(&f, doc.Body)
		}
	}
	return strings.TrimPrefix(strings.TrimPrefix(f.path, "$"), ".")
}

type finder struct {
	offset int
	path   string
}

// Visit keeps the longest path of all nodes at the offset.
func (f *finder) Visit(node ast.Node) ast.Visitor {
	tok := node.GetToken()
	if tok != nil && tok.Position.Offset == f.offset && len(node.GetPath()) > len(f.path) {
		f.path = node.GetPath()
	}
	return f
}
