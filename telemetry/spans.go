package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"firedrill/telemetry/internal/otlp"
)

// spanProcessor adds ended spans to a fence. It replaces the SDK's batch
// processor, which loses a batch when an export fails and does not report the
// loss.
type spanProcessor struct{ fence *fence[sdktrace.ReadOnlySpan] }

func (spanProcessor) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

func (p spanProcessor) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		p.fence.put(s, 1)
	}
}

// Shutdown does nothing. Telemetry.Shutdown closes the fence.
func (spanProcessor) Shutdown(context.Context) error { return nil }

// ForceFlush does nothing. The fence sends within its delay.
func (spanProcessor) ForceFlush(context.Context) error { return nil }

// spanExporter sends batches with the client of an OTLP exporter and separates
// temporary failures from final ones. The client's own retry is disabled,
// because the fence retries.
type spanExporter struct {
	client  otlptrace.Client
	encoder otlp.Encoder // used only by the drainer
}

func newSpanExporter(ctx context.Context, cfg Config) (*spanExporter, error) {
	client := grpcClient(cfg)
	if cfg.Traces.Protocol == ProtocolHTTP {
		client = httpClient(cfg)
	}
	if err := client.Start(ctx); err != nil {
		return nil, err
	}
	return &spanExporter{client: client}, nil
}

func grpcClient(cfg Config) otlptrace.Client {
	opts := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpointURL(cfg.Traces.Endpoint),
		otlptracegrpc.WithTimeout(cfg.Traces.Timeout),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: false}),
		otlptracegrpc.WithHeaders(cfg.Traces.Headers),
	}
	if dial := cfg.DialContext; dial != nil {
		opts = append(opts, otlptracegrpc.WithDialOption(grpc.WithContextDialer(
			func(ctx context.Context, addr string) (net.Conn, error) { return dial(ctx, "tcp", addr) })))
	}
	if cfg.Traces.Gzip {
		opts = append(opts, otlptracegrpc.WithCompressor("gzip"))
	}
	return otlptracegrpc.NewClient(opts...)
}

func httpClient(cfg Config) otlptrace.Client {
	opts := []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(cfg.Traces.Endpoint),
		otlptracehttp.WithTimeout(cfg.Traces.Timeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
		otlptracehttp.WithHeaders(cfg.Traces.Headers),
		otlptracehttp.WithHTTPClient(&http.Client{
			Timeout:   cfg.Traces.Timeout,
			Transport: statusTransport{cfg.transport()},
		}),
	}
	if cfg.Traces.Gzip {
		opts = append(opts, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	}
	return otlptracehttp.NewClient(opts...)
}

func (e *spanExporter) send(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.client.UploadTraces(ctx, []*tracepb.ResourceSpans{e.encoder.ResourceSpans(spans)})
	if err == nil {
		return nil
	}
	if n, partial := partialSuccess(err); partial {
		return &rejectedError{items: n, err: err}
	}
	if final(err) {
		return &rejectedError{items: len(spans), err: err}
	}
	return err
}

// rejectedSpans matches the error text of a partial success. The exporters do
// not export the error's type.
var rejectedSpans = regexp.MustCompile(`OTLP partial success: .*\((\d+) spans rejected\)`)

func partialSuccess(err error) (rejected int, ok bool) {
	m := rejectedSpans.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, false
	}
	n, convErr := strconv.Atoi(m[1])
	return n, convErr == nil
}

// final reports whether sending the same spans again cannot help. It retries
// more than OTLP requires: any server error is retried, so that a backend that
// answers 500 for a while loses nothing that fits in the queue. Errors that
// happened before the request reached the network are final. Retrying them
// would block every later batch.
func final(err error) bool {
	var answered *httpStatusError
	var grpcErr interface{ GRPCStatus() *status.Status }
	var netErr net.Error
	switch {
	case errors.As(err, &answered):
		return finalStatus(answered.code)
	case errors.As(err, &grpcErr):
		return finalCode(grpcErr.GRPCStatus())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr):
		return false
	default:
		return true
	}
}

func finalCode(s *status.Status) bool {
	switch s.Code() {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied,
		codes.FailedPrecondition, codes.Unimplemented, codes.Unauthenticated:
		return true
	default:
		return false
	}
}

// statusTransport turns non-2xx responses into errors that carry the status
// code. The exporter alone keeps the status only in a text.
type statusTransport struct{ next http.RoundTripper }

type httpStatusError struct{ code int }

func (e *httpStatusError) Error() string { return fmt.Sprintf("response status %d", e.code) }

func (t statusTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.StatusCode/100 == 2 {
		return resp, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // read the body so that the connection can be reused
	resp.Body.Close()
	return nil, &httpStatusError{resp.StatusCode}
}

// finalStatus reports whether an HTTP status means that a retry cannot help.
func finalStatus(code int) bool {
	return code/100 == 4 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
}
