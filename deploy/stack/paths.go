package stack

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"firedrill/internal/private"
)

// checkPaths returns an error if a program of the stack cannot take the path of a folder, or if other users could change
// the data.
func (s Settings) checkPaths() error {
	for _, folder := range []struct{ what, path string }{{"repository", s.Root}, {"data folder", s.Data}, {"folder of built programs", s.Bin}} {
		if err := checkPath(folder.path); err != nil {
			return fmt.Errorf("%w: the %s %q %w", ErrSettings, folder.what, folder.path, err)
		}
	}
	if err := private.Check(s.Data); err != nil {
		return unsafeData(err)
	}
	return nil
}

// trustPrograms returns an error if other users could change the programs that are built from root and run from bin.
func trustPrograms(root, bin string) error {
	for what, path := range map[string]string{"the repository": root, "the folder of built programs": bin} {
		if err := private.Trusted(path); err != nil {
			return fmt.Errorf("%w: %s is not safe: %w", ErrSettings, what, err)
		}
	}
	return nil
}

// checkPath returns an error if a path cannot be part of the settings of every program. Spaces, quotes and % can.
func checkPath(path string) error {
	switch {
	case !utf8.ValidString(path):
		return errors.New("is not UTF-8 text, as the settings of the programs must be; use another folder")
	case strings.ContainsFunc(path, unicode.IsControl):
		return errors.New("contains a control character such as a line break; use another folder")
	case strings.ContainsAny(path, `*?[\`):
		return errors.New(`contains one of * ? [ \, which Prometheus takes for a pattern of names; use another folder`)
	case strings.Contains(path, "{{"):
		return errors.New("contains {{, which process-compose takes for a template; use another folder")
	}
	return nil
}
