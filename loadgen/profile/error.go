package profile

import (
	"errors"
	"fmt"
	"io/fs"

	"firedrill/internal/yamlfile"
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
	doc  *yamlfile.Document
}

// at makes an error of what stands at a key.
func (p positions) at(key, format string, args ...any) *Error {
	return &Error{File: p.file, Line: p.line(key), Key: key, Err: fmt.Errorf(format, args...)}
}

// line is that of a key, or of what it would be in if it is missing; 0 if unknown.
func (p positions) line(key string) int { return p.doc.Line(key) }

// decodeError makes an Error of what is wrong with the text as YAML.
func decodeError(err error) error {
	var wrong *yamlfile.Error
	if !errors.As(err, &wrong) {
		return err
	}
	return &Error{File: wrong.File, Line: wrong.Line, Key: wrong.Key, Err: errors.New(wrong.Reason)}
}
