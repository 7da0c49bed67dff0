package telemetry

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ConfigFromEnv reads a configuration from environment variables. It reads
// these variables of its own:
//
//	LOKI_URL        base URL of Loki, for example http://127.0.0.1:3100
//	LOKI_TENANT_ID  tenant, sent as X-Scope-OrgID
//	LOG_LEVEL       debug, info, warn or error
//	LOG_FORMAT      json: lines also go to standard output; none: they do not;
//	                by default they do only if LOKI_URL is empty
//
// It also reads these variables of OpenTelemetry, with their standard meanings:
// OTEL_SDK_DISABLED, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES,
// OTEL_PROPAGATORS, OTEL_TRACES_EXPORTER, OTEL_TRACES_SAMPLER,
// OTEL_TRACES_SAMPLER_ARG, OTEL_BSP_SCHEDULE_DELAY, OTEL_BSP_MAX_QUEUE_SIZE and
// OTEL_BSP_MAX_EXPORT_BATCH_SIZE. With the prefixes OTEL_EXPORTER_OTLP_ and
// OTEL_EXPORTER_OTLP_TRACES_ it reads ENDPOINT, PROTOCOL, HEADERS, TIMEOUT and
// COMPRESSION. The exporters read the certificate variables themselves.
//
// The error names every variable with an invalid value.
func ConfigFromEnv(getenv func(string) string) (Config, error) {
	e := env{get: getenv}
	cfg := Config{
		Service:     getenv("OTEL_SERVICE_NAME"),
		Resource:    e.pairs("OTEL_RESOURCE_ATTRIBUTES"),
		Propagators: e.propagators(),
		Traces:      e.traces(),
		Logs:        e.logs(),
	}
	take := func(key string, into *string) {
		if *into == "" {
			*into = cfg.Resource[key]
		}
		delete(cfg.Resource, key)
	}
	take("service.name", &cfg.Service)
	take("service.version", &cfg.Version)
	take("service.instance.id", &cfg.Instance)
	if e.bool("OTEL_SDK_DISABLED") {
		cfg.Traces.Endpoint, cfg.Logs.LokiURL = "", ""
	}
	if err := errors.Join(e.errs...); err != nil {
		return Config{}, err
	}
	return cfg, cfg.Validate()
}

// env reads variables and collects errors about invalid values.
type env struct {
	get  func(string) string
	errs []error
}

func (e *env) wrong(name, want string) {
	e.errs = append(e.errs, fmt.Errorf("%s=%q: want %s", name, e.get(name), want))
}

func (e *env) traces() TracesConfig {
	cfg := TracesConfig{
		Endpoint:   e.url(e.otlpName("ENDPOINT")),
		Protocol:   Protocol(e.oneOf(e.otlpName("PROTOCOL"), string(ProtocolGRPC), string(ProtocolHTTP))),
		Headers:    e.pairs(e.otlpName("HEADERS")),
		Gzip:       e.oneOf(e.otlpName("COMPRESSION"), "gzip", "none") == "gzip",
		Timeout:    e.millis(e.otlpName("TIMEOUT")),
		Sampler:    Sampler(e.oneOf("OTEL_TRACES_SAMPLER", samplers...)),
		Ratio:      e.ratio("OTEL_TRACES_SAMPLER_ARG"),
		QueueSpans: e.number("OTEL_BSP_MAX_QUEUE_SIZE"),
		BatchSpans: e.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
		Delay:      e.millis("OTEL_BSP_SCHEDULE_DELAY"),
	}
	// Over HTTP, OTEL_EXPORTER_OTLP_ENDPOINT is a base URL, and
	// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is.
	if cfg.Protocol == ProtocolHTTP && cfg.Endpoint != "" && e.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		cfg.Endpoint = strings.TrimSuffix(cfg.Endpoint, "/") + "/v1/traces"
	}
	if e.oneOf("OTEL_TRACES_EXPORTER", "otlp", "none") == "none" {
		cfg.Endpoint = ""
	}
	if filled := (Config{Traces: cfg}).withDefaults().Traces; filled.BatchSpans > filled.QueueSpans {
		e.wrong("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", fmt.Sprintf("at most OTEL_BSP_MAX_QUEUE_SIZE, which is %d", filled.QueueSpans))
	}
	return cfg
}

func (e *env) logs() LogsConfig {
	cfg := LogsConfig{LokiURL: e.url("LOKI_URL"), Tenant: e.get("LOKI_TENANT_ID")}
	if level := e.get("LOG_LEVEL"); level != "" {
		if err := cfg.Level.UnmarshalText([]byte(level)); err != nil {
			e.wrong("LOG_LEVEL", "debug, info, warn or error")
		}
	}
	switch e.oneOf("LOG_FORMAT", "json", "none") {
	case "json":
		cfg.Output = os.Stdout
	case "none":
		cfg.Output = io.Discard
	}
	return cfg
}

func (e *env) propagators() []string {
	all := e.list("OTEL_PROPAGATORS")
	for _, p := range all {
		if !slices.Contains(propagators, p) {
			e.wrong("OTEL_PROPAGATORS", "a list of "+strings.Join(propagators, ", "))
		}
	}
	return all
}

// otlpName returns the name of the variable to read: the one for traces if it
// is set, else the general one.
func (e *env) otlpName(what string) string {
	if name := "OTEL_EXPORTER_OTLP_TRACES_" + what; e.get(name) != "" {
		return name
	}
	return "OTEL_EXPORTER_OTLP_" + what
}

// oneOf reads one of a few words. As OpenTelemetry specifies, case is ignored.
func (e *env) oneOf(name string, words ...string) string {
	word := strings.ToLower(e.get(name))
	if word == "" || slices.Contains(words, word) {
		return word
	}
	e.wrong(name, "one of "+strings.Join(words, ", "))
	return ""
}

func (e *env) url(name string) string {
	text := e.get(name)
	if text == "" || isURL(text) {
		return text
	}
	e.wrong(name, "http://host:port or https://host:port")
	return ""
}

// ratio reads a number from 0 to 1. The default is 1.
func (e *env) ratio(name string) float64 {
	text := e.get(name)
	if text == "" {
		return 1
	}
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(ratio) || ratio < 0 || ratio > 1 {
		e.wrong(name, "a number from 0 to 1")
	}
	return ratio
}

func (e *env) bool(name string) bool {
	switch strings.ToLower(e.get(name)) {
	case "true":
		return true
	case "", "false":
	default:
		e.wrong(name, "true or false")
	}
	return false
}

func (e *env) number(name string) int {
	text := e.get(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		e.wrong(name, "a whole number greater than 0")
	}
	return n
}

func (e *env) millis(name string) time.Duration {
	return time.Duration(e.number(name)) * time.Millisecond
}

func (e *env) list(name string) []string {
	var all []string
	for part := range strings.SplitSeq(e.get(name), ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// pairs reads "key=value,key=value" with percent-encoded values.
func (e *env) pairs(name string) map[string]string {
	all := map[string]string{}
	for _, part := range e.list(name) {
		key, raw, ok := strings.Cut(part, "=")
		value, err := url.PathUnescape(strings.TrimSpace(raw))
		key = strings.TrimSpace(key)
		if !ok || key == "" || err != nil {
			// The error leaves the value out, because headers may hold secrets.
			e.errs = append(e.errs, fmt.Errorf("%s: want key=value,key=value with percent-encoded values", name))
			return all
		}
		all[key] = value
	}
	return all
}
