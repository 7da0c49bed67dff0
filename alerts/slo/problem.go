package slo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// SpecError is something wrong in a file of objectives.
type SpecError struct {
	File         string
	Line, Column int    // from 1
	Path         string // slos[0].objective
	Reason       string
}

func (p *SpecError) Error() string {
	where := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Path == "" {
		return where + p.Reason
	}
	return where + p.Path + ": " + p.Reason
}

// Problems collects what is wrong in one file, so that all of it is told at once.
type Problems struct {
	file string
	root *ast.File
	errs []error
}

// Decode reads the text of a file, which must be one YAML document without unknown
// keys, and returns where to tell what is wrong with the values. The file's name is
// for messages. Errors are SpecErrors.
func Decode(file string, text []byte, out any) (p *Problems, err error) {
	defer func() { // the library panics on some texts that are no YAML, such as "slos: ! "
		if why := recover(); why != nil {
			p, err = nil, &SpecError{File: file, Line: 1, Column: 1, Reason: fmt.Sprintf("this cannot be read as YAML: %v", why)}
		}
	}()
	root, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fromYAML(file, err)
	}
	if len(root.Docs) != 1 {
		return nil, &SpecError{File: file, Line: 1, Column: 1, Reason: fmt.Sprintf("%d YAML documents: want one", len(root.Docs))}
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(out); err != nil && !errors.Is(err, io.EOF) {
		return nil, fromYAML(file, err)
	}
	return &Problems{file: file, root: root}, nil
}

// Add tells of the value at path, or of the nearest above it that is there.
func (p *Problems) Add(path, format string, args ...any) {
	found := &SpecError{File: p.file, Line: 1, Column: 1, Path: path, Reason: fmt.Sprintf(format, args...)}
	for at := path; ; at = parent(at) {
		if line, column, ok := p.position(at); ok {
			found.Line, found.Column = line, column
			break
		}
		if at == "" {
			break
		}
	}
	p.errs = append(p.errs, found)
}

func (p *Problems) position(path string) (line, column int, ok bool) {
	query, err := yaml.PathString("$." + path)
	if path == "" {
		query, err = yaml.PathString("$")
	}
	if err != nil {
		return 0, 0, false
	}
	node, err := query.FilterFile(p.root)
	if err != nil || node == nil {
		return 0, 0, false
	}
	// A mapping's own token is the colon of its first entry; people look for the key.
	for {
		if m, isMap := node.(*ast.MappingNode); isMap && len(m.Values) > 0 {
			node = m.Values[0]
			continue
		}
		if v, isValue := node.(*ast.MappingValueNode); isValue {
			node = v.Key
			continue
		}
		break
	}
	at := node.GetToken().Position
	return at.Line, at.Column, true
}

// parent is the path one level up.
func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// Err joins all that was told; nil if that is nothing.
func (p *Problems) Err() error { return errors.Join(p.errs...) }

// fromYAML makes a SpecError of what the decoder says.
func fromYAML(file string, err error) error {
	var located yaml.Error
	if !errors.As(err, &located) || located.GetToken() == nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	at := located.GetToken().Position
	return &SpecError{File: file, Line: at.Line, Column: at.Column, Reason: located.GetMessage()}
}
