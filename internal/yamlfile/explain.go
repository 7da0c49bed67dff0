package yamlfile

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

const (
	unreadable  = "this cannot be read as YAML"
	wholeNumber = "a whole number"
)

// cut shortens a text of the file, so that a message stays one short line.
func cut(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 100 {
		return string(runes[:99]) + "…"
	}
	return text
}

// explain translates an error of the YAML library to an Error with line and key.
func explain(file string, tree *ast.File, err error) *Error {
	e := &Error{File: file, Line: 1, Reason: unreadable}
	var found yaml.Error
	if !errors.As(err, &found) {
		return e
	}
	at := found.GetToken()
	if at != nil && at.Position != nil {
		e.Line, e.Key = max(1, at.Position.Line), keyOf(tree, at)
	}
	var (
		unknown   *yaml.UnknownFieldError
		kind      *yaml.TypeError
		node      *yaml.UnexpectedNodeTypeError
		overflow  *yaml.OverflowError
		duplicate *yaml.DuplicateKeyError
	)
	switch {
	case errors.As(err, &unknown):
		e.Reason = "unknown key" // audit adds a suggestion if it can
	case errors.As(err, &kind):
		e.Reason = fmt.Sprintf("want %s, have %s", nameOf(kind.DstType), nameOf(kind.SrcType))
	case errors.As(err, &node):
		e.Reason = fmt.Sprintf("want %s, have %s", nodeName(node.Expected), nodeName(node.Actual))
	case errors.As(err, &overflow):
		e.Reason = cut(overflow.SrcNum) + " is out of range"
	case errors.As(err, &duplicate):
		e.Reason = "the key is there twice"
	default:
		e.Reason = syntax(found.GetMessage())
	}
	return e
}

// sayings replaces the library's messages about syntax.
var sayings = []struct {
	message *regexp.Regexp
	words   string
}{
	{regexp.MustCompile(`^mapping key "(.*)" already defined at \[(\d+):\d+\]$`), `the key "$1" is there twice, first on line $2`},
	{regexp.MustCompile(`character corresponding to '(.)'`), `there is nothing that this $1 closes`},
	{regexp.MustCompile(`sequence end token ']' not found|sequence end token`), `a list that begins with [ has no ]`},
	{regexp.MustCompile(`flow mapping end token|flow map content`), `a mapping that begins with { has no }`},
	{regexp.MustCompile(`^',' or '(.)' must be specified`), `want , or $1 here`},
	{regexp.MustCompile(`end character of (?:single|double)[- ]quot`), `a quotation mark is not closed`},
	{regexp.MustCompile("tab character|'\t' that cannot start"), `a tab: indent with spaces`},
	{regexp.MustCompile("^('.') is a reserved character"), `no text begins with $1: put it in quotation marks`},
	{regexp.MustCompile(`^unexpected directive value`), `no text begins with '%': put it in quotation marks`},
	{regexp.MustCompile(`^undefined anchor|^undefined alias|anchor value|alias value`), `an & or * without a name: put text that begins with it in quotation marks`},
	{regexp.MustCompile(`unknown escape character`), `an unknown escape behind \: use single quotation marks for text as it is`},
	{regexp.MustCompile(`^invalid header option`), `nothing but + or - may follow | and > on their line`},
	{regexp.MustCompile(`unknown YAML version`), `only YAML 1.2 can be read`},
	{regexp.MustCompile(`^could not find alias (".*")$`), `there is no anchor for the alias $1`},
	{regexp.MustCompile(`to boolean$`), `want true or false`},
	{regexp.MustCompile(`not allowed in this context|non-map value|unexpected key name|unexpected scalar|invalid key`),
		`this cannot stand here: want "key: value", indented like its neighbours`},
}

func syntax(message string) string {
	for _, s := range sayings {
		if at := s.message.FindStringSubmatchIndex(message); at != nil {
			return cut(string(s.message.ExpandString(nil, s.words, message, at)))
		}
	}
	return unreadable
}

func nameOf(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	switch t.Kind() { //nolint:exhaustive // documents use only these kinds; any other is text
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return wholeNumber
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping of keys to values"
	case reflect.Pointer:
		return nameOf(t.Elem())
	}
	return "text"
}

func nodeName(t ast.NodeType) string {
	switch t { //nolint:exhaustive // every other node is text to whoever writes the file
	case ast.MappingType, ast.MappingValueType:
		return "a mapping of keys to values"
	case ast.SequenceType:
		return "a list"
	case ast.IntegerType:
		return wholeNumber
	case ast.FloatType, ast.InfinityType, ast.NanType:
		return "a number"
	case ast.BoolType:
		return "true or false"
	case ast.NullType:
		return "nothing"
	}
	return "text"
}

// keyOf returns the key of the node that begins with a token. The library's own paths look like
// "$.faults[1].kind".
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

// suggest returns "; did you mean KEY?" if a struct type has a similar key, and "" otherwise.
func suggest(t reflect.Type, name string) string {
	if len(name) < 2 || len(name) > 50 {
		return ""
	}
	best, least := "", 1+min(len(name)/3, 2)
	for _, known := range keys(t) {
		if d := distance(name, known); d <= least {
			best, least = known, d-1
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

func keys(t reflect.Type) (all []string) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	for _, name := range fields(t) {
		all = append(all, name)
	}
	return all
}

// fields yields the fields of a struct with their keys, and those of inlined structs.
func fields(t reflect.Type) func(func(reflect.StructField, string) bool) {
	return func(yield func(reflect.StructField, string) bool) {
		for field := range t.Fields() {
			name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if strings.Contains(options, "inline") && inner.Kind() == reflect.Struct {
				for f, n := range fields(inner) {
					if !yield(f, n) {
						return
					}
				}
				continue
			}
			if name != "" && name != "-" && !yield(field, name) {
				return
			}
		}
	}
}

// distance returns the Levenshtein distance: how many letters must be added, dropped or replaced.
// https://en.wikipedia.org/wiki/Levenshtein_distance#Iterative_with_two_matrix_rows
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above+1, row[j]+1, diagonal+cost)
			diagonal = above
		}
	}
	return row[len(b)]
}
