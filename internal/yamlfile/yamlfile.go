// Package yamlfile decodes YAML strictly. An error names the file, the line and the key, in the words of the
// file. Users never see Go types or messages of the YAML library.
//
// The package must not know what the keys mean.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"firedrill/internal/userfile"
)

// Limits of a text. They bound the cost of a text before it is decoded.
const (
	MaxBytes = 1 << 20
	MaxDepth = 100     // of nested lists and mappings
	MaxNodes = 200_000 // after aliases are expanded
	MaxKeys  = 5000    // the YAML library needs time proportional to the square of this
)

// Error is an error in a file.
type Error struct {
	File   string
	Line   int    // from 1; 0 if no line is known
	Key    string // such as "faults[0].for"; "" for the whole file
	Reason string
}

// Error returns "file:line: key: reason".
func (e *Error) Error() string {
	return e.Where() + ": " + e.Reason
}

// Where returns the beginning of Error: "file:line: key".
func (e *Error) Where() string {
	where := e.File
	if e.Line > 0 {
		where += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key == "" {
		return where
	}
	return strings.TrimPrefix(where+": "+cut(e.Key), ": ")
}

// Document knows the lines of the keys in a decoded text. The zero value knows none.
type Document struct {
	File string
	tree *ast.File
}

// Read decodes the file at path strictly into the struct that into points to.
// Errors in the text are *Error.
func Read(path string, into any) (*Document, error) {
	text, err := ReadText(path)
	if err != nil {
		return nil, err
	}
	return Decode(path, text, into)
}

// ReadText returns the text of the file at path, which must be a regular file of at most MaxBytes.
func ReadText(path string) ([]byte, error) { return userfile.Read(path, MaxBytes) }

// Decode decodes text strictly into the struct that into points to. The text has at most one YAML document; an
// empty text sets the struct to its zero value. file is the name in messages. Every error is an *Error.
func Decode(file string, text []byte, into any) (*Document, error) {
	tree, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	if n := len(tree.Docs); n > 1 {
		line := 1
		if start := tree.Docs[1].Start; start != nil {
			line = start.Position.Line
		}
		return nil, &Error{file, line, "", fmt.Sprintf("%d YAML documents: want one", n)}
	}
	for _, doc := range tree.Docs {
		if err := audit(file, doc.Body, reflect.TypeOf(into), ""); err != nil {
			return nil, err
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := decode(decoder, into); err != nil && !errors.Is(err, io.EOF) {
		return nil, explain(file, tree, err)
	}
	return &Document{file, tree}, nil
}

// DecodeAll decodes each document of a text in another tool's format. It ignores unknown keys. Every error is
// an *Error.
func DecodeAll[T any](file string, text []byte) ([]T, error) {
	tree, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	var all []T
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var one T
		err := decode(decoder, &one)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, explain(file, tree, err)
		}
		all = append(all, one)
	}
}

// errPanic means that the YAML library panicked. It does so on some texts that are not YAML, such as "key: ! ".
var errPanic = errors.New("the YAML library panicked")

func decode(decoder *yaml.Decoder, into any) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	return decoder.Decode(into)
}

// parse checks the limits of a text and returns its syntax tree.
func parse(file string, text []byte) (tree *ast.File, err error) {
	if err := checkText(file, text); err != nil {
		return nil, err
	}
	defer func() {
		if recover() != nil {
			tree, err = nil, explain(file, nil, errPanic)
		}
	}()
	if tree, err = parser.ParseBytes(text, 0); err != nil {
		return nil, explain(file, nil, err)
	}
	if err := checkAliases(file, tree); err != nil {
		return nil, err
	}
	return tree, nil
}

// Line returns the line of a key, or of the nearest enclosing key that exists. It returns 0 if there is none,
// and if the document is nil or the zero value.
func (d *Document) Line(key string) int {
	if d == nil || d.tree == nil {
		return 0
	}
	for ; key != ""; key = Parent(key) {
		path, err := yaml.PathString("$." + key)
		if err != nil {
			continue
		}
		if node, err := path.FilterFile(d.tree); err == nil && node != nil {
			return firstLine(node)
		}
	}
	return 0
}

// Errorf returns an error about the value of a key. If neither the key nor an enclosing key is in the file, the
// line is 1.
func (d *Document) Errorf(key, format string, args ...any) *Error {
	e := &Error{Line: d.Line(key), Key: key, Reason: fmt.Sprintf(format, args...)}
	if d != nil {
		e.File = d.File
		if d.tree != nil {
			e.Line = max(1, e.Line)
		}
	}
	return e
}

// Parent returns the key that contains a key: "a.b" for "a.b[1]", "" for "a".
func Parent(key string) string {
	return key[:max(0, strings.LastIndexAny(key, ".["))]
}

// firstLine returns the line on which a node begins. The token of a mapping is the colon of its first entry, so
// the line of that entry's key is used.
func firstLine(node ast.Node) int {
	for {
		switch n := node.(type) {
		case *ast.MappingNode:
			if len(n.Values) == 0 || n.IsFlowStyle {
				return n.GetToken().Position.Line
			}
			node = n.Values[0]
			continue
		case *ast.MappingValueNode:
			node = n.Key
			continue
		}
		return node.GetToken().Position.Line
	}
}
