// Package broker runs a NATS server, with JetStream on disk, as one process of
// the shop.
//
// It must not know what is published.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"firedrill/apps/fault"
	"firedrill/apps/internal/web"
	"firedrill/telemetry"
)

// Name is the name of the service.
const Name = "broker"

// Config configures the broker.
type Config struct {
	Addr      string // host:port for NATS clients
	AdminAddr string
	Dir       string // folder of the streams
}

// Deps are the dependencies that the caller provides.
type Deps struct {
	Telemetry *telemetry.Telemetry
	Faults    *fault.Set // nil: no faults
}

// Service is the running broker.
type Service struct {
	nats  *server.Server
	admin *web.Server
}

// Limits of the broker.
const (
	memory  = 64 << 20 // bytes of streams in memory; the shop has no such streams
	disk    = 1 << 30  // bytes of streams on disk
	startup = 10 * time.Second
)

// New starts the NATS server and opens the admin listener. It waits up to 10 s
// until the server is ready.
func New(ctx context.Context, cfg Config, deps Deps) (*Service, error) {
	opts, err := options(cfg)
	if err != nil {
		return nil, err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("create NATS server: %w", err)
	}
	ns.SetLoggerV2(natsLog{deps.Telemetry.Logger()}, false, false, false)
	if err := register(deps.Telemetry.Registry(), ns); err != nil {
		return nil, err
	}
	s := &Service{nats: ns}
	s.admin, err = web.New(ctx, web.Config{
		Name: Name, AdminAddr: cfg.AdminAddr,
		Checks: deps.Faults.Checks(map[string]web.Check{"jetstream": s.check}),
		Admin:  deps.Faults.Admin(),
	}, deps.Telemetry)
	if err != nil {
		return nil, err
	}
	ns.Start()
	if !ns.ReadyForConnections(startup) {
		s.stop()
		return nil, fmt.Errorf("start NATS server at %s with data in %s: not ready after %v", cfg.Addr, cfg.Dir, startup)
	}
	return s, nil
}

func options(cfg Config) (*server.Options, error) {
	host, text, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("parse address of the broker: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("parse port in address of the broker %q: %w", cfg.Addr, err)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return &server.Options{
		ServerName:         "shop",
		Host:               host,
		Port:               port,
		JetStream:          true,
		StoreDir:           cfg.Dir,
		JetStreamMaxMemory: memory,
		JetStreamMaxStore:  disk,
		NoSigs:             true,
		MaxPayload:         1 << 20,
	}, nil
}

// URL returns the URL for NATS clients.
func (s *Service) URL() string { return s.nats.ClientURL() }

// Run serves until ctx ends, then stops the NATS server, which writes its
// streams to disk.
func (s *Service) Run(ctx context.Context) error {
	err := s.admin.Serve(ctx)
	s.stop()
	return err
}

func (s *Service) stop() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

func (s *Service) check(context.Context) error {
	if !s.nats.Running() || !s.nats.JetStreamEnabled() {
		return errors.New("JetStream is not running")
	}
	return nil
}

// natsLog writes the NATS server's log lines to the service's log.
type natsLog struct{ log *slog.Logger }

func (l natsLog) line(level slog.Level, format string, v []any) {
	l.log.Log(context.Background(), level, fmt.Sprintf(format, v...), slog.String("part", "nats"))
}

func (l natsLog) Noticef(format string, v ...any) { l.line(slog.LevelInfo, format, v) }
func (l natsLog) Warnf(format string, v ...any)   { l.line(slog.LevelWarn, format, v) }
func (l natsLog) Errorf(format string, v ...any)  { l.line(slog.LevelError, format, v) }
func (l natsLog) Fatalf(format string, v ...any)  { l.line(slog.LevelError, format, v) }
func (l natsLog) Debugf(format string, v ...any)  { l.line(slog.LevelDebug, format, v) }
func (l natsLog) Tracef(format string, v ...any)  { l.line(slog.LevelDebug, format, v) }
