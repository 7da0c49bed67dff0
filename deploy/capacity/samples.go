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

	"github.com/google/renameio/v2"
)

// seriesPerTarget is what each made-up target exposes: some more than a service of the shop.
const seriesPerTarget = 1000

// samples is a load of samples: targets that Prometheus scrapes each second. Its rate is in samples a second.
type samples struct {
	file   string
	server *http.Server
	addr   string
	rate   float64
	began  time.Time // of the rate
	before float64   // sent before that
}

// Samples returns a load for Prometheus, whose targets it announces by a file in a folder that Prometheus watches.
func Samples(ctx context.Context, folder string) (Drive, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve made-up targets: %w", err)
	}
	s := &samples{
		file:   filepath.Join(folder, strconv.Itoa(os.Getpid())+".json"), // named like a load test, so that whoever comes next removes what a killed one left
		server: &http.Server{Handler: http.HandlerFunc(serveSeries), ReadHeaderTimeout: 5 * time.Second},
		addr:   listener.Addr().String(),
	}
	go s.server.Serve(listener) //nolint:errcheck // ends when it is closed
	return s, nil
}

// serveSeries exposes as many counters as a target has, each of which goes on at every scrape.
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
	_, _ = w.Write(page) // a scrape that went away is Prometheus's to count
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
	// Prometheus must never see half a file.
	if err := renameio.WriteFile(s.file, text, 0o600); err != nil {
		return fmt.Errorf("announce made-up targets: %w", err)
	}
	s.before, s.rate, s.began = s.Sent(), rate, time.Now()
	return nil
}

// Sent takes the targets as read each second: whether Prometheus does is what the ramp finds out.
func (s *samples) Sent() float64 { return s.before + s.rate*time.Since(s.began).Seconds() }

// Close takes the targets back.
func (s *samples) Close() error {
	return errors.Join(os.Remove(s.file), s.server.Close())
}
