package attack_test

import (
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"firedrill/loadgen/attack"
	"firedrill/loadgen/result"
)

// stalling is a server that answers at once, except for one second in which it does not
// answer. It records when each request was answered.
type stalling struct {
	*fasthttp.Server
	from, until time.Time
	answered    []atomic.Int64 // by request number, in ns since 1970
}

func (s *stalling) handle(ctx *fasthttp.RequestCtx) {
	if now := time.Now(); now.After(s.from) && now.Before(s.until) {
		time.Sleep(time.Until(s.until))
	}
	n, err := strconv.Atoi(string(ctx.QueryArgs().Peek("n")))
	if err == nil && n < len(s.answered) {
		s.answered[n].Store(time.Now().UnixNano())
	}
}

// TestStall compares the measured latencies with the truth for a server that stalls for 1 s in 9 s at 500/s. 500 requests are
// due during the stall. The slowest 45, which are above p99, are due in its first 90 ms, so the true p99 is at least 910 ms.
// With 50 workers, only 50 requests are active during the stall: a generator that measures from sending reports a p99 of some
// milliseconds.
//
// A slow machine delays answers by more than the stall, so no upper bound is right on every machine. Two facts hold on all
// machines: no request is answered before the server answers it, and the sum of all measured latencies is the time that
// requests waited to be sent plus the time that the server took.
func TestStall(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 9 s") // skip-ok: no target of the Makefile says -short
	}
	r, truth := stall(t)
	total := r.Total(nil)
	if truth.Count() != stallRequests || total.Requests != stallRequests {
		t.Errorf("%d answered, %d reported, want %d", truth.Count(), total.Requests, stallRequests)
	}
	const exact = 0.99 // histograms are precise to less than 1 %
	for _, q := range []float64{0.95, 0.99, 0.999} {
		if got, least := total.Response.Quantile(q), truth.Quantile(q); float64(got) < exact*float64(least) {
			t.Errorf("reported p%g = %v, the server saw %v", q*100, got, least)
		}
	}
	if got := total.Response.Quantile(0.99); got < 900*time.Millisecond {
		t.Errorf("p99 = %v, want 910 ms or more", got)
	}
	whole, parts := total.Response.Mean(), total.Lag.Mean()+total.Service.Mean()
	if off := (whole - parts).Abs(); float64(off) > (1-exact)*float64(parts) {
		t.Errorf("responses took %v in the mean, but lag and service together %v", whole, parts)
	}
	t.Logf("p99 = %v where the server saw %v; own lag p99 %v, valid %v", total.Response.Quantile(0.99), truth.Quantile(0.99), r.Validity.LagP99, r.Validity.Valid)
}

const (
	stallRate     = 500
	stallLength   = 9 * time.Second
	stallRequests = stallRate * 9
)

// stall runs an attack against a stalling server. It also returns the true latencies: from when each request was due until
// the server answered it.
func stall(t *testing.T) (*result.Result, *result.Histogram) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stalling{Server: &fasthttp.Server{}, answered: make([]atomic.Int64, stallRequests)}
	s.Handler = s.handle
	part := whole(t, constant(stallRate, stallLength))
	a, collector := prepare(t, attack.Config{Schedule: part, Workers: 50, Plan: get(t, "http://"+listener.Addr().String()+"/?n=${seq}")})
	s.from = time.Now().Add(4 * time.Second)
	s.until = s.from.Add(time.Second)
	go s.Serve(listener)
	defer s.Shutdown()
	ending := a.Run(t.Context())
	elapsed := a.Elapsed() // read before time.Now: a pause in between makes the truth smaller, not larger
	began := time.Now().Add(-elapsed)
	r := collector.Finish(ending)
	truth := &result.Histogram{}
	for n := range s.answered {
		if at := s.answered[n].Load(); at > 0 {
			due, _ := part.At(uint64(n))
			truth.Record(time.Unix(0, at).Sub(began) - due)
		}
	}
	return r, truth
}
