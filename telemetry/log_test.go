package telemetry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
)

func TestHandlerConformsToSlog(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return newHandler(slog.LevelDebug, "orders", &out)
	}, func(t *testing.T) map[string]any {
		return fields(t, out.String())
	})
}

func fields(t testing.TB, line string) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(line), &all); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return all
}

func TestHandlerEncodesEveryKind(t *testing.T) {
	var out bytes.Buffer
	h := newHandler(slog.LevelInfo, "orders", &out)
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1, 15: 2}, SpanID: trace.SpanID{3, 7: 4},
	}))
	at := time.Date(2026, 1, 2, 3, 4, 5, 600, time.FixedZone("CET", 3600))
	record := slog.NewRecord(at, slog.LevelWarn+1, "a \"line\"\n", 0)
	record.AddAttrs(
		slog.Int("int", -1), slog.Uint64("uint", math.MaxUint64), slog.Bool("bool", true),
		slog.Float64("float", 1.5), slog.Float64("nan", math.NaN()), slog.Float64("inf", math.Inf(-1)),
		slog.Float64("small", 1e-9), slog.Float64("large", 1e30),
		slog.Duration("took", 1500*time.Millisecond), slog.Time("when", at),
		slog.Any("map", map[string]int{"a": 1}), slog.Any("raw", json.RawMessage(`{"b":2}`)),
		slog.Any("bad", func() {}), slog.Any("nothing", nil),
		slog.Group("group", slog.String("in", "x")), slog.Group("empty"),
	)
	if err := h.WithGroup("g").WithAttrs([]slog.Attr{slog.String("with", "y")}).Handle(ctx, record); err != nil {
		t.Fatal(err)
	}
	got := fields(t, out.String())
	if bad, _ := got["g"].(map[string]any)["bad"].(string); !strings.HasPrefix(bad, "0x") {
		t.Errorf("a func value is encoded as %q, want its address", bad)
	}
	delete(got["g"].(map[string]any), "bad")
	want := map[string]any{
		"time": "2026-01-02T02:04:05.0000006Z", "level": "warn", "msg": "a \"line\"\n", "service": "orders",
		"trace_id": "01000000000000000000000000000002", "span_id": "0300000000000004",
		"g": map[string]any{
			"with": "y", "int": -1.0, "uint": float64(math.MaxUint64), "bool": true, "float": 1.5, "nan": "NaN", "inf": "-Inf",
			"small": 1e-9, "large": 1e30, "took": 1.5, "when": "2026-01-02T03:04:05.0000006+01:00",
			"map": map[string]any{"a": 1.0}, "raw": map[string]any{"b": 2.0}, "nothing": nil,
			"group": map[string]any{"in": "x"},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

// Loki rejects old timestamps, so a record without a time is pushed with the
// current time.
func TestRecordWithoutATime(t *testing.T) {
	var out bytes.Buffer
	var pushed []line
	h := newHandler(slog.LevelInfo, "orders", &out)
	h.push = func(l line, _ int) { pushed = append(pushed, l) }
	before := time.Now()
	if err := h.Handle(t.Context(), slog.NewRecord(time.Time{}, slog.LevelInfo, "when", 0)); err != nil {
		t.Fatal(err)
	}
	if at := pushed[0].at; at.Before(before) || at.After(time.Now()) {
		t.Errorf("pushed with time %v, want the current time", at)
	}
	if got, has := fields(t, out.String())["time"]; has {
		t.Errorf("the line has a time: %v", got)
	}
}

func TestLevelNames(t *testing.T) {
	want := map[slog.Level]string{
		slog.LevelDebug - 10: "debug", slog.LevelDebug: "debug", slog.LevelInfo: "info", slog.LevelInfo + 1: "info",
		slog.LevelWarn: "warn", slog.LevelError: "error", slog.LevelError + 100: "error",
	}
	for level, name := range want {
		if got := levelName(level); got != name {
			t.Errorf("levelName(%d) = %q, want %q", level, got, name)
		}
	}
}

// FuzzAppendString checks that encoding/json decodes what appendString encodes,
// for any text including invalid UTF-8.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{
		"", "plain", "quote\" back\\slash", "\x00\x1f\x7f", "\n\r\t\b\f", "ü € 𝄞", "\xff", "a\xc3", "\xed\xa0\x80", "\u2028\u2029", "<&>", "\ufffd",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatalf("%q is not JSON: %v", appendString(nil, s), err)
		}
		if want := string([]rune(s)); got != want { // each bad byte becomes U+FFFD
			t.Errorf("%q decodes to %q, want %q", s, got, want)
		}
	})
}

// FuzzLine checks that every record becomes one line of valid JSON.
func FuzzLine(f *testing.F) {
	f.Add("msg", "key", "value", int64(7), 1.5, true, "group")
	f.Add("", "", "", int64(0), 0.0, false, "")
	f.Add("\xff", "a\"b", "line\nbreak", int64(math.MinInt64), math.Inf(1), true, "g\\")
	f.Fuzz(func(t *testing.T, msg, key, value string, i int64, x float64, b bool, group string) {
		var out bytes.Buffer
		log := slog.New(newHandler(slog.LevelDebug, value, &out)).With("a "+key, i).WithGroup("a " + group)
		log.InfoContext(t.Context(), msg, key, value, "x", x, "b", b, slog.Group(key, slog.String(group, value)))
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1 || !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
			t.Fatalf("%d lines: %q", n, out.String())
		}
		got := fields(t, out.String())
		if got["msg"] != string([]rune(msg)) || got["service"] != string([]rune(value)) || got[string([]rune("a "+group))] == nil {
			t.Errorf("the line has fields %v", got)
		}
	})
}
