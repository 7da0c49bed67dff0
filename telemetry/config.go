package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// Config configures the telemetry of one service. A field's zero value means
// its default.
type Config struct {
	Service  string            // service.name; default "unknown_service"
	Version  string            // service.version
	Instance string            // service.instance.id; default is host name and process id
	Resource map[string]string // additional resource attributes
	Traces   TracesConfig
	Logs     LogsConfig
	// Propagators are "tracecontext" and "baggage", both by default. "none"
	// disables propagation.
	Propagators []string
	// DialContext connects to the log and trace backends. If nil, net/http and
	// gRPC dial as usual.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Protocol is the transport of OTLP spans.
type Protocol string

// The protocols of OTEL_EXPORTER_OTLP_PROTOCOL.
const (
	ProtocolGRPC Protocol = "grpc"
	ProtocolHTTP Protocol = "http/protobuf"
)

// TracesConfig configures the sampling and the export of spans.
type TracesConfig struct {
	Endpoint string // URL of an OTLP receiver; if empty, spans are not exported
	Protocol Protocol
	Headers  map[string]string
	Gzip     bool
	Timeout  time.Duration // of one export attempt; default 10 s
	Sampler  Sampler       // default SamplerParentAlways
	Ratio    float64       // share of traces that a ratio sampler keeps, 0 to 1

	QueueSpans int           // maximum spans in the queue; default 4096
	BatchSpans int           // maximum spans in a request; default 512
	Delay      time.Duration // maximum wait for a batch to fill; default 1 s
}

// Sampler is the name of a sampler, as in OTEL_TRACES_SAMPLER.
type Sampler string

// The samplers of the OpenTelemetry specification.
const (
	SamplerAlways       Sampler = "always_on"
	SamplerNever        Sampler = "always_off"
	SamplerRatio        Sampler = "traceidratio"
	SamplerParentAlways Sampler = "parentbased_always_on"
	SamplerParentNever  Sampler = "parentbased_always_off"
	SamplerParentRatio  Sampler = "parentbased_traceidratio"
)

// LogsConfig configures the level of log lines and where they are written.
type LogsConfig struct {
	Level   slog.Level // default info
	Output  io.Writer  // receives JSON lines; if nil, standard output when LokiURL is empty, else nothing
	LokiURL string     // base URL of Loki; if empty, lines are not pushed
	Tenant  string     // sent as X-Scope-OrgID

	Timeout    time.Duration // of one push attempt; default 5 s
	QueueBytes int           // maximum bytes in the queue; default 8 MiB
	BatchBytes int           // a batch of this size is sent at once; default 1 MiB
	Delay      time.Duration // maximum wait for a batch to fill; default 1 s
}

func (c Config) withDefaults() Config {
	setDefault(&c.Service, "unknown_service")
	setDefault(&c.Instance, instance())
	if c.Propagators == nil {
		c.Propagators = []string{"tracecontext", "baggage"}
	}
	setDefault(&c.Traces.Protocol, ProtocolGRPC)
	setDefault(&c.Traces.Timeout, 10*time.Second)
	if c.Traces.Sampler == "" {
		c.Traces.Sampler, c.Traces.Ratio = SamplerParentAlways, 1
	}
	setDefault(&c.Traces.QueueSpans, 4096)
	setDefault(&c.Traces.BatchSpans, min(512, c.Traces.QueueSpans))
	setDefault(&c.Traces.Delay, time.Second)
	setDefault(&c.Logs.Timeout, 5*time.Second)
	setDefault(&c.Logs.QueueBytes, 8<<20)
	setDefault(&c.Logs.BatchBytes, min(1<<20, c.Logs.QueueBytes))
	setDefault(&c.Logs.Delay, time.Second)
	if c.Logs.LokiURL == "" && c.Logs.Output == nil {
		c.Logs.Output = os.Stdout
	}
	return c
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// Validate returns an error that lists every field that New would reject.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	t, l := c.Traces, c.Logs
	check(t.Protocol == ProtocolGRPC || t.Protocol == ProtocolHTTP,
		"OTLP protocol %q: want %q or %q", t.Protocol, ProtocolGRPC, ProtocolHTTP)
	check(t.Endpoint == "" || isURL(t.Endpoint), "OTLP endpoint %q: want http://host:port or https://host:port", t.Endpoint)
	check(l.LokiURL == "" || isURL(l.LokiURL), "Loki URL %q: want http://host:port or https://host:port", l.LokiURL)
	check(t.Ratio >= 0 && t.Ratio <= 1, "sampling ratio %v: want 0 to 1", t.Ratio)
	check(slices.Contains(samplers, string(t.Sampler)), "sampler %q: want one of %s", t.Sampler, strings.Join(samplers, ", "))
	check(t.QueueSpans >= t.BatchSpans && t.BatchSpans > 0, "span queue of %d, batch of %d: want 0 < batch <= queue", t.QueueSpans, t.BatchSpans)
	check(l.QueueBytes >= l.BatchBytes && l.BatchBytes > 0, "log queue of %d bytes, batch of %d: want 0 < batch <= queue", l.QueueBytes, l.BatchBytes)
	check(t.Delay > 0 && l.Delay > 0 && t.Timeout > 0 && l.Timeout > 0, "delays and timeouts must be greater than 0")
	for _, p := range c.Propagators {
		check(slices.Contains(propagators, p), "propagator %q: want tracecontext, baggage or none", p)
	}
	return errors.Join(errs...)
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// samplers and propagators are the valid values of OTEL_TRACES_SAMPLER and
// OTEL_PROPAGATORS.
var (
	samplers = []string{
		string(SamplerAlways), string(SamplerNever), string(SamplerRatio),
		string(SamplerParentAlways), string(SamplerParentNever), string(SamplerParentRatio),
	}
	propagators = []string{"tracecontext", "baggage", "none"}
)

func (c Config) sampler() sdktrace.Sampler {
	ratio := sdktrace.TraceIDRatioBased(c.Traces.Ratio)
	switch c.Traces.Sampler {
	case SamplerAlways:
		return sdktrace.AlwaysSample()
	case SamplerNever:
		return sdktrace.NeverSample()
	case SamplerRatio:
		return ratio
	case SamplerParentNever:
		return sdktrace.ParentBased(sdktrace.NeverSample())
	case SamplerParentRatio:
		return sdktrace.ParentBased(ratio)
	default:
		return sdktrace.ParentBased(sdktrace.AlwaysSample())
	}
}

func (c Config) propagator() propagation.TextMapPropagator {
	var all []propagation.TextMapPropagator
	for _, p := range c.Propagators {
		switch p {
		case "tracecontext":
			all = append(all, propagation.TraceContext{})
		case "baggage":
			all = append(all, propagation.Baggage{})
		}
	}
	return propagation.NewCompositeTextMapPropagator(all...)
}

// transport returns a new HTTP transport for the log and trace backends.
func (c Config) transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if c.DialContext != nil {
		t.DialContext = c.DialContext
	}
	return t
}

func (c Config) resource() *resource.Resource {
	attrs := []attribute.KeyValue{
		semconv.TelemetrySDKName("opentelemetry"),
		semconv.TelemetrySDKLanguageGo,
		semconv.TelemetrySDKVersion(sdk.Version()),
	}
	for k, v := range c.Resource {
		attrs = append(attrs, attribute.String(k, v))
	}
	attrs = append(attrs, semconv.ServiceName(c.Service), semconv.ServiceInstanceID(c.Instance))
	if c.Version != "" {
		attrs = append(attrs, semconv.ServiceVersion(c.Version))
	}
	return resource.NewWithAttributes(semconv.SchemaURL, attrs...)
}
