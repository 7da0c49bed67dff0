package userfile

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// endless is a stream without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// silent is a stream that gives nothing until it is closed.
type silent chan struct{}

func (s silent) Read([]byte) (int, error) {
	<-s
	return 0, io.EOF
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, n int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Repeat("x", n)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo, socket, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "socket"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := os.Symlink(fifo, link); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, path string
		want       string // part of the error
	}{
		{"as long as it may be", write("good", 1<<10), ""},
		{"empty", write("empty", 0), ""},
		{"too long", write("long", 1<<10+1), "too long: want at most 1 KiB"},
		{"missing", filepath.Join(dir, "missing"), "no such file"},
		{"a folder", dir, "it is a folder"},
		{"a device without end", "/dev/zero", "it is a device"},
		{"a pipe without a writer", fifo, "it is a device, a pipe"},
		{"a link to a pipe", link, "it is a device, a pipe"},
		{"a socket", socket, "it is a device, a pipe or a socket"},
	} {
		text, err := Read(tc.path, 1<<10)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.path)):
			t.Errorf("%s: %d bytes, %v, want an error with %q and the path", tc.name, len(text), err, tc.want)
		}
	}
}

func TestReadStream(t *testing.T) {
	if text, err := ReadStream(t.Context(), strings.NewReader("targets"), "standard input", 7); err != nil || string(text) != "targets" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := ReadStream(t.Context(), endless{}, "standard input", 1<<20); !errors.Is(err, ErrTooLong) || !strings.Contains(err.Error(), "standard input") {
		t.Errorf("an endless stream: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupted")
	cancel(cause)
	quiet := make(silent)
	defer close(quiet)
	if _, err := ReadStream(ctx, quiet, "standard input", 1<<20); !errors.Is(err, cause) {
		t.Errorf("a silent stream: %v, want %v", err, cause)
	}
}
