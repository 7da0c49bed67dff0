package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// Backends are where a stack sends its telemetry.
type Backends struct {
	OTLP string // URL of an OTLP receiver over gRPC
	Loki string // base URL of Loki
}

// stack is an instrumented application.
type stack struct {
	app *fiber.App
	// flush hurries what waits to be sent, where the libraries let one.
	flush func(context.Context) error
	// sampled counts the spans ended so far that a backend should get.
	sampled func() (int, error)
	close   func(context.Context) error
	// registry has the metrics; nil: there are none.
	registry prometheus.Gatherer
}

var errUnknownStack = errors.New("want bare, usual, usual-no-meter or ours")

// newStack builds a stack by name. ratio is the share of traces to sample.
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

// newBare is the application alone.
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
