// Package userfile reads files that a person names. A file may be anything: a folder, a device without end, a pipe that
// nobody writes to, or gigabytes of text. Read says what is wrong with it instead of hanging or filling the memory.
//
// It must not know what is in a file.
package userfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrTooLong means that a file or a stream is longer than it may be.
var ErrTooLong = errors.New("too long")

// Read returns the content of a regular file of at most so many bytes. Errors name the file.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path, most)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, plain(err))
	}
	if int64(len(text)) > most { // it grew
		return nil, tooLong(path, most)
	}
	return text, nil
}

// Open opens a regular file of at most so many bytes. Errors name the file.
func Open(path string, most int64) (*os.File, error) {
	// The file is looked at before it is opened: to open a pipe waits for a writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, plain(err))
	}
	if err := check(path, info, most); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, plain(err))
	}
	if info, err = f.Stat(); err == nil {
		err = check(path, info, most)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func check(path string, info fs.FileInfo, most int64) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return fmt.Errorf("%s: it is a folder: want a file", path)
	case !mode.IsRegular():
		return fmt.Errorf("%s: it is a device, a pipe or a socket: want a file", path)
	case info.Size() > most:
		return tooLong(path, most)
	}
	return nil
}

func tooLong(name string, most int64) error {
	return fmt.Errorf("%s: %w: want at most %s", name, ErrTooLong, size(most))
}

func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// plain returns the cause of an error without the path, which is named already.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// ReadStream returns all of a stream, such as standard input, of at most so many bytes. It returns when ctx ends, also if
// the stream is silent; the stream must not be read afterwards. name is for errors.
func ReadStream(ctx context.Context, r io.Reader, name string, most int64) ([]byte, error) {
	type part struct {
		text []byte
		err  error
	}
	parts := make(chan part)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the reader, at the latest when the stream gives something
	go func() {
		for {
			p := part{text: make([]byte, 64<<10)}
			var n int
			n, p.err = r.Read(p.text)
			p.text = p.text[:n]
			select {
			case parts <- p:
			case <-ctx.Done():
				return
			}
			if p.err != nil {
				return
			}
		}
	}()
	var all bytes.Buffer
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", name, context.Cause(ctx))
		case p := <-parts:
			all.Write(p.text)
			switch {
			case int64(all.Len()) > most:
				return nil, tooLong(name, most)
			case errors.Is(p.err, io.EOF):
				return all.Bytes(), nil
			case p.err != nil:
				return nil, fmt.Errorf("%s: %w", name, plain(p.err))
			}
		}
	}
}
