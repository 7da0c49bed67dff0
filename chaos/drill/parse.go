package drill

import (
	"errors"
	"fmt"
	"path/filepath"

	"firedrill/internal/yamlfile"
)

// Extension is the extension of a drill's file.
const Extension = ".yaml"

// A Checker knows which faults there are. Every run.Injector is one.
type Checker interface {
	Check(f Fault) error
}

// FormatError is something wrong in a drill's file.
type FormatError = yamlfile.Error

// LoadFile reads a drill from a file and checks its faults. The error joins a
// *FormatError for each thing that is wrong.
func LoadFile(file string, faults Checker) (*Drill, error) {
	text, err := yamlfile.ReadText(file)
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

// decode reads the text into the document.
func (b *builder) decode(text []byte) (err error) {
	b.tree, err = yamlfile.Decode(b.file, text, &b.doc)
	return err
}
