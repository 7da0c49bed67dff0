package broker

import (
	"context"
	"net/http"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// start runs a broker with its data in dir. stop ends it and waits.
func start(t *testing.T, dir string) (js jetstream.JetStream, tel *telemetry.Telemetry, s *Service, stop func()) {
	t.Helper()
	tel = telemetrytest.New(t, telemetry.Config{Service: Name})
	s, err := New(t.Context(), Config{Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Dir: dir}, Deps{Telemetry: tel})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	js, err = jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js, tel, s, func() {
		nc.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestBrokerKeepsMessages(t *testing.T) {
	dir := t.TempDir()
	js, _, s, stop := start(t, dir)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.*"}, Storage: jetstream.FileStorage}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s.1", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.admin.AdminURL() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("ready: %d", resp.StatusCode)
	}
	stop()

	js, tel, _, stop := start(t, dir)
	defer stop()
	consumer, err := js.CreateConsumer(t.Context(), "S", jetstream.ConsumerConfig{Durable: "C", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, want map[string]float64) {
		t.Helper()
		got := telemetrytest.Series(t, tel.Registry(), name)
		for labels, v := range want {
			if got[labels] != v {
				t.Errorf("%s %v, want %s to be %v", name, got, labels, v)
			}
		}
	}
	check("nats_stream_messages", map[string]float64{"stream=S": 1})
	check("nats_consumer_pending_messages", map[string]float64{"consumer=C stream=S": 1})
	check("nats_connections", map[string]float64{"": 1})
	msg, err := consumer.Next()
	if err != nil || string(msg.Data()) != "kept" {
		t.Fatalf("got %v, %v", msg, err)
	}
	check("nats_consumer_unacknowledged_messages", map[string]float64{"consumer=C stream=S": 1})
	check("nats_consumer_pending_messages", map[string]float64{"consumer=C stream=S": 0})
}

func TestInvalidAddress(t *testing.T) {
	for _, addr := range []string{"", "127.0.0.1", "127.0.0.1:x"} {
		if _, err := New(t.Context(), Config{Addr: addr}, Deps{Telemetry: telemetrytest.New(t, telemetry.Config{})}); err == nil {
			t.Errorf("%q was accepted", addr)
		}
	}
}
