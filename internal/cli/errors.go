package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Exit codes of the program. 0 means success.
const (
	ExitFailed  = 1 // the thing checked or tried failed
	ExitMisuse  = 2 // misuse or bad configuration
	ExitInvalid = 3 // the result is invalid: it says nothing about the thing that was checked
	ExitUnclear = 4 // the results are valid, but too little to tell: only "load compare" ends with it
)

// Error is an error with the exit code of the program.
type Error struct {
	Code int
	Err  error
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error without its exit code.
func (e *Error) Unwrap() error { return e.Err }

// ExitCode returns the exit code.
func (e *Error) ExitCode() int { return e.Code }

// Is reports whether target is ErrMisuse and the exit code is that of misuse.
func (e *Error) Is(target error) bool { return target == ErrMisuse && e.Code == ExitMisuse }

// ErrMisuse marks an error in the arguments or in the files that they name. The exit code is 2.
var ErrMisuse = errors.New("usage")

// ErrQuiet marks a failure that the output already shows, such as in a table. Nothing more is printed, and the
// exit code is 1.
var ErrQuiet = errors.New("failed")

// Misuse returns an error with exit code 2. It formats like fmt.Errorf.
func Misuse(format string, args ...any) error {
	return &Error{ExitMisuse, fmt.Errorf(format, args...)}
}

// Invalid returns err with exit code 3.
func Invalid(err error) error { return &Error{ExitInvalid, err} }

// Code returns the exit code of an error. If the error has a method ExitCode() int, that decides. ErrMisuse and
// the errors in misuse are misuse. Every other error is a failure.
func Code(err error, misuse ...error) int {
	var own interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrQuiet):
		return ExitFailed
	case errors.As(err, &own):
		return own.ExitCode()
	}
	for _, target := range append(misuse, ErrMisuse) {
		if errors.Is(err, target) {
			return ExitMisuse
		}
	}
	return ExitFailed
}

// Report prints an error once, after the path of the command that returned it, and returns the exit code. It is the only
// place that prints errors.
func Report(command string, err error, w io.Writer, misuse ...error) int {
	switch {
	case err == nil, errors.Is(err, ErrQuiet):
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(w, "%s: interrupted\n", command)
		return ExitFailed
	default:
		fmt.Fprintf(w, "%s: %s\n", command, withoutMark(err.Error()))
	}
	return Code(err, misuse...)
}

// withoutMark returns the text of an error without the words of ErrMisuse at the beginning of its lines.
func withoutMark(text string) string {
	mark := ErrMisuse.Error() + ": "
	return strings.ReplaceAll(strings.TrimPrefix(text, mark), "\n"+mark, "\n")
}
