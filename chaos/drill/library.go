package drill

import (
	"path/filepath"
	"strings"
)

// Library is a folder of drills.
type Library struct {
	Dir    string
	Faults Checker
}

// All reads every drill, sorted by name.
func (l Library) All() ([]*Drill, error) { return LoadAll(l.Dir, l.Faults) }

// Named reads the named drills. A name that ends in Extension is a file anywhere.
// Without names it reads all.
func (l Library) Named(names ...string) ([]*Drill, error) {
	if len(names) == 0 {
		return l.All()
	}
	var all []*Drill
	for _, name := range names {
		d, err := l.One(name)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// One reads the drill with a name, or a file, see Named.
func (l Library) One(name string) (*Drill, error) {
	path := name
	if !strings.HasSuffix(name, Extension) {
		path = filepath.Join(l.Dir, name+Extension)
	}
	return LoadFile(path, l.Faults)
}
