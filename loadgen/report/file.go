package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile replaces the file at path by the content that write writes. It writes a temporary file in the same folder,
// syncs it, and renames it. After an error, a crash or a full disk, path still has its last complete content.
func WriteFile(path string, write func(io.Writer) error) error {
	return writeFile(osDisk{}, path, write)
}

// disk is the part of a file system that writeFile uses.
type disk interface {
	create(folder string) (file, error)
	rename(from, to string) error
	syncFolder(folder string) error
}

type file interface {
	io.WriteCloser
	Name() string
	Sync() error
}

func writeFile(d disk, path string, write func(io.Writer) error) (err error) {
	folder := filepath.Dir(path)
	f, err := d.create(folder)
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	buffered := bufio.NewWriter(f)
	if err = write(buffered); err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = d.rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %q: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	if err := d.syncFolder(folder); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return nil
}

type osDisk struct{}

func (osDisk) create(folder string) (file, error) {
	f, err := os.CreateTemp(folder, ".result-*")
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(0o644); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}

func (osDisk) rename(from, to string) error { return os.Rename(from, to) }

// syncFolder syncs the folder, so that the rename survives a crash.
func (osDisk) syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
