package latency_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry/internal/latency"
)

func spanContext(id byte, flags trace.TraceFlags) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{15: id}, SpanID: trace.SpanID{7: id}, TraceFlags: flags,
	})
}

// traces returns the number of observations and the trace id of each bucket's
// exemplar.
func traces(t *testing.T, h prometheus.Histogram) (count uint64, byBound map[float64]string) {
	t.Helper()
	var m dto.Metric
	if err := h.Write(&m); err != nil {
		t.Fatal(err)
	}
	byBound = map[float64]string{}
	for _, b := range m.GetHistogram().GetBucket() {
		for _, l := range b.GetExemplar().GetLabel() {
			if l.GetName() == "trace_id" {
				byBound[b.GetUpperBound()] = l.GetValue()
			}
		}
	}
	return m.GetHistogram().GetSampleCount(), byBound
}

func TestOneExemplarPerBucketAndInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := prometheus.NewHistogram(latency.Options("took_seconds", "seconds", "Time.", latency.Buckets()))
		o := latency.NewObserver(h)
		id := func(n byte) string { return spanContext(n, 0).TraceID().String() }

		o.Observe(3*time.Millisecond, spanContext(1, trace.FlagsSampled))
		o.Observe(4*time.Millisecond, spanContext(2, trace.FlagsSampled)) // same bucket, too early
		o.Observe(5*time.Millisecond, spanContext(3, trace.FlagsSampled)) // an upper bound belongs to its bucket
		o.Observe(6*time.Millisecond, spanContext(4, trace.FlagsSampled)) // another bucket
		o.Observe(80*time.Millisecond, spanContext(5, 0))                 // not sampled, so the trace is not stored
		o.Observe(80*time.Millisecond, trace.SpanContext{})
		count, got := traces(t, h)
		if d := cmp.Diff(map[float64]string{.005: id(1), .01: id(4)}, got); d != "" || count != 6 {
			t.Errorf("%d observations, want 6; exemplars want -, got +:\n%s", count, d)
		}

		time.Sleep(100 * time.Millisecond)
		o.Observe(4*time.Millisecond, spanContext(6, trace.FlagsSampled))
		if _, got = traces(t, h); got[.005] != id(6) {
			t.Errorf("exemplar after the interval is %q, want %q", got[.005], id(6))
		}
	})
}

func TestAtMostFourteenBuckets(t *testing.T) {
	if n := len(latency.Buckets()); n > 14 {
		t.Errorf("%d bounds, want at most 14, because each is a series", n)
	}
}
