package slo

import (
	"errors"

	"firedrill/internal/yamlfile"
)

// SpecError is something wrong in a file of objectives.
type SpecError = yamlfile.Error

// Problems collects what is wrong in one file, so that all of it is told at once.
type Problems struct {
	doc  *yamlfile.Document
	errs []error
}

// Decode reads the text of a file, which must be one YAML document without unknown
// keys, and returns where to tell what is wrong with the values. The file's name is
// for messages. Errors are SpecErrors.
func Decode(file string, text []byte, out any) (*Problems, error) {
	doc, err := yamlfile.Decode(file, text, out)
	if err != nil {
		return nil, err
	}
	return &Problems{doc: doc}, nil
}

// Add tells of the value at a key, or of the nearest around it that is there.
func (p *Problems) Add(key, format string, args ...any) {
	p.errs = append(p.errs, p.doc.Errorf(key, format, args...))
}

// Err joins all that was told; nil if that is nothing.
func (p *Problems) Err() error { return errors.Join(p.errs...) }
