package shipping

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"firedrill/apps/internal/natstest"
	"firedrill/apps/internal/storage/storagetest"
	"firedrill/apps/internal/web"
	"firedrill/apps/orders"
	"firedrill/internal/machine/machinetest"
	"firedrill/telemetry"
	"firedrill/telemetry/messaging"
	"firedrill/telemetry/telemetrytest"
)

// fakeOrders returns the configured failures by order, and counts the calls.
type fakeOrders struct {
	mu       sync.Mutex
	failures map[string][]error
	heard    map[string]int
}

func (f *fakeOrders) Shipped(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard[id]++
	if len(f.failures[id]) == 0 {
		return nil
	}
	err := f.failures[id][0]
	f.failures[id] = f.failures[id][1:]
	return err
}

// fixture is a service that runs until the test ends, with its broker.
type fixture struct {
	*Service
	orders *fakeOrders
	js     jetstream.JetStream
	tel    *telemetry.Telemetry
	spans  func() []trace.SpanContext // spans of consumers
}

func start(t *testing.T, database string, failures map[string][]error) *fixture {
	t.Helper()
	nc := natstest.Connect(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.EnsureStream(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	f := &fixture{orders: &fakeOrders{failures: failures, heard: make(map[string]int)}, js: js,
		tel: telemetrytest.New(t, telemetry.Config{Service: Name})}
	recorder := telemetrytest.Record(t, f.tel)
	f.spans = func() (all []trace.SpanContext) {
		for _, s := range recorder.Ended() {
			if s.SpanKind() == trace.SpanKindConsumer {
				all = append(all, s.SpanContext())
			}
		}
		return all
	}
	f.Service, err = New(t.Context(), Config{
		Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Database: database, Attempts: 3, Retry: 10 * time.Millisecond,
	}, Deps{Telemetry: f.tel, Orders: f.orders, NATS: nc})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return f
}

// publish sends a message. The broker treats each as a new message.
func (f *fixture) publish(t *testing.T, data string, header nats.Header) {
	t.Helper()
	msg := nats.NewMsg(orders.SubjectConfirmed)
	msg.Data = []byte(data)
	if header != nil {
		msg.Header = header
	}
	if _, err := f.js.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
}

func confirmed(t *testing.T, id string) string {
	t.Helper()
	data, err := json.Marshal(orders.ConfirmedEvent{OrderID: id})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// drained waits until the stream is empty, so all events are processed or
// dropped.
func (f *fixture) drained(t *testing.T) {
	t.Helper()
	stream, err := f.js.Stream(t.Context(), orders.Stream)
	if err != nil {
		t.Fatal(err)
	}
	machinetest.Await(t, "the stream is empty", func() (string, bool) {
		info, err := stream.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d events are left", info.State.Msgs), info.State.Msgs == 0
	})
}

func (f *fixture) shipments(t *testing.T) map[string]int {
	t.Helper()
	rows, err := f.db.QueryContext(t.Context(), "SELECT order_id FROM shipments")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := make(map[string]int)
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		all[id]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWorker(t *testing.T) {
	down, gone := web.Errorf(web.Unavailable, "down"), web.Errorf(web.NotFound, "no such order")
	for _, c := range []struct {
		name                      string
		failures                  []error // for order 1
		events                    []string
		shipments                 map[string]int
		heard                     map[string]int
		shipped, retried, dropped float64
	}{
		{name: "one", events: []string{confirmed(t, "1")},
			shipments: map[string]int{"1": 1}, heard: map[string]int{"1": 1}, shipped: 1},
		{name: "same order twice", events: []string{confirmed(t, "1"), confirmed(t, "1")},
			shipments: map[string]int{"1": 1}, heard: map[string]int{"1": 2}, shipped: 2},
		{name: "orders down for more deliveries than Attempts", failures: []error{down, down, down, down, down}, events: []string{confirmed(t, "1")},
			shipments: map[string]int{"1": 1}, heard: map[string]int{"1": 6}, shipped: 1, retried: 5},
		{name: "not JSON", events: []string{"{"}, retried: 2, dropped: 1},
		{name: "no order", events: []string{"{}"}, retried: 2, dropped: 1},
		{name: "unknown order", failures: []error{gone, gone, gone}, events: []string{confirmed(t, "1")},
			shipments: map[string]int{"1": 1}, heard: map[string]int{"1": 3}, retried: 2, dropped: 1},
		{name: "bad event does not block others", events: []string{"{", confirmed(t, "1"), confirmed(t, "2")},
			shipments: map[string]int{"1": 1, "2": 1}, heard: map[string]int{"1": 1, "2": 1}, shipped: 2, retried: 2, dropped: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, database string) {
				f := start(t, database, map[string][]error{"1": c.failures})
				for _, event := range c.events {
					f.publish(t, event, nil)
				}
				f.drained(t)
				if got := f.shipments(t); len(got)+len(c.shipments) > 0 && !reflect.DeepEqual(got, c.shipments) {
					t.Errorf("shipments %v, want %v", got, c.shipments)
				}
				f.orders.mu.Lock()
				defer f.orders.mu.Unlock()
				if len(f.orders.heard)+len(c.heard) > 0 && !reflect.DeepEqual(f.orders.heard, c.heard) {
					t.Errorf("calls to orders %v, want %v", f.orders.heard, c.heard)
				}
				want := map[string]float64{"outcome=shipped": c.shipped, "outcome=retried": c.retried, "outcome=dropped": c.dropped}
				if got := telemetrytest.Series(t, f.tel.Registry(), "shop_shipping_events_total"); !reflect.DeepEqual(got, want) {
					t.Errorf("counted %v, want %v", got, want)
				}
			})
		})
	}
}

func TestWorkerContinuesTheTrace(t *testing.T) {
	f := start(t, t.TempDir()+"/test.db", nil)
	header := nats.Header{}
	_, span := messaging.StartProducer(t.Context(), f.tel, orders.SubjectConfirmed, header)
	span.End()
	f.publish(t, confirmed(t, "1"), header)
	f.drained(t)
	machinetest.Eventually(t, "the consumer's span ends, after the acknowledgement", func() bool { return len(f.spans()) == 1 })
	if got := f.spans()[0].TraceID(); got != span.SpanContext().TraceID() {
		t.Errorf("the consumer is in trace %s, the producer in %s", got, span.SpanContext().TraceID())
	}
}
