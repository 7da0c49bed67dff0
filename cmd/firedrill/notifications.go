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
	"github.com/spf13/cobra"

	"firedrill/deploy/notifications"
	"firedrill/internal/cli"
)

func (p program) notificationsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notifications",
		Short: "Receive Alertmanager's notifications and keep them",
		Long: `Receives Alertmanager's webhook at /webhook, appends each alert to a file of JSON lines, and lists the alerts, newest first,
at /notifications (?since=TIME&limit=N). "firedrill up" runs it.

It is also the dead man's switch: the alert Watchdog always fires, and Alertmanager repeats it at /watchdog. When Watchdog is
silent for too long, no alert can arrive, and a notification WatchdogSilent says so.`,
		Args: cli.Args(),
	}
	f := cmd.Flags()
	addr := f.String("addr", "127.0.0.1:9094", "`address` to listen on")
	file := f.String("file", "notifications.jsonl", "`file` to append to")
	silence := f.Duration("silence", notifications.DefaultSilence, "how long Watchdog may be silent")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return p.notify(cmd.Context(), *addr, *file, *silence) }
	return cmd
}

func (p program) notify(ctx context.Context, addr, file string, silence time.Duration) error {
	log := slog.New(slog.NewJSONHandler(p.stdout, nil))
	store, err := notifications.Open(file, notifications.DefaultLimits(), log)
	if err != nil {
		return err
	}
	defer store.Close()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	deadMan := notifications.NewDeadMan(store, silence, log)
	handler, err := notifications.Handler(store, deadMan, registry, time.Now, log)
	if err != nil {
		return err
	}
	go deadMan.Run(ctx)
	return serve(ctx, addr, handler)
}

// serve serves until ctx ends. Then it waits for active requests to end, at most a second.
func serve(ctx context.Context, addr string, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	debug.FreeOSMemory() // the start-up of the other commands took memory
	select {
	case err := <-ended:
		return fmt.Errorf("serve on %s: %w", addr, err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(patience); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop serving on %s: %w", addr, err)
	}
	return nil
}
