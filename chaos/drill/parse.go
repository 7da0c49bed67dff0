package drill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Extension is the extension of a drill's file.
const Extension = ".yaml"

// A Checker knows which faults there are. Every run.Injector is one.
type Checker interface {
	Check(f Fault) error
}

// FormatError is something wrong in a drill's file.
type FormatError struct {
	File   string
	Line   int    // from 1
	Key    string // such as "faults[0].for"; "" for the whole
	Reason string
}

func (e *FormatError) Error() string {
	where := fmt.Sprintf("%s:%d: ", e.File, e.Line)
	if e.Key != "" {
		where += e.Key + ": "
	}
	return where + e.Reason
}

// LoadFile reads a drill from a file and checks its faults. The error joins a
// *FormatError for each thing that is wrong.
func LoadFile(file string, faults Checker) (*Drill, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read drill: %w", err)
	}
	return Parse(file, text, faults)
}

// LoadAll reads every drill of a folder, sorted by name.
func LoadAll(dir string, faults Checker) ([]*Drill, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+Extension))
	if err != nil {
		return nil, fmt.Errorf("list drills in %q: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("list drills: no *%s in %q", Extension, dir)
	}
	var all []*Drill
	var wrong []error
	for _, file := range files {
		d, err := LoadFile(file, faults)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		all = append(all, d)
	}
	return all, errors.Join(wrong...)
}

// Parse parses a drill. The base name of file names the drill; errors name the file,
// and a load profile's relative path starts at its folder.
func Parse(file string, text []byte, faults Checker) (*Drill, error) {
	b := builder{file: file, faults: faults}
	if err := b.decode(text); err != nil {
		return nil, err
	}
	d := b.drill()
	if len(b.wrong) > 0 {
		return nil, errors.Join(b.wrong...)
	}
	return d, nil
}

// decode parses the YAML. The library panics on some texts that are no YAML, such as
// "abortIf: ! "; that becomes an error.
func (b *builder) decode(text []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &FormatError{b.file, 1, "", fmt.Sprintf("this cannot be read as YAML: %v", p)}
		}
	}()
	if b.tree, err = parser.ParseBytes(text, 0); err != nil {
		return decodeError(b.file, nil, err)
	}
	if n := len(b.tree.Docs); n != 1 {
		return &FormatError{b.file, 1, "", fmt.Sprintf("%d YAML documents: want one", n)}
	}
	err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&b.doc)
	if err != nil && !errors.Is(err, io.EOF) {
		return decodeError(b.file, b.tree, err)
	}
	return nil
}

// decodeError returns what the YAML library found, with the line and the key.
func decodeError(file string, tree *ast.File, err error) error {
	var found yaml.Error
	if !errors.As(err, &found) || found.GetToken() == nil {
		return &FormatError{file, 1, "", err.Error()}
	}
	at := found.GetToken()
	reason := found.GetMessage()
	var kind *yaml.TypeError
	switch {
	case errors.As(err, new(*yaml.UnknownFieldError)):
		reason = "unknown key"
	case errors.As(err, &kind):
		reason = "the value is of the wrong kind" // the library speaks of Go's types
	}
	return &FormatError{file, at.Position.Line, keyOf(tree, at), reason}
}

// keyOf returns the key of the node that a token begins, such as "faults[1].kind".
func keyOf(tree *ast.File, at *token.Token) string {
	if tree == nil {
		return ""
	}
	f := finder{offset: at.Position.Offset}
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
	if at := node.GetToken(); at != nil && at.Position.Offset == f.offset && len(node.GetPath()) > len(f.path) {
		f.path = node.GetPath()
	}
	return f
}

// line returns the line of a key, or of the nearest enclosing key that is there.
func line(tree *ast.File, key string) int {
	for ; key != ""; key = key[:max(0, strings.LastIndexAny(key, ".["))] {
		path, err := yaml.PathString("$." + key)
		if err != nil {
			continue
		}
		if node, err := path.FilterFile(tree); err == nil && node != nil {
			return firstLine(node)
		}
	}
	return 1
}

// firstLine returns the line on which a node begins. The token of a mapping is the
// colon of its first entry, so the key is used instead.
func firstLine(node ast.Node) int {
	for {
		switch n := node.(type) {
		case *ast.MappingNode:
			if len(n.Values) == 0 {
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
