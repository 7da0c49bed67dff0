package telemetry_test

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// environment is a set of variables.
type environment map[string]string

func (e environment) get(name string) string { return e[name] }

// none returns the configuration of an empty environment.
func none() telemetry.Config {
	return telemetry.Config{
		Resource: map[string]string{},
		Traces:   telemetry.TracesConfig{Ratio: 1, Headers: map[string]string{}},
	}
}

func TestConfigFromEnv(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tests := []struct {
		name string
		env  environment
		want func(*telemetry.Config)
	}{
		{"nothing set", nil, func(*telemetry.Config) {}},
		{"service", environment{"OTEL_SERVICE_NAME": "orders"}, func(c *telemetry.Config) { c.Service = "orders" }},
		{
			"resource", environment{"OTEL_RESOURCE_ATTRIBUTES": "service.name=orders, service.version=1.2,service.instance.id=a%2Cb,team=shop=x"},
			func(c *telemetry.Config) {
				c.Service, c.Version, c.Instance, c.Resource = "orders", "1.2", "a,b", map[string]string{"team": "shop=x"}
			},
		},
		{
			"service name overrides resource", environment{"OTEL_SERVICE_NAME": "orders", "OTEL_RESOURCE_ATTRIBUTES": "service.name=other"},
			func(c *telemetry.Config) { c.Service = "orders" },
		},
		{
			"propagators", environment{"OTEL_PROPAGATORS": "baggage, tracecontext"},
			func(c *telemetry.Config) { c.Propagators = []string{"baggage", "tracecontext"} },
		},
		{"endpoint over gRPC", environment{endpoint: "http://c:4317"}, func(c *telemetry.Config) { c.Traces.Endpoint = "http://c:4317" }},
		{
			"traces endpoint overrides the general one", environment{endpoint: "http://c:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:2"},
			func(c *telemetry.Config) { c.Traces.Endpoint = "http://c:2" },
		},
		{
			"other traces variables override the general ones", environment{
				"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
				"OTEL_EXPORTER_OTLP_HEADERS": "k=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "k=2,token=a%20b",
				"OTEL_EXPORTER_OTLP_TIMEOUT": "1", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "2000",
				"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none",
			},
			func(c *telemetry.Config) {
				c.Traces.Protocol, c.Traces.Timeout = telemetry.ProtocolHTTP, 2*time.Second
				c.Traces.Headers = map[string]string{"k": "2", "token": "a b"}
			},
		},
		{
			"general variables", environment{
				"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_HEADERS": "k=1",
				"OTEL_EXPORTER_OTLP_TIMEOUT": "1500", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
			},
			func(c *telemetry.Config) {
				c.Traces.Protocol, c.Traces.Timeout, c.Traces.Gzip = telemetry.ProtocolGRPC, 1500*time.Millisecond, true
				c.Traces.Headers = map[string]string{"k": "1"}
			},
		},
		{
			"sampler", environment{"OTEL_TRACES_SAMPLER": "ParentBased_TraceIDRatio", "OTEL_TRACES_SAMPLER_ARG": "0.25"},
			func(c *telemetry.Config) { c.Traces.Sampler, c.Traces.Ratio = telemetry.SamplerParentRatio, 0.25 },
		},
		{"ratio of 0", environment{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, func(c *telemetry.Config) {
			c.Traces.Sampler, c.Traces.Ratio = telemetry.SamplerRatio, 0
		}},
		{
			"batches", environment{
				"OTEL_BSP_SCHEDULE_DELAY": "250", "OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
			},
			func(c *telemetry.Config) {
				c.Traces.Delay, c.Traces.QueueSpans, c.Traces.BatchSpans = 250*time.Millisecond, 100, 10
			},
		},
		{
			"a queue smaller than the default batch", environment{"OTEL_BSP_MAX_QUEUE_SIZE": "100"},
			func(c *telemetry.Config) { c.Traces.QueueSpans = 100 },
		},
		{"no exporter", environment{endpoint: "http://c:4317", "OTEL_TRACES_EXPORTER": "none"}, func(*telemetry.Config) {}},
		{"exporter named", environment{endpoint: "http://c:4317", "OTEL_TRACES_EXPORTER": "otlp"}, func(c *telemetry.Config) { c.Traces.Endpoint = "http://c:4317" }},
		{
			"disabled", environment{endpoint: "http://c:4317", "LOKI_URL": "http://l:3100", "OTEL_SDK_DISABLED": "TRUE"},
			func(*telemetry.Config) {},
		},
		{"not disabled", environment{"LOKI_URL": "http://l:3100", "OTEL_SDK_DISABLED": "false"}, func(c *telemetry.Config) { c.Logs.LokiURL = "http://l:3100" }},
		{
			"logs", environment{"LOKI_URL": "http://l:3100", "LOKI_TENANT_ID": "blue", "LOG_LEVEL": "WARN", "LOG_FORMAT": "json"},
			func(c *telemetry.Config) {
				c.Logs = telemetry.LogsConfig{LokiURL: "http://l:3100", Tenant: "blue", Level: slog.LevelWarn, Output: os.Stdout}
			},
		},
		{"no logs at all", environment{"LOG_FORMAT": "none"}, func(c *telemetry.Config) { c.Logs.Output = io.Discard }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := telemetry.ConfigFromEnv(tt.env.get)
			if err != nil {
				t.Fatal(err)
			}
			want := none()
			tt.want(&want)
			outputs := cmp.Comparer(func(a, b io.Writer) bool { return a == b })
			if d := cmp.Diff(want, got, outputs); d != "" {
				t.Errorf("want -, got +:\n%s", d)
			}
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConfigFromEnvErrorsNameTheVariable(t *testing.T) {
	tests := map[string][]string{
		"OTEL_SDK_DISABLED":                     {"yes", "1"},
		"OTEL_RESOURCE_ATTRIBUTES":              {"team", "=x", "team=%zz"},
		"OTEL_PROPAGATORS":                      {"b3", "tracecontext,jaeger"},
		"OTEL_TRACES_EXPORTER":                  {"zipkin"},
		"OTEL_TRACES_SAMPLER":                   {"sometimes", "jaeger_remote"},
		"OTEL_TRACES_SAMPLER_ARG":               {"half", "1.5", "-0.1", "NaN"},
		"OTEL_BSP_SCHEDULE_DELAY":               {"1s", "0", "-1"},
		"OTEL_BSP_MAX_QUEUE_SIZE":               {"many", "0"},
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE":        {"1.5", "0", "5000"},
		"OTEL_EXPORTER_OTLP_ENDPOINT":           {"localhost:4317", "ftp://c:1", "http://"},
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":    {"localhost:4317"},
		"OTEL_EXPORTER_OTLP_PROTOCOL":           {"http/json"},
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL":    {"thrift"},
		"OTEL_EXPORTER_OTLP_HEADERS":            {"secret", "k=%zzsecret"},
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS":     {"secret"},
		"OTEL_EXPORTER_OTLP_TIMEOUT":            {"soon", "0"},
		"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT":     {"10s"},
		"OTEL_EXPORTER_OTLP_COMPRESSION":        {"zstd"},
		"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": {"snappy"},
		"LOKI_URL":                              {"loki:3100", "//loki"},
		"LOG_LEVEL":                             {"loud"},
		"LOG_FORMAT":                            {"text"},
	}
	for name, values := range tests {
		for _, value := range values {
			t.Run(name+"="+value, func(t *testing.T) {
				_, err := telemetry.ConfigFromEnv(environment{name: value}.get)
				if err == nil || !strings.HasPrefix(err.Error(), name) {
					t.Fatalf("error %v, want one that begins with %s", err, name)
				}
				if strings.Contains(err.Error(), "secret") {
					t.Errorf("the error shows the value, which may be a secret: %v", err)
				}
			})
		}
	}
	t.Run("all in one error", func(t *testing.T) {
		_, err := telemetry.ConfigFromEnv(environment{"LOG_LEVEL": "loud", "LOKI_URL": "x", "OTEL_BSP_MAX_QUEUE_SIZE": "0"}.get)
		for _, name := range []string{"LOG_LEVEL", "LOKI_URL", "OTEL_BSP_MAX_QUEUE_SIZE"} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v does not name %s", err, name)
			}
		}
	})
}

// https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
func TestPathOfTheHTTPEndpoint(t *testing.T) {
	const general, traces = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	tests := []struct {
		name string
		env  environment // values are paths; the test prepends the backend's URL
		want string
	}{
		{"general", environment{general: ""}, "/v1/traces"},
		{"general with a slash", environment{general: "/"}, "/v1/traces"},
		{"general with a path", environment{general: "/otlp"}, "/otlp/v1/traces"},
		{"general with a path and a slash", environment{general: "/otlp/"}, "/otlp/v1/traces"},
		{"traces", environment{traces: "/custom"}, "/custom"},
		{"traces without a path", environment{traces: ""}, "/"},
		{"both", environment{general: "/otlp", traces: "/custom"}, "/custom"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := telemetrytest.NewBackend(t)
			paths := make(chan string, 10)
			b.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
				paths <- r.URL.Path + " " + r.Header.Get("Token") + " " + r.Header.Get("Content-Encoding")
				return false
			})
			env := environment{
				"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_HEADERS": "token=a%20b",
				"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
			}
			for name, path := range tt.env {
				env[name] = b.URL + path
			}
			cfg, err := telemetry.ConfigFromEnv(env.get)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Logs.Output = io.Discard
			tel := telemetrytest.New(t, cfg)
			emit(tel, 1)
			_ = tel.Shutdown(t.Context()) // the backend rejects some of these paths
			if got := <-paths; got != tt.want+" a b gzip" {
				t.Errorf("path, token and encoding are %q, want %q", got, tt.want+" a b gzip")
			}
		})
	}
}
