package capacity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"firedrill/internal/private"
)

// seriesPerTarget is the number of series of each synthetic target, some more than a service of the shop has.
const seriesPerTarget = 1000

// samples is a load of samples: synthetic targets that Prometheus scrapes every second. Its rate is in samples
// per second.
type samples struct {
	file   string
	server *http.Server
	addr   string
	rate   float64
	began  time.Time // start of the current rate
	before float64   // samples sent before began
}

// Samples returns a load for Prometheus. It announces its targets in a file in the folder, which Prometheus
// must watch.
func Samples(ctx context.Context, folder string) (Drive, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve made-up targets: %w", err)
	}
	s := &samples{
		file:   filepath.Join(folder, strconv.Itoa(os.Getpid())+".json"), // named like the file of a load test, so that the next start removes the file of a killed process
		server: &http.Server{Handler: http.HandlerFunc(serveSeries), ReadHeaderTimeout: 5 * time.Second},
		addr:   listener.Addr().String(),
	}
	go s.server.Serve(listener) //nolint:errcheck // ends when it is closed
	return s, nil
}

// serveSeries exposes the counters of one target. Each counter grows with every scrape.
func serveSeries(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	now := strconv.FormatInt(time.Now().UnixMilli(), 10)
	page := make([]byte, 0, 64*seriesPerTarget)
	page = append(page, "# TYPE ramp_events_total counter\n"...)
	for i := range seriesPerTarget {
		page = append(page, `ramp_events_total{part="`...)
		page = strconv.AppendInt(page, int64(i), 10)
		page = append(append(append(page, `"} `...), now...), '\n')
	}
	_, _ = w.Write(page) // Prometheus counts failed scrapes
}

// Set announces as many targets as the rate needs.
func (s *samples) Set(_ context.Context, rate float64) error {
	type target struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	targets := []target{}
	for i := range int(rate / seriesPerTarget) {
		targets = append(targets, target{[]string{s.addr}, map[string]string{
			"instance": fmt.Sprintf("ramp-%d", i), "__metrics_path__": fmt.Sprintf("/%d", i), "tier": "load",
		}})
	}
	text, err := json.Marshal(targets)
	if err != nil {
		return fmt.Errorf("announce made-up targets: %w", err)
	}
	// The file is replaced atomically, so Prometheus never reads a partial file.
	if err := private.WriteFile(s.file, text, 0o600); err != nil {
		return fmt.Errorf("announce made-up targets: %w", err)
	}
	s.before, s.rate, s.began = s.Sent(), rate, time.Now()
	return nil
}

// Sent returns the number of samples if Prometheus scrapes each target every second. The ramp compares it with
// what Prometheus counted.
func (s *samples) Sent() float64 { return s.before + s.rate*time.Since(s.began).Seconds() }

// Close removes the targets.
func (s *samples) Close() error {
	return errors.Join(os.Remove(s.file), s.server.Close())
}
