package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// Backends are the addresses to which a stack sends its telemetry.
type Backends struct {
	OTLP string // URL of an OTLP receiver over gRPC
	Loki string // base URL of Loki
}

// stack is an application with its instrumentation.
type stack struct {
	app *fiber.App
	// flush sends queued items, if the libraries support that.
	flush func(context.Context) error
	// sampled returns the number of ended spans that a backend should receive.
	sampled func() (int, error)
	close   func(context.Context) error
	// registry has the metrics; nil if there are none.
	registry prometheus.Gatherer
}

var errUnknownStack = errors.New("want bare, usual, usual-no-meter or ours")

// newStack returns the stack with the name. ratio is the share of traces to
// sample, 0 to 1.
func newStack(ctx context.Context, name string, ratio float64, b Backends) (*stack, error) {
	switch name {
	case "bare":
		return newBare(), nil
	case "usual":
		return newUsual(ctx, usualConfig{Backends: b, ratio: ratio, metrics: true})
	case "usual-no-meter":
		return newUsual(ctx, usualConfig{Backends: b, ratio: ratio})
	case "ours":
		return newOurs(ctx, ratio, b)
	}
	return nil, fmt.Errorf("stack %q: %w", name, errUnknownStack)
}

// newBare returns the application alone.
func newBare() *stack {
	app := newApp()
	addRoutes(app)
	return &stack{
		app:     app,
		flush:   func(context.Context) error { return nil },
		sampled: func() (int, error) { return 0, nil },
		close:   func(context.Context) error { return nil },
	}
}
