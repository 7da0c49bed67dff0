package chaos

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"firedrill/internal/yamlfile"
)

// Extension of the files that drills stand in.
const Extension = ".yaml"

// A Checker knows which faults there are. Every Injector is one.
type Checker interface {
	Check(f Fault) error
}

// FormatError is something in a drill's file that cannot be.
type FormatError = yamlfile.Error

// LoadFile reads a drill from a file and has its faults checked. What is wrong in
// it is one error that joins a FormatError for each.
func LoadFile(file string, faults Checker) (*Drill, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read drill: %w", err)
	}
	return Parse(file, text, faults)
}

// LoadAll reads every drill of a folder, in the order of their names.
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

// Parse reads a drill's text. The file's name is for messages, names the drill, and
// is where a load profile of its own lies.
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

// decode reads the text into the document.
func (b *builder) decode(text []byte) (err error) {
	b.tree, err = yamlfile.Decode(b.file, text, &b.doc)
	return err
}
