package telemetry

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"
)

// The encoder below appends JSON to a byte slice. It does not allocate for the
// usual types of log values. It exists because logging is a large part of the
// cost of a request's telemetry: slog's JSON handler takes longer than all the
// rest together.

// appendAttr appends `,"key":value`. It omits the comma after an opening brace.
// b must not be empty.
func appendAttr(b []byte, a slog.Attr) []byte {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		return appendGroup(b, a.Key, v.Group())
	}
	if a.Key == "" && v.Kind() == slog.KindAny && v.Any() == nil { // slog omits the zero Attr
		return b
	}
	return appendValue(appendKey(b, a.Key), v)
}

func appendGroup(b []byte, key string, attrs []slog.Attr) []byte {
	if key == "" { // slog inlines a group without a key
		for _, a := range attrs {
			b = appendAttr(b, a)
		}
		return b
	}
	mark := len(b)
	b = append(appendKey(b, key), '{')
	start := len(b)
	for _, a := range attrs {
		b = appendAttr(b, a)
	}
	if len(b) == start {
		return b[:mark]
	}
	return append(b, '}')
}

func appendKey(b []byte, key string) []byte {
	if n := len(b); n == 0 || b[n-1] != '{' {
		b = append(b, ',')
	}
	return append(appendString(b, key), ':')
}

func appendValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendString(b, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindFloat64:
		return appendFloat(b, v.Float64())
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration: // seconds, as in metrics
		return appendFloat(b, v.Duration().Seconds())
	case slog.KindTime:
		b = append(b, '"')
		b = v.Time().AppendFormat(b, time.RFC3339Nano)
		return append(b, '"')
	default:
		return appendAny(b, v.Any())
	}
}

func appendAny(b []byte, v any) []byte {
	switch v := v.(type) {
	case error:
		return appendString(b, safely(v.Error))
	case json.Marshaler:
	case fmt.Stringer:
		return appendString(b, safely(v.String))
	}
	text, err := json.Marshal(v)
	if err != nil {
		return appendString(b, fmt.Sprintf("%+v", v))
	}
	return append(b, text...)
}

// safely calls a method that may panic on a nil receiver. A log line must not
// crash a request.
func safely(text func() string) (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = fmt.Sprintf("!PANIC: %v", r)
		}
	}()
	return text()
}

func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) { // JSON cannot represent these numbers
		return appendString(b, strconv.FormatFloat(f, 'g', -1, 64))
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

const hexDigits = "0123456789abcdef"

// plain reports for each byte whether JSON strings hold it without an escape.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString appends s as a JSON string. Invalid UTF-8 bytes become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		b = append(b, s[start:i]...)
		b = appendEscaped(b, c)
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

func appendEscaped(b []byte, c byte) []byte {
	switch {
	case c >= utf8.RuneSelf:
		return append(b, "\ufffd"...)
	case c == '"' || c == '\\':
		return append(b, '\\', c)
	case c == '\n':
		return append(b, '\\', 'n')
	case c == '\r':
		return append(b, '\\', 'r')
	case c == '\t':
		return append(b, '\\', 't')
	default:
		return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
}

func appendHex(b []byte, id trace.TraceID) []byte { return hex.AppendEncode(b, id[:]) }

func appendSpanHex(b []byte, id trace.SpanID) []byte { return hex.AppendEncode(b, id[:]) }
