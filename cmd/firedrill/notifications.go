package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"firedrill/deploy/notifications"
)

const notifyUsage = `notifications [flags]

Receives Alertmanager's webhook at /webhook, appends each alert to a file of JSON lines, and lists them, newest first, at
/notifications (?since=TIME&limit=N). "firedrill up" runs it.

It is also the dead man's switch: the alert Watchdog always fires, and Alertmanager repeats it at /watchdog. When it is
silent for too long, no alert can arrive, and a notification WatchdogSilent says so.`

func notify(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("notifications", notifyUsage)
	addr := fs.String("addr", "127.0.0.1:9094", "`address` to listen on")
	file := fs.String("file", "notifications.jsonl", "`file` to append to")
	silence := fs.Duration("silence", notifications.DefaultSilence, "how long Watchdog may be silent")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	store, err := notifications.Open(*file, notifications.DefaultLimits())
	if err != nil {
		return err
	}
	defer store.Close()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	log := slog.New(slog.NewJSONHandler(p.stdout, nil))
	deadMan := notifications.NewDeadMan(store, *silence, log)
	handler, err := notifications.Handler(store, deadMan, registry, time.Now, log)
	if err != nil {
		return err
	}
	go deadMan.Run(ctx)
	return serve(ctx, *addr, handler)
}

// serve serves until ctx ends, then finishes the requests under way.
func serve(ctx context.Context, addr string, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for notifications: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	debug.FreeOSMemory() // the program's other commands took some to begin
	select {
	case err := <-ended:
		return fmt.Errorf("serve notifications: %w", err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(patience); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop serving notifications: %w", err)
	}
	return nil
}
