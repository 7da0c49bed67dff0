package slo

import (
	"errors"

	"firedrill/internal/yamlfile"
)

// SpecError is one problem in a file of objectives.
type SpecError = yamlfile.Error

// Problems collects the problems of one file, so that they are reported together.
type Problems struct {
	doc  *yamlfile.Document
	errs []error
}

// Decode decodes the text of a file into out. The text must be one YAML document without unknown
// keys. file is the file's name for error messages. Decode returns a collector for problems with
// the values. Errors are of type SpecError.
func Decode(file string, text []byte, out any) (*Problems, error) {
	doc, err := yamlfile.Decode(file, text, out)
	if err != nil {
		return nil, err
	}
	return &Problems{doc: doc}, nil
}

// Add records a problem with the value at a key. If the key is absent, the problem is reported at
// the nearest enclosing key.
func (p *Problems) Add(key, format string, args ...any) {
	p.errs = append(p.errs, p.doc.Errorf(key, format, args...))
}

// Err returns all recorded problems as one error, or nil if there are none.
func (p *Problems) Err() error { return errors.Join(p.errs...) }
