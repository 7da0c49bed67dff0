package fault

import (
	"context"
	"database/sql"
	"time"

	"firedrill/apps/fault/kinds"
)

func newPoolExhaustion(v kinds.Values) (effect, error) {
	return poolExhaustion{connections: v.Integer("connections")}, nil
}

type poolExhaustion struct{ connections int }

func (p poolExhaustion) begin(s *Set, _ *dice) (func(), error) {
	pool := s.pool.Load()
	if pool == nil {
		return nil, errNotHere
	}
	most := pool.Stats().MaxOpenConnections
	if p.connections > 0 && (most == 0 || p.connections < most) {
		most = p.connections
	}
	return loop(func(ctx context.Context) { hold(ctx, pool, most) }), nil
}

// hold takes n connections, each as soon as one is free, and gives them back when
// ctx ends.
func hold(ctx context.Context, pool *sql.DB, n int) {
	const pause = 100 * time.Millisecond // after a failure
	var held []*sql.Conn
	for len(held) < n && ctx.Err() == nil {
		conn, err := pool.Conn(ctx)
		if err != nil {
			_ = sleep(ctx, pause, nil) // an end is seen above
			continue
		}
		held = append(held, conn)
	}
	<-ctx.Done()
	for _, conn := range held {
		conn.Close()
	}
}
