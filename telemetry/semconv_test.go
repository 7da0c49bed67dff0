package telemetry_test

import (
	"context"
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"

	"firedrill/telemetry"
	"firedrill/telemetry/client"
	"firedrill/telemetry/db"
	"firedrill/telemetry/messaging"
	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

// instrument is what the conventions' package says of each metric.
type instrument interface {
	Name() string
	Unit() string
	Description() string
}

// recorded keeps the attributes that the conventions' package records by itself:
// the required ones.
type recorded struct{ keys []string }

func (r *recorded) keep(set attribute.Set) {
	for _, a := range set.ToSlice() {
		r.keys = append(r.keys, string(a.Key))
	}
}

type floats struct {
	noop.Float64Histogram
	*recorded
}

func (floats) Enabled(context.Context) bool { return true }

func (f floats) Record(_ context.Context, _ float64, opts ...metric.RecordOption) {
	f.keep(metric.NewRecordConfig(opts).Attributes())
}

type ints struct {
	noop.Int64Histogram
	*recorded
}

func (ints) Enabled(context.Context) bool { return true }

func (i ints) Record(_ context.Context, _ int64, opts ...metric.RecordOption) {
	i.keep(metric.NewRecordConfig(opts).Attributes())
}

type upDowns struct {
	noop.Int64UpDownCounter
	*recorded
}

func (upDowns) Enabled(context.Context) bool { return true }

func (u upDowns) Add(_ context.Context, _ int64, opts ...metric.AddOption) {
	u.keep(metric.NewAddConfig(opts).Attributes())
}

// optional returns the keys that the instrument has methods for.
func optional(i instrument) (keys []string) {
	v := reflect.ValueOf(i)
	for m := range v.Type().Methods() {
		if strings.HasPrefix(m.Name, "Attr") {
			out := v.Method(m.Index).Call([]reflect.Value{reflect.Zero(m.Type.In(1))})
			keys = append(keys, string(out[0].Interface().(attribute.KeyValue).Key))
		}
	}
	return keys
}

// spelled is a name of the conventions as Prometheus spells it.
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
func spelled(name, unit string) string {
	name = strings.ReplaceAll(name, ".", "_")
	if word := units[unit]; word != "" {
		name += "_" + word
	}
	return name
}

var units = map[string]string{"s": "seconds", "By": "bytes"} // what is in braces is not spelled

func TestMetricsAreThoseOfTheConventions(t *testing.T) {
	ctx := t.Context()
	r := [5]recorded{}
	duration := httpconv.ServerRequestDuration{Float64Histogram: floats{recorded: &r[0]}}
	duration.Record(ctx, 1, "GET", "http")
	in := httpconv.ServerRequestBodySize{Int64Histogram: ints{recorded: &r[1]}}
	in.Record(ctx, 1, "GET", "http")
	out := httpconv.ServerResponseBodySize{Int64Histogram: ints{recorded: &r[2]}}
	out.Record(ctx, 1, "GET", "http")
	active := httpconv.ServerActiveRequests{Int64UpDownCounter: upDowns{recorded: &r[3]}}
	active.Add(ctx, 1, "GET", "http")
	call := httpconv.ClientRequestDuration{Float64Histogram: floats{recorded: &r[4]}}
	call.Record(ctx, 1, "GET", "bank", 80)

	tests := []struct {
		instrument
		required []string
		// instead names labels that we have in place of required ones.
		instead map[string]string
		kind    string
	}{
		{duration, r[0].keys, nil, "histogram"},
		{in, r[1].keys, nil, "histogram"},
		{out, r[2].keys, nil, "histogram"},
		{active, r[3].keys, nil, "gauge"},
		// An address may come from a configuration, a redirect or a request; the
		// peer's name comes from the program and is one for all its addresses.
		{call, r[4].keys, map[string]string{"server.address": "peer", "server.port": "peer"}, "histogram"},
	}
	ours := metrics(t)
	for _, tt := range tests {
		t.Run(tt.Name(), func(t *testing.T) {
			if len(tt.required) == 0 {
				t.Fatal("the conventions require nothing: the test does not see them")
			}
			i := slices.IndexFunc(ours, func(m listed) bool { return m.Name == spelled(tt.Name(), tt.Unit()) })
			if i < 0 {
				t.Fatalf("no metric %s", spelled(tt.Name(), tt.Unit()))
			}
			m := ours[i]
			if m.Unit != units[tt.Unit()] || m.Type != tt.kind {
				t.Errorf("%s in %q, want %s in %q", m.Type, m.Unit, tt.kind, units[tt.Unit()])
			}
			if help := strings.TrimSuffix(tt.Description(), "."); !strings.HasPrefix(m.Help, help) {
				t.Errorf("help %q, want it to begin with %q", m.Help, help)
			}
			allowed := map[string]bool{}
			for _, key := range optional(tt.instrument) {
				allowed[spelled(key, "")] = true
			}
			for _, key := range tt.required {
				label := spelled(key, "")
				if other, ok := tt.instead[key]; ok {
					label = other
				}
				allowed[label] = true
				if !slices.Contains(m.Labels, label) {
					t.Errorf("no label %s, which is required", label)
				}
			}
			for _, label := range m.Labels {
				if !allowed[label] {
					t.Errorf("label %s is none of the conventions'", label)
				}
			}
		})
	}
}

// known returns every attribute key of the conventions, from their source.
func known(t testing.TB) map[string]bool {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := build.Import("go.opentelemetry.io/otel/semconv/v1.43.0", here, build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, "attribute_group.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		text, isText := call.Args[0].(*ast.BasicLit)
		if of, ok := call.Fun.(*ast.SelectorExpr); ok && isText && of.Sel.Name == "Key" {
			key, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			keys[key] = true
		}
		return true
	})
	if len(keys) < 500 || !keys["http.route"] {
		t.Fatalf("%d keys: the test does not see the conventions", len(keys))
	}
	return keys
}

func TestSpanAttributesAreThoseOfTheConventions(t *testing.T) {
	// Tempo's service graph reads the former name of service.peer.name.
	exceptions := map[string]bool{"peer.service": true}
	conventions := known(t)
	byKind := map[string]map[string]bool{}
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog"})
	recorder := telemetrytest.Record(t, tel)
	useEverything(t, tel)
	for _, span := range recorder.Ended() {
		kind := span.SpanKind().String()
		if byKind[kind] == nil {
			byKind[kind] = map[string]bool{}
		}
		all := span.Attributes()
		for _, e := range span.Events() {
			all = append(all, e.Attributes...)
		}
		for _, a := range all {
			byKind[kind][string(a.Key)] = true
			if !conventions[string(a.Key)] && !exceptions[string(a.Key)] {
				t.Errorf("%s of span %q is none of the conventions'", a.Key, span.Name())
			}
		}
	}
	if d := cmp.Diff([]string{"client", "consumer", "producer", "server"}, slices.Sorted(maps.Keys(byKind))); d != "" {
		t.Errorf("kinds of spans: want -, got +:\n%s", d)
	}
	// What the conventions require of HTTP spans.
	for kind, keys := range map[string][]string{
		"server": {"http.request.method", "url.path", "url.scheme", "http.response.status_code", "http.route", "error.type", "server.address"},
		"client": {"http.request.method", "server.address", "server.port", "url.full", "http.response.status_code", "error.type"},
	} {
		for _, key := range keys {
			if !byKind[kind][key] {
				t.Errorf("no span of a %s has %s", kind, key)
			}
		}
	}
}

// useEverything makes a span of each sort, with all it can tell.
func useEverything(t *testing.T, tel *telemetry.Telemetry) {
	t.Helper()
	ctx, _ := tel.TracerProvider().Tracer("test").Start(t.Context(), "all") // does not end, so it is not among them
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	if err := server.Instrument(app, tel, server.Options{}); err != nil {
		t.Fatal(err)
	}
	app.Post("/panic", func(*fiber.Ctx) error { panic("kaboom") })
	req := httptest.NewRequest(http.MethodPost, "http://shop.example:8000/panic?a=b", strings.NewReader("{}"))
	req.Header.Set("User-Agent", "curl/8")
	resp, err := app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	peer := httptest.NewServer(http.NotFoundHandler())
	c, err := client.New(tel, client.Options{Peer: "bank"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is refused
		req, err := http.NewRequestWithContext(client.WithAttempt(ctx, 1), http.MethodGet, peer.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := c.Do(req); err == nil {
			resp.Body.Close()
		}
		peer.Close()
	}

	pool, err := db.Open(tel, "sqlite", "file:"+filepath.Join(t.TempDir(), "x.db"), db.Options{Name: "catalog", System: "sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	_, _ = pool.ExecContext(ctx, "SELECT nonsense")

	_, produced := messaging.StartProducer(ctx, tel, "orders", nats.Header{})
	messaging.End(produced, errors.New("no broker"))
	_, consumed := messaging.StartConsumer(ctx, tel, "orders", "shipping", nats.Header{})
	messaging.End(consumed, nil)
}
