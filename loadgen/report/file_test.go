package report

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeText(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestWriteFileReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	for _, text := range []string{"first", "second"} {
		if err := WriteFile(path, writeText(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q, %v; want %q", got, err, text)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// failing is a disk on which one operation fails.
type failing struct {
	osDisk
	operation string
}

type failingFile struct {
	file
	operation string
}

func (d failing) create(folder string) (file, error) {
	if d.operation == "create" {
		return nil, errFull
	}
	f, err := d.osDisk.create(folder)
	return failingFile{f, d.operation}, err
}

func (d failing) rename(from, to string) error {
	if d.operation == "rename" {
		return errFull
	}
	return d.osDisk.rename(from, to)
}

func (f failingFile) Write(p []byte) (int, error) {
	if f.operation == "write" { // the disk is full half-way
		n, _ := f.file.Write(p[:len(p)/2])
		return n, errFull
	}
	return f.file.Write(p)
}

func (f failingFile) Sync() error {
	if f.operation == "sync" {
		return errFull
	}
	return f.file.Sync()
}

func (f failingFile) Close() error {
	if err := f.file.Close(); f.operation != "close" {
		return err
	}
	return errFull
}

func TestAFailureLeavesTheLastGoodFile(t *testing.T) {
	for _, operation := range []string{"create", "write", "sync", "close", "rename", "render"} {
		t.Run(operation, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "run.json")
			if err := WriteFile(path, writeText("good")); err != nil {
				t.Fatal(err)
			}
			write := writeText(strings.Repeat("new", 10_000))
			if operation == "render" {
				write = func(w io.Writer) error { return errors.Join(writeText("half")(w), errFull) }
			}
			err := writeFile(failing{operation: operation}, path, write)
			if !errors.Is(err, errFull) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != "good" {
				t.Errorf("the file holds %d bytes, %v", len(got), err)
			}
			if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
				t.Errorf("left behind: %v, %v", files, err)
			}
		})
	}
}

func TestWriteFileToNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "run.json")
	if err := WriteFile(path, writeText("x")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}
