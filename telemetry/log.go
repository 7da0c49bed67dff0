package telemetry

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Handler is the slog.Handler of a service. It writes each record as one line
// of JSON with the service's name and the trace and span ids of the context.
// Lines go to the Loki queue, to an io.Writer, or both. Handle copies its input
// before it returns, so Fiber's unsafe strings may be logged. It never waits
// for Loki.
type Handler struct {
	level  slog.Leveler
	push   func(line, int) // adds a line to the Loki queue; nil if there is no Loki
	out    *syncWriter     // nil if there is no output
	prefix string          // `,"service":"orders"`, encoded once

	fields string   // attributes from WithAttrs, encoded once
	open   int      // number of groups that fields opens and the end of the record closes
	groups []string // groups to open when the first attribute comes
}

// syncWriter writes one line at a time.
type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) write(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.w.Write(b) // a logger cannot report its own write errors
}

func newHandler(level slog.Leveler, service string, out io.Writer) *Handler {
	h := &Handler{level: level, prefix: string(appendString([]byte(`,"service":`), service))}
	if out != nil {
		h.out = &syncWriter{w: out}
	}
	return h
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	buf := linePool.Get().(*lineBuffer)
	defer linePool.Put(buf)
	b, at := append(buf.b[:0], '{'), r.Time
	if at.IsZero() { // slog requires no time in the line, but Loki rejects old timestamps
		at = time.Now()
	} else {
		b = append(b, `"time":"`...)
		b = at.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, `",`...)
	}
	b = append(b, `"level":"`...)
	b = append(b, levelName(r.Level)...)
	b = append(b, `","msg":`...)
	b = appendString(b, r.Message)
	b = append(b, h.prefix...)

	var traceAt, spanAt int
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		b = append(b, `,"trace_id":"`...)
		traceAt = len(b)
		b = appendHex(b, sc.TraceID())
		b = append(b, `","span_id":"`...)
		spanAt = len(b)
		b = appendSpanHex(b, sc.SpanID())
		b = append(b, '"')
	}
	b = h.appendAttrs(b, r)
	b = append(b, '}', '\n')
	buf.b = b

	if h.out != nil {
		h.out.write(b)
	}
	if h.push != nil {
		l := line{at: at, level: r.Level, text: string(b[:len(b)-1])}
		if spanAt > 0 {
			l.traceID, l.spanID = l.text[traceAt:traceAt+32], l.text[spanAt:spanAt+16]
		}
		h.push(l, l.cost())
	}
	return nil
}

func (h *Handler) appendAttrs(b []byte, r slog.Record) []byte {
	b = append(b, h.fields...)
	mark := len(b)
	for _, g := range h.groups {
		b = appendKey(b, g)
		b = append(b, '{')
	}
	start := len(b)
	r.Attrs(func(a slog.Attr) bool {
		b = appendAttr(b, a)
		return true
	})
	open := h.open + len(h.groups)
	if len(b) == start { // slog omits empty groups
		b, open = b[:mark], h.open
	}
	for range open {
		b = append(b, '}')
	}
	return b
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b []byte
	for _, g := range h.groups {
		b = appendKey(b, g)
		b = append(b, '{')
	}
	start := len(b)
	for _, a := range attrs {
		b = appendAttr(b, a)
	}
	if len(b) == start {
		return h
	}
	with := *h
	with.fields += string(b)
	with.open += len(h.groups)
	with.groups = nil
	return &with
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.groups = append(slices.Clip(h.groups), name)
	return &with
}

// levelName returns the level's name as Loki and Grafana spell it.
func levelName(l slog.Level) string {
	switch severity(l) {
	case slog.LevelDebug:
		return "debug"
	case slog.LevelInfo:
		return "info"
	case slog.LevelWarn:
		return "warn"
	default:
		return "error"
	}
}

// severity maps a level to one of the four named levels, so that the level
// label has at most four values.
func severity(l slog.Level) slog.Level {
	switch {
	case l < slog.LevelInfo:
		return slog.LevelDebug
	case l < slog.LevelWarn:
		return slog.LevelInfo
	case l < slog.LevelError:
		return slog.LevelWarn
	default:
		return slog.LevelError
	}
}

type lineBuffer struct{ b []byte }

var linePool = sync.Pool{New: func() any { return &lineBuffer{b: make([]byte, 0, 1024)} }}
