package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
	"firedrill/telemetry/client"
	"firedrill/telemetry/telemetrytest"
)

const (
	duration = "http_client_request_duration_seconds"
	resends  = "http_client_resends_total"
)

func equal(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func newClient(t testing.TB, tel *telemetry.Telemetry, opts client.Options) *http.Client {
	t.Helper()
	if opts.Peer == "" {
		opts.Peer = "bank"
	}
	c, err := client.New(tel, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func send(ctx context.Context, t testing.TB, c *http.Client, method, target string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if resp != nil {
		defer resp.Body.Close()
	}
	return resp, err
}

// answering is a transport that calls a function for each request.
type answering func(*http.Request) (*http.Response, error)

func (f answering) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func status(code int) answering {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Body: http.NoBody}, nil
	}
}

func failing(err error) answering {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func only(t testing.TB, spans []sdktrace.ReadOnlySpan) sdktrace.ReadOnlySpan {
	t.Helper()
	if len(spans) != 1 {
		t.Fatalf("%d spans, want 1", len(spans))
	}
	return spans[0]
}

func TestRequestPropagatesTraceAndReturnsBody(t *testing.T) {
	var traceparent, method string
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		traceparent, method = r.Header.Get("Traceparent"), r.Method
		io.WriteString(w, "charged")
	}))
	defer peer.Close()
	tel := telemetrytest.New(t, telemetry.Config{Service: "payments"})
	recorder := telemetrytest.Record(t, tel)
	ctx, parent := tel.TracerProvider().Tracer("test").Start(t.Context(), "charge")

	req, err := http.NewRequestWithContext(ctx, http.MethodPost, peer.URL+"/charges?currency=EUR", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := newClient(t, tel, client.Options{}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	equal(t, []any{string(body), err, method}, []any{"charged", error(nil), "POST"})
	equal(t, req.Header.Get("Traceparent"), "") // the caller's request is unchanged

	span := only(t, recorder.Ended())
	sc := span.SpanContext()
	equal(t, traceparent, "00-"+sc.TraceID().String()+"-"+sc.SpanID().String()+"-01")
	equal(t, sc.TraceID(), parent.SpanContext().TraceID())
	equal(t, span.Parent().SpanID(), parent.SpanContext().SpanID())
	equal(t, []any{span.Name(), span.SpanKind(), span.Status().Code}, []any{"POST", trace.SpanKindClient, codes.Unset})
	host, portText, _ := net.SplitHostPort(strings.TrimPrefix(peer.URL, "http://"))
	port, _ := strconv.ParseInt(portText, 10, 64)
	equal(t, telemetrytest.Attributes(span.Attributes()), map[string]any{
		"http.request.method": "POST", "http.response.status_code": int64(200),
		"url.full": peer.URL + "/charges?currency=EUR", "server.address": host, "server.port": port,
		"service.peer.name": "bank", "peer.service": "bank",
	})
	equal(t, telemetrytest.Series(t, tel.Registry(), duration), map[string]float64{
		"http_request_method=POST http_response_status_code=200 peer=bank": 1,
	})
}

func TestUnsampledRequestIsPropagatedAndCounted(t *testing.T) {
	var traceparent string
	tel := telemetrytest.New(t, telemetry.Config{
		Service: "payments", Traces: telemetry.TracesConfig{Sampler: telemetry.SamplerNever},
	})
	recorder := telemetrytest.Record(t, tel)
	c := newClient(t, tel, client.Options{Base: answering(func(r *http.Request) (*http.Response, error) {
		traceparent = r.Header.Get("Traceparent")
		return status(http.StatusOK)(r)
	})})
	if _, err := send(t.Context(), t, c, http.MethodGet, "http://bank.example/"); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(traceparent, "-00") {
		t.Errorf("traceparent %q, want the unsampled flag 00", traceparent)
	}
	equal(t, len(recorder.Ended()), 0)
	equal(t, telemetrytest.Series(t, tel.Registry(), duration), map[string]float64{
		"http_request_method=GET http_response_status_code=200 peer=bank": 1,
	})
	equal(t, len(exemplars(t, tel)), 0)
}

func TestErrorTypes(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + listener.Addr().String()
	listener.Close()
	hangs := answering(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	tests := []struct {
		name, url string
		opts      client.Options
		cancel    bool
		status    int64 // 0: no response
		errorType string
	}{
		{name: "success", opts: client.Options{Base: status(204)}, status: 204},
		{name: "not modified", opts: client.Options{Base: status(304)}, status: 304},
		{name: "client error", opts: client.Options{Base: status(404)}, status: 404, errorType: "404"},
		{name: "server error", opts: client.Options{Base: status(503)}, status: 503, errorType: "503"},
		{name: "connection refused", url: nobody, errorType: "connection"},
		{name: "client timeout", opts: client.Options{Base: hangs, Timeout: time.Millisecond}, errorType: "timeout"},
		{name: "canceled by the caller", opts: client.Options{Base: hangs}, cancel: true, errorType: "canceled"},
		{name: "no such host", opts: client.Options{Base: failing(&net.OpError{
			Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "bank.example", IsNotFound: true},
		})}, errorType: "name_resolution"},
		{name: "DNS timeout", opts: client.Options{Base: failing(&net.DNSError{IsTimeout: true})}, errorType: "timeout"},
		{name: "other error", opts: client.Options{Base: failing(errors.New("malformed answer \xff"))}, errorType: "connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tel := telemetrytest.New(t, telemetry.Config{Service: "payments"})
			recorder := telemetrytest.Record(t, tel)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tt.cancel {
				cancel()
			}
			if tt.url == "" {
				tt.url = "http://bank.example/"
			}
			_, err := send(ctx, t, newClient(t, tel, tt.opts), http.MethodGet, tt.url)
			equal(t, err == nil, tt.status > 0)
			checkFailure(t, tel, only(t, recorder.Ended()), tt.status, tt.errorType)
		})
	}
}

func checkFailure(t *testing.T, tel *telemetry.Telemetry, span sdktrace.ReadOnlySpan, status int64, errorType string) {
	t.Helper()
	attrs := telemetrytest.Attributes(span.Attributes())
	series := "http_request_method=GET"
	wantStatus, wantType, wantCode := any(nil), any(nil), codes.Unset
	if errorType != "" {
		wantType, wantCode = errorType, codes.Error
		series = "error_type=" + errorType + " " + series
	}
	if status > 0 {
		wantStatus = status
		series += " http_response_status_code=" + strconv.FormatInt(status, 10)
	}
	equal(t, attrs["http.response.status_code"], wantStatus)
	equal(t, attrs["error.type"], wantType)
	equal(t, span.Status().Code, wantCode)
	equal(t, telemetrytest.Series(t, tel.Registry(), duration), map[string]float64{series + " peer=bank": 1})

	wantEvents := 0
	if status == 0 {
		wantEvents = 1
	}
	equal(t, len(span.Events()), wantEvents)
	for _, e := range span.Events() {
		for _, a := range e.Attributes {
			if strings.Contains(a.Value.AsString(), "\xff") {
				t.Errorf("%s is not UTF-8", a.Key)
			}
		}
	}
}

func TestRetriesAreCounted(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "payments"})
	recorder := telemetrytest.Record(t, tel)
	c := newClient(t, tel, client.Options{Base: status(503)})
	for n := range 3 {
		if _, err := send(client.WithAttempt(t.Context(), n), t, c, http.MethodGet, "http://bank.example/"); err != nil {
			t.Fatal(err)
		}
	}
	var counts []any
	for _, span := range recorder.Ended() {
		counts = append(counts, telemetrytest.Attributes(span.Attributes())["http.request.resend_count"])
	}
	equal(t, counts, []any{nil, int64(1), int64(2)})
	equal(t, telemetrytest.Series(t, tel.Registry(), resends), map[string]float64{"http_request_method=GET peer=bank": 2})
}

func TestSecretsStayOutOfSpans(t *testing.T) {
	tests := []struct{ name, url, full string }{
		{"user and password", "http://user:secret@bank.example/x", "http://REDACTED:REDACTED@bank.example/x"},
		{"user", "http://secret@bank.example/x", "http://REDACTED:REDACTED@bank.example/x"},
		{
			"signatures",
			"http://bank.example/x?b=1&sig=secret&Signature=secret&a=2&AWSAccessKeyId=secret&X-Goog-Signature=secret",
			"http://bank.example/x?b=1&sig=REDACTED&Signature=REDACTED&a=2&AWSAccessKeyId=REDACTED&X-Goog-Signature=REDACTED",
		},
		{"no secret", "http://bank.example/x?signature=1&q", "http://bank.example/x?signature=1&q"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tel := telemetrytest.New(t, telemetry.Config{Service: "payments"})
			recorder := telemetrytest.Record(t, tel)
			var sent *url.URL
			c := newClient(t, tel, client.Options{Base: answering(func(r *http.Request) (*http.Response, error) {
				sent = r.URL
				return nil, errors.New("backend is down")
			})})
			if _, err := send(t.Context(), t, c, http.MethodGet, tt.url); err == nil {
				t.Fatal("no error")
			}
			equal(t, sent.String(), tt.url) // the peer gets the whole URL
			span := only(t, recorder.Ended())
			equal(t, telemetrytest.Attributes(span.Attributes())["url.full"], any(tt.full))
			all := span.Attributes()
			for _, e := range span.Events() {
				all = append(all, e.Attributes...)
			}
			for _, a := range all {
				if a.Value.Type() == attribute.STRING && strings.Contains(a.Value.AsString(), "secret") {
					t.Errorf("%s contains the secret: %s", a.Key, a.Value.AsString())
				}
			}
		})
	}
}

func TestClientsShareMetrics(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "orders"})
	for _, peer := range []string{"payments", "catalog", "catalog"} {
		c := newClient(t, tel, client.Options{Peer: peer, Base: status(200)})
		if _, err := send(t.Context(), t, c, "BREW", "http://"+peer+".example/"); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, telemetrytest.Series(t, tel.Registry(), duration), map[string]float64{
		"http_request_method=_OTHER http_response_status_code=200 peer=payments": 1,
		"http_request_method=_OTHER http_response_status_code=200 peer=catalog":  2,
	})
}

func TestDefaultPortOfScheme(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "orders"})
	recorder := telemetrytest.Record(t, tel)
	c := newClient(t, tel, client.Options{Base: status(200)})
	var ports []any
	for _, target := range []string{"http://bank.example/", "https://bank.example/", "https://[::1]:8443/"} {
		if _, err := send(t.Context(), t, c, http.MethodGet, target); err != nil {
			t.Fatal(err)
		}
	}
	for _, span := range recorder.Ended() {
		ports = append(ports, telemetrytest.Attributes(span.Attributes())["server.port"])
	}
	equal(t, ports, []any{int64(80), int64(443), int64(8443)})
}

func TestPeerNameIsRequired(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "orders"})
	if _, err := client.New(tel, client.Options{}); err == nil {
		t.Error("no error for a client without a peer")
	}
}

func TestOneExemplarPerBucketAndInterval(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "payments"})
	recorder := telemetrytest.Record(t, tel)
	synctest.Test(t, func(t *testing.T) { // the clock stands still, so all requests share a bucket and an interval
		c, err := client.New(tel, client.Options{Peer: "bank", Base: status(200)})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if _, err := send(t.Context(), t, c, http.MethodGet, "http://bank.example/"); err != nil {
				t.Fatal(err)
			}
		}
	})
	equal(t, exemplars(t, tel), []string{recorder.Ended()[0].SpanContext().TraceID().String()})
}

func exemplars(t *testing.T, tel *telemetry.Telemetry) (traces []string) {
	t.Helper()
	for _, m := range telemetrytest.Family(t, tel.Registry(), duration).GetMetric() {
		for _, b := range m.GetHistogram().GetBucket() {
			for _, l := range b.GetExemplar().GetLabel() {
				if l.GetName() == "trace_id" {
					traces = append(traces, l.GetValue())
				}
			}
		}
	}
	return traces
}

// TestUninstrumented checks that a request is sent through the same transport and leaves no span and no header.
func TestUninstrumented(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "payments"})
	recorder := telemetrytest.Record(t, tel)
	var traceparent string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { traceparent = r.Header.Get("Traceparent") }))
	defer srv.Close()
	instrumented := newClient(t, tel, client.Options{Timeout: time.Minute, Base: srv.Client().Transport})
	plain := client.Uninstrumented(instrumented)
	ctx, parent := tel.TracerProvider().Tracer("test").Start(t.Context(), "request")
	defer parent.End()
	if _, err := send(ctx, t, plain, http.MethodGet, srv.URL); err != nil {
		t.Fatal(err)
	}
	if len(recorder.Ended()) != 0 || traceparent != "" || plain.Timeout != instrumented.Timeout || plain.Transport != srv.Client().Transport {
		t.Errorf("%d spans, traceparent %q, client %+v", len(recorder.Ended()), traceparent, plain)
	}
	if client.Uninstrumented(http.DefaultClient) != http.DefaultClient {
		t.Error("a client that New did not make was changed")
	}
}
