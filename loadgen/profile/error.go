package profile

import (
	"errors"
	"fmt"
	"io/fs"

	"firedrill/internal/yamlfile"
)

// Error is an error in a profile, with its position.
type Error struct {
	File string
	Line int    // 0: unknown
	Key  string // such as "stages[1].ramp.to"; "": the whole profile
	Err  error
}

// Error returns the error in one line: "file:line: key: what".
func (e *Error) Error() string {
	var path *fs.PathError
	if errors.As(e.Err, &path) && path.Path == e.File {
		return e.Where() + ": " + path.Err.Error()
	}
	return e.Where() + ": " + e.Err.Error()
}

// Where returns the position as Error begins with it: "file:line: key".
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

// positions finds the lines of keys in a file. The zero value finds none.
type positions struct {
	file string
	doc  *yamlfile.Document
}

// at returns an error about the value at a key.
func (p positions) at(key, format string, args ...any) *Error {
	return &Error{File: p.file, Line: p.line(key), Key: key, Err: fmt.Errorf(format, args...)}
}

// line returns the line of a key. For a missing key it returns the line of the object that
// would contain it; 0 if unknown.
func (p positions) line(key string) int { return p.doc.Line(key) }

// decodeError converts an error of the YAML decoder to an *Error.
func decodeError(err error) error {
	var wrong *yamlfile.Error
	if !errors.As(err, &wrong) {
		return err
	}
	return &Error{File: wrong.File, Line: wrong.Line, Key: wrong.Key, Err: errors.New(wrong.Reason)}
}
