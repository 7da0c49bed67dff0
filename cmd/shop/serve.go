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

// flushTimeout limits the time for sending the last telemetry.
const flushTimeout = 3 * time.Second

// running is a started service. stop ends it. done then receives its error.
// flushed is closed when its last telemetry is sent or dropped.
type running struct {
	stop    context.CancelFunc
	done    chan error
	flushed chan struct{}
}

// serve builds and runs the parts in order until ctx ends or one fails. It
// stops them in reverse order, so that each can finish its requests.
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
	debug.FreeOSMemory() // migrations and seeds need more memory than the running shop
	<-ctx.Done()
	for _, r := range slices.Backward(started) {
		r.stop()
		errs = append(errs, <-r.done)
	}
	for _, r := range started { // they flush concurrently; each may take long if a backend is down
		<-r.flushed
	}
	return errors.Join(errs...)
}

// start builds a part and runs it in a goroutine. When the part ends for any
// reason, start calls ended.
func start(ctx context.Context, ended func(), p part, s settings, stdout io.Writer) (running, error) {
	cfg := s.telemetry
	cfg.Service, cfg.Version = p.name, versionText()
	if p.noTelemetry {
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
	// Do not use ctx: its end must not stop all services at once.
	own, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := running{stop: stop, done: make(chan error, 1), flushed: make(chan struct{})}
	context.AfterFunc(own, k.faults.Close) // end faults at once, so that active requests can finish
	go func() {
		defer ended()
		defer k.faults.Close() // in case the service failed by itself
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

// flush sends the remaining telemetry. If a backend is down, the rest is
// dropped, which is not an error of the service.
func flush(ctx context.Context, tel *telemetry.Telemetry) {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	_ = tel.Shutdown(ctx)
}
