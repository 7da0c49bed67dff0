package fault

import (
	"context"
	"database/sql"
	"time"
)

func poolExhaustionKind() Kind {
	return Kind{
		Name: "pool_exhaustion",
		Doc: "Takes connections out of the database pool and keeps them, like code that forgets to close rows. Seen in " +
			"go_sql_in_use_connections and go_sql_wait_count_total, as requests that time out without a database span, and in readiness.",
		Services: withDatabases,
		Params: []Param{{Name: "connections", Type: Integer, Unit: "connections", Min: 0, Max: 1000, Default: 0,
			Doc: "Number of connections; 0 for all. A pool has 1 connection for SQLite and 10 for PostgreSQL."}},
		build: func(v Values) (effect, error) { return poolExhaustion{connections: v.Integer("connections")}, nil },
	}
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

// hold takes n connections, each as soon as one is free, and releases them when
// ctx ends.
func hold(ctx context.Context, pool *sql.DB, n int) {
	const pause = 100 * time.Millisecond // after a failure
	var held []*sql.Conn
	for len(held) < n && ctx.Err() == nil {
		conn, err := pool.Conn(ctx)
		if err != nil {
			_ = sleep(ctx, pause, nil) // the loop condition checks ctx
			continue
		}
		held = append(held, conn)
	}
	<-ctx.Done()
	for _, conn := range held {
		conn.Close()
	}
}
