package yamlfile

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// checkText returns an error if a text is too long, not UTF-8, or nested too deeply for a recursive parser.
func checkText(file string, text []byte) error {
	if len(text) > MaxBytes {
		return &Error{file, 1, "", fmt.Sprintf("the file is larger than %d bytes", MaxBytes)}
	}
	if !utf8.Valid(text) {
		good := len(bytes.ToValidUTF8(text, nil)) // an upper bound to start with
		for good > 0 && !utf8.Valid(text[:good]) {
			good--
		}
		return &Error{file, 1 + bytes.Count(text[:good], []byte("\n")), "", "this is not UTF-8 text"}
	}
	if line, reason := tooMuch(text); line > 0 {
		return &Error{file, line, "", reason}
	}
	return nil
}

// tooMuch returns the line on which the text becomes deeper than MaxDepth or gets more than MaxKeys keys, and
// the reason. The line is 0 if it does neither. Depth is counted in tokens: open brackets, the columns at which
// block entries begin, and consecutive anchors and tags.
func tooMuch(text []byte) (line int, reason string) {
	defer func() {
		if recover() != nil {
			line = 0 // the parser reports what is wrong
		}
	}()
	deep := fmt.Sprintf("more than %d lists and mappings in each other", MaxDepth)
	flow, row, keys := 0, 0, 0
	var columns []int // columns at which the open block entries begin
	for _, t := range lexer.Tokenize(string(text)) {
		row++
		switch t.Type { //nolint:exhaustive // the other tokens open nothing
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType:
			columns = enter(columns, t.Position.Column)
		case token.MappingValueType:
			if keys++; keys > MaxKeys {
				return t.Position.Line, fmt.Sprintf("more than %d keys", MaxKeys)
			}
			if t.Prev != nil && flow == 0 {
				columns = enter(columns, t.Prev.Position.Column)
			}
		case token.AnchorType, token.TagType:
			row++ // the name of an anchor is a separate token
			if row > 2*MaxDepth {
				return t.Position.Line, deep
			}
			row--
			continue
		case token.DocumentHeaderType:
			columns, flow = nil, 0
		}
		if flow+len(columns) > MaxDepth {
			return t.Position.Line, deep
		}
		if t.Prev == nil || t.Prev.Type != token.AnchorType {
			row = 0
		}
	}
	return 0, ""
}

// enter removes the columns at or right of a column and adds the column.
func enter(columns []int, column int) []int {
	for len(columns) > 0 && columns[len(columns)-1] >= column {
		columns = columns[:len(columns)-1]
	}
	return append(columns, column)
}

// checkAliases returns an error if aliases make a tree larger than MaxNodes, or refer to nothing or to
// themselves.
func checkAliases(file string, tree *ast.File) error {
	for _, doc := range tree.Docs {
		c := counter{anchors: map[string]int{}}
		if doc.Body == nil {
			continue
		}
		if n := c.count(doc.Body); c.wrong == "" && n > MaxNodes {
			c.at(doc.Body, fmt.Sprintf("more than %d values when its aliases are expanded", MaxNodes))
		}
		if c.wrong != "" {
			return &Error{file, c.line, "", c.wrong}
		}
	}
	return nil
}

// counter counts nodes as if every alias were a copy.
type counter struct {
	anchors map[string]int // size of each anchor; -1 inside of it
	wrong   string
	line    int
}

func (c *counter) at(node ast.Node, reason string) {
	if c.wrong == "" {
		c.wrong, c.line = reason, max(1, firstLine(node))
	}
}

// count returns the number of nodes under a node, at most MaxNodes+1.
func (c *counter) count(node ast.Node) int {
	n := 1
	switch v := node.(type) {
	case *ast.MappingNode:
		for _, entry := range v.Values {
			n = min(n+c.count(entry), MaxNodes+1)
		}
	case *ast.MappingValueNode:
		n = min(n+c.count(v.Key)+c.count(v.Value), MaxNodes+1)
	case *ast.SequenceNode:
		for _, entry := range v.Values {
			n = min(n+c.count(entry), MaxNodes+1)
		}
	case *ast.MappingKeyNode:
		n += c.count(v.Value)
	case *ast.TagNode:
		n += c.count(v.Value)
	case *ast.AnchorNode:
		name := v.Name.GetToken().Value
		c.anchors[name] = -1
		n = c.count(v.Value)
		c.anchors[name] = n
	case *ast.AliasNode:
		name := v.Value.GetToken().Value
		size, known := c.anchors[name]
		switch {
		case !known:
			c.at(v, fmt.Sprintf("there is no anchor &%s before the alias *%s", cut(name), cut(name)))
		case size < 0:
			c.at(v, fmt.Sprintf("the alias *%s is inside of its own anchor", cut(name)))
		default:
			n = size
		}
	}
	return n
}
