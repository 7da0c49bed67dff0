package orders

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
)

const (
	resumeBatch = 32 // maximum orders read at a time
	resumeMost  = 4  // orders resumed concurrently; protects a peer that has just recovered

	keepEvents = time.Hour      // after publishing
	keepKeys   = 24 * time.Hour // how long a request can be repeated
)

// loops runs the background work until ctx ends.
func (s *Service) loops(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { s.saga.resumeLoop(ctx) })
	all.Go(func() { s.outbox.loop(ctx) })
	all.Go(func() { every(ctx, time.Second, s.measure) })
	all.Go(func() { every(ctx, time.Minute, s.forget) })
	all.Wait()
}

// every calls do at once and then every period until ctx ends.
func every(ctx context.Context, period time.Duration, do func(context.Context)) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for ctx.Err() == nil {
		do(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (s *Service) measure(ctx context.Context) {
	unsettled, events, err := s.store.backlogs(ctx)
	if err != nil {
		s.warn(ctx, "measuring the backlogs failed", err)
		return
	}
	s.saga.metrics.backlogs(unsettled, events)
}

func (s *Service) forget(ctx context.Context) {
	if err := s.store.forget(ctx, keepEvents, keepKeys); err != nil {
		s.warn(ctx, "deleting old events and keys failed", err)
	}
}

func (s *Service) warn(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.tel.Logger().WarnContext(ctx, what, slog.Any("error", err))
	}
}

// resumeLoop finishes orders that a request could not finish in time, and
// orders of processes that crashed.
func (g *saga) resumeLoop(ctx context.Context) {
	every(ctx, g.poll, func(ctx context.Context) {
		if err := g.resumeDue(ctx); err != nil && ctx.Err() == nil {
			g.tel.Logger().WarnContext(ctx, "reading unfinished orders failed", slog.Any("error", err))
		}
	})
}

func (g *saga) resumeDue(ctx context.Context) error {
	due, err := g.store.due(ctx, resumeBatch)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(resumeMost)
	for _, o := range due {
		group.Go(func() error {
			g.resume(ctx, o)
			return nil
		})
	}
	return group.Wait()
}

// resume drives one order, in the trace of the request that placed it.
func (g *saga) resume(ctx context.Context, o *order) {
	// This attempt is completed even if the service stops, within the timeout.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.timeout)
	defer cancel()
	ctx = g.tel.Propagator().Extract(ctx, propagation.MapCarrier(o.trace))
	ctx, span := g.tel.TracerProvider().Tracer("firedrill/apps/orders").Start(ctx, "resume order",
		trace.WithAttributes(attribute.String("order.id", o.id), attribute.String("order.state", string(o.state))))
	defer span.End()

	mine, err := g.store.claimAgain(ctx, o.id)
	if err == nil && !mine {
		return
	}
	if err == nil {
		g.metrics.resumed.Inc()
		err = g.run(ctx, o, pauseAfter(o.attempts))
	}
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, "")
		g.tel.Logger().WarnContext(ctx, "order is still unfinished", slog.String("order_id", o.id),
			slog.String("state", string(o.state)), slog.Int("attempts", o.attempts), slog.Any("error", err))
		return
	}
	g.tel.Logger().InfoContext(ctx, "order was finished in the background",
		slog.String("order_id", o.id), slog.String("state", string(o.state)))
}
