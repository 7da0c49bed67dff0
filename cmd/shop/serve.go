package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"firedrill/telemetry"
)

// flushTimeout is the most time for sending the last telemetry.
const flushTimeout = 3 * time.Second

// running is a started service. Ending stop's context ends it; done then gives
// its error, and flushed closes when its last telemetry is sent or given up.
type running struct {
	stop    context.CancelFunc
	done    chan error
	flushed chan struct{}
}

// serve builds and runs the parts in their order until ctx ends or one fails, and
// stops them in reverse, so that each can finish its requests.
func serve(ctx context.Context, chosen []part, s settings, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var started []running
	var errs []error
	for _, p := range chosen {
		r, err := start(ctx, cancel, p, s, stdout)
		if err != nil {
			errs = append(errs, fmt.Errorf("start %q: %w", p.name, err))
			cancel()
			break
		}
		started = append(started, r)
	}
	debug.FreeOSMemory() // migrations and seeds need more than the shop does afterwards
	<-ctx.Done()
	for _, r := range slices.Backward(started) {
		r.stop()
		errs = append(errs, <-r.done)
	}
	for _, r := range started { // all flush at once: with a backend away, each takes its time
		<-r.flushed
	}
	return errors.Join(errs...)
}

// start builds a part and runs it beside the caller. When it ends, whyever, it
// calls ended.
func start(ctx context.Context, ended func(), p part, s settings, stdout io.Writer) (running, error) {
	cfg := s.telemetry
	cfg.Service, cfg.Version = p.name, versionText()
	if p.untold {
		cfg.Logs.LokiURL, cfg.Traces.Endpoint = "", ""
	}
	if logs := &cfg.Logs; logs.Output == os.Stdout || logs.Output == nil && logs.LokiURL == "" {
		logs.Output = stdout
	}
	k, err := newKit(ctx, p, s.faultsToken, cfg)
	if err != nil {
		return running{}, err
	}
	tel := k.tel
	service, err := p.build(ctx, s, k)
	if err != nil {
		flush(context.WithoutCancel(ctx), tel)
		return running{}, err
	}
	tel.Logger().Info("service started")
	// Not ctx: its end must not stop all at once.
	own, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := running{stop: stop, done: make(chan error, 1), flushed: make(chan struct{})}
	context.AfterFunc(own, k.faults.Close) // at once: what is under way shall end well
	go func() {
		defer ended()
		defer k.faults.Close() // it may have failed by itself
		err := service.Run(own)
		if err != nil {
			err = fmt.Errorf("run %q: %w", p.name, err)
		}
		tel.Logger().Info("service stopped")
		r.done <- err
		flush(context.WithoutCancel(own), tel)
		close(r.flushed)
	}()
	return r, nil
}

// flush sends what telemetry is left. A backend that is away is no failure of the
// service: what cannot be sent is counted as dropped, and forgotten.
func flush(ctx context.Context, tel *telemetry.Telemetry) {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	_ = tel.Shutdown(ctx)
}
