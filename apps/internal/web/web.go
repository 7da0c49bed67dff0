// Package web is the common part of the shop's services: a Fiber application
// with limits, problem documents, health checks and graceful shutdown, an admin
// listener, and JSON calls between services.
//
// It must not know what any service does.
package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
)

// Config configures a Server.
type Config struct {
	Name      string
	Addr      string // host:port of the public listener; "" for no listener
	AdminAddr string // host:port of the admin listener
	BodyLimit int    // maximum size of a request in bytes; default 64 KiB
	// Timeout is the time limit of a request; default 4 s. It is the deadline
	// of c.UserContext() in handlers.
	Timeout time.Duration
	Drain   time.Duration // time limit for active requests at shutdown; default 5 s
	Checks  map[string]Check
	Admin   map[string]http.Handler // additional pages of the admin listener, by pattern
}

// adminDrain is the time limit for active admin requests at shutdown.
const adminDrain = time.Second

// Check returns an error if a service cannot do its work. It must respect ctx.
type Check func(ctx context.Context) error

// Server serves one service. Create it with New, add routes to App, then call
// Serve.
type Server struct {
	cfg      Config
	app      *fiber.App
	admin    *http.Server
	public   *listener
	private  net.Listener
	draining atomic.Bool
}

// New listens on the addresses and creates the application. If tel is nil, the
// service has no telemetry, only health checks.
func New(ctx context.Context, cfg Config, tel *telemetry.Telemetry) (*Server, error) {
	cfg = cfg.withDefaults()
	s := &Server{cfg: cfg, app: newApp(cfg)}
	if tel != nil {
		opts := server.Options{
			Quiet:    []string{"/healthz", "/readyz"},
			Statuses: []int{http.StatusOK, http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
		}
		if err := server.Instrument(s.app, tel, opts); err != nil { //nolint:contextcheck // requests bring their own
			return nil, fmt.Errorf("create server of %q: %w", cfg.Name, err)
		}
	}
	s.app.Use(s.deadline)
	s.app.Get("/healthz", s.health)
	s.app.Get("/readyz", s.readiness)
	if tel != nil {
		if err := countServed(s.app, tel); err != nil {
			return nil, fmt.Errorf("create server of %q: %w", cfg.Name, err)
		}
	}
	s.admin = &http.Server{Handler: s.adminHandler(tel), ReadHeaderTimeout: cfg.Timeout}
	return s, s.listen(ctx)
}

func (c Config) withDefaults() Config {
	if c.BodyLimit == 0 {
		c.BodyLimit = 64 << 10
	}
	if c.Timeout == 0 {
		c.Timeout = 4 * time.Second
	}
	if c.Drain == 0 {
		c.Drain = 5 * time.Second
	}
	return c
}

func newApp(cfg Config) *fiber.App {
	return fiber.New(fiber.Config{
		AppName:               cfg.Name,
		BodyLimit:             cfg.BodyLimit,
		DisableStartupMessage: true,
		ErrorHandler:          sendProblem,
		IdleTimeout:           time.Minute,
		ReadTimeout:           cfg.Timeout,
		WriteTimeout:          cfg.Timeout + time.Second,
		// Fiber's strings are valid only during a request, but limiters, caches
		// and events keep them.
		Immutable: true,
	})
}

func (s *Server) listen(ctx context.Context) (err error) {
	var config net.ListenConfig
	if s.cfg.Addr != "" {
		l, err := config.Listen(ctx, "tcp", s.cfg.Addr)
		if err != nil {
			return fmt.Errorf("open public listener of %q: %w", s.cfg.Name, err)
		}
		s.public = newListener(l)
	}
	if s.private, err = config.Listen(ctx, "tcp", s.cfg.AdminAddr); err != nil {
		err = fmt.Errorf("open admin listener of %q: %w", s.cfg.Name, err)
		if s.public != nil {
			err = errors.Join(err, s.public.Close())
		}
	}
	return err
}

// App returns the application. Add routes to it before Serve.
func (s *Server) App() *fiber.App { return s.app }

// URL returns the URL of the public listener. There must be one.
func (s *Server) URL() string { return "http://" + s.public.Addr().String() }

// AdminURL returns the URL of the admin listener.
func (s *Server) AdminURL() string { return "http://" + s.private.Addr().String() }

// Serve serves requests until ctx ends. Then it reports unready, finishes the
// active requests and returns nil. It returns earlier only with an error.
func (s *Server) Serve(ctx context.Context) error {
	var group errgroup.Group
	failed, stop := context.WithCancel(ctx)
	if s.public != nil {
		group.Go(func() error {
			defer stop()
			return s.app.Listener(s.public)
		})
	}
	group.Go(func() error {
		defer stop()
		if err := s.admin.Serve(s.private); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	<-failed.Done()
	shut := s.shutdown(context.WithoutCancel(ctx))
	if err := errors.Join(shut, group.Wait()); err != nil {
		return fmt.Errorf("serve %q: %w", s.cfg.Name, err)
	}
	return nil
}

// shutdown stops the admin listener last, so that the draining can be observed.
func (s *Server) shutdown(ctx context.Context) error {
	s.draining.Store(true)
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Drain)
	defer cancel()
	var errs []error
	if s.public != nil {
		timer := time.AfterFunc(silentGrace, s.public.hangUp)
		defer timer.Stop()
		errs = append(errs, s.app.ShutdownWithContext(ctx))
		_ = s.public.Close() // again, because a shutdown before the first Accept closes nothing
	}
	scrapes, done := context.WithTimeout(ctx, adminDrain)
	defer done()
	if err := s.admin.Shutdown(scrapes); err != nil {
		errs = append(errs, s.admin.Close()) // a profile may run for minutes
	}
	return errors.Join(errs...)
}

// deadline limits the time of each request.
func (s *Server) deadline(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), s.cfg.Timeout)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}
