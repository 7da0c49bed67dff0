package attack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"syscall"
)

// biggestHeader is the maximum size of the header of an answer, in bytes: the limit of browsers and curl is lower.
const biggestHeader = 1 << 20

// answer reads one answer from a connection. It is reused.
type answer struct {
	from   *bufio.Reader
	method string
	read   int // bytes of the answer that arrived, of its interim answers too

	status int
	length int64 // of the body; -1 if the header has none
	chunks bool
	keep   bool   // the connection stays open
	line   []byte // of the header, if it did not fit into the reader's buffer
	header int    // bytes of the header so far
}

// partError says how far an answer came before it broke off.
type partError struct {
	where string
	err   error
}

func (e *partError) Error() string {
	switch {
	case errors.Is(e.err, io.EOF), errors.Is(e.err, io.ErrUnexpectedEOF):
		return "the server closed the connection " + e.where
	case errors.Is(e.err, syscall.ECONNRESET), errors.Is(e.err, syscall.EPIPE):
		return "the server reset the connection " + e.where
	case isTimeout(e.err):
		return "the request ran out of time " + e.where
	}
	return e.err.Error() + ", " + e.where
}

func (e *partError) Unwrap() error { return e.err }

func (a *answer) broke(err error) error {
	switch {
	case errors.Is(err, errHeader):
		return err
	case a.read == 0:
		return &partError{"before an answer", err}
	}
	return &partError{fmt.Sprintf("within the header of the answer, after %d bytes", a.read), err}
}

// next reads the header of the next answer, which may be an interim one.
func (a *answer) next() error {
	a.length, a.chunks, a.header = -1, false, 0
	line, err := a.readLine()
	if err != nil {
		return a.broke(err)
	}
	minor, ok := a.statusLine(line)
	if !ok {
		return fmt.Errorf("the answer is not HTTP/1: it begins with %q", line[:min(len(line), 60)])
	}
	a.keep = minor
	for {
		line, err := a.readLine()
		if err != nil {
			return a.broke(err)
		}
		if len(line) == 0 {
			return nil
		}
		if err := a.field(line); err != nil {
			return err
		}
	}
}

// final reads headers until that of the final answer. 101 is final, because what follows it is not HTTP.
func (a *answer) final() error {
	for {
		if err := a.next(); err != nil {
			return err
		}
		if a.status == 101 || a.status >= 200 {
			return nil
		}
	}
}

// statusLine parses "HTTP/1.1 200 OK". modern is true from HTTP/1.1.
func (a *answer) statusLine(line []byte) (modern, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("HTTP/1."))
	if !ok || len(rest) < 5 || rest[0] < '0' || rest[0] > '9' || rest[1] != ' ' || len(rest) > 5 && rest[5] != ' ' {
		return false, false
	}
	a.status = 0
	for _, c := range rest[2:5] {
		if c < '0' || c > '9' {
			return false, false
		}
		a.status = a.status*10 + int(c-'0')
	}
	return rest[0] != '0', a.status >= 100
}

// readLine returns the next line without its end. It is valid until the next read.
func (a *answer) readLine() ([]byte, error) {
	part, err := a.from.ReadSlice('\n')
	a.read += len(part)
	a.header += len(part)
	if errors.Is(err, bufio.ErrBufferFull) {
		a.line = append(a.line[:0], part...)
		for errors.Is(err, bufio.ErrBufferFull) {
			if a.header > biggestHeader {
				return nil, errHeader
			}
			part, err = a.from.ReadSlice('\n')
			a.read += len(part)
			a.header += len(part)
			a.line = append(a.line, part...)
		}
		part = a.line
	}
	if err != nil {
		return nil, err
	}
	if a.header > biggestHeader {
		return nil, errHeader
	}
	return bytes.TrimSuffix(part[:len(part)-1], []byte{'\r'}), nil
}

var errHeader = fmt.Errorf("the header of the answer is longer than %d KiB", biggestHeader>>10)

// field takes what it needs from a header field.
func (a *answer) field(line []byte) error {
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok {
		return fmt.Errorf("the header of the answer has a line without a colon: %q", line[:min(len(line), 60)])
	}
	value = bytes.Trim(value, " \t")
	switch len(name) {
	case len("Connection"):
		if bytes.EqualFold(name, []byte("Connection")) {
			a.connection(value)
		}
	case len("Content-Length"):
		if bytes.EqualFold(name, []byte("Content-Length")) {
			n, err := strconv.ParseUint(string(value), 10, 63)
			if err != nil || a.length >= 0 && a.length != int64(n) {
				return fmt.Errorf("the answer has a Content-Length of %q, which is no length or differs from an earlier one", value)
			}
			a.length = int64(n)
		}
	case len("Transfer-Encoding"):
		if bytes.EqualFold(name, []byte("Transfer-Encoding")) {
			if !bytes.EqualFold(value, []byte("chunked")) {
				return fmt.Errorf("the answer has the Transfer-Encoding %q, want chunked", value)
			}
			a.chunks = true
		}
	}
	return nil
}

func (a *answer) connection(value []byte) {
	for option := range bytes.SplitSeq(value, []byte{','}) {
		switch option = bytes.TrimSpace(option); {
		case bytes.EqualFold(option, []byte("close")):
			a.keep = false
		case bytes.EqualFold(option, []byte("keep-alive")):
			a.keep = true
		}
	}
}

// body appends the body to buf.
func (a *answer) body(buf []byte) ([]byte, error) {
	switch {
	case a.status == 101:
		a.keep = false
		return buf, nil
	case a.method == "HEAD", a.status == 204, a.status == 304:
		return buf, nil
	case a.chunks:
		return a.chunked(buf)
	case a.length < 0:
		a.keep = false
		return a.untilClose(buf)
	}
	return a.exactly(buf, a.length)
}

func (a *answer) exactly(buf []byte, n int64) ([]byte, error) {
	had := len(buf)
	if n > biggestBody-int64(had) {
		return buf, errTooBig
	}
	buf = grow(buf, int(n))
	read, err := io.ReadFull(a.from, buf[had:])
	a.read += read
	if err != nil {
		return buf[:had+read], &partError{fmt.Sprintf("within the body, after %d of %d bytes", read, n), err}
	}
	return buf, nil
}

func grow(buf []byte, n int) []byte {
	if cap(buf)-len(buf) >= n {
		return buf[:len(buf)+n]
	}
	return append(buf, make([]byte, n)...)
}

func (a *answer) untilClose(buf []byte) ([]byte, error) {
	buf, err := readAll(a.from, buf)
	a.read += len(buf)
	if err != nil && !errors.Is(err, errTooBig) {
		err = &partError{fmt.Sprintf("within the body, after %d bytes", len(buf)), err}
	}
	return buf, err
}

func (a *answer) chunked(buf []byte) ([]byte, error) {
	within := func(err error) error {
		return &partError{fmt.Sprintf("within the body, after %d bytes and before its last chunk", len(buf)), err}
	}
	for {
		a.header = 0
		line, err := a.readLine()
		if err != nil {
			return buf, within(err)
		}
		digits, _, _ := bytes.Cut(line, []byte{';'})
		n, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 62)
		if err != nil {
			return buf, fmt.Errorf("the body has a chunk of the size %q, want a hexadecimal number", digits)
		}
		if n == 0 {
			break
		}
		if buf, err = a.exactly(buf, int64(n)); err != nil {
			if errors.Is(err, errTooBig) {
				return buf, err
			}
			return buf, within(errors.Unwrap(err))
		}
		if line, err = a.readLine(); err != nil {
			return buf, within(err)
		}
		if len(line) > 0 {
			return buf, fmt.Errorf("a chunk of the body is longer than the %d bytes that it says", n)
		}
	}
	for a.header = 0; ; { // trailers
		switch line, err := a.readLine(); {
		case err != nil:
			return buf, &partError{"within the trailers", err}
		case len(line) == 0:
			return buf, nil
		}
	}
}
