package fault

import (
	"context"
	"time"
)

func slowQueryKind() Kind {
	return Kind{
		Name: "slow_query",
		Doc: "Delays a share of the SQL statements in the database driver, as if an index were missing. Seen in the database spans, in request " +
			"durations, and in go_sql_wait_duration_seconds_total, because connections are held longer.",
		Services: withDatabases,
		Params: []Param{
			{Name: "delay", Type: Duration, Min: 0, Max: 60, Default: "200ms", Doc: "Delay of a statement."},
			{Name: "share", Type: Number, Min: 0, Max: 1, Default: 1.0, Doc: "Share of the statements that are delayed."},
		},
		build: func(v Values) (effect, error) {
			return &slowQuery{delay: v.Duration("delay"), share: v.Number("share")}, nil
		},
	}
}

type slowQuery struct {
	delay time.Duration
	share float64
	dice  *dice
	over  chan struct{}
}

func (q *slowQuery) begin(s *Set, d *dice) (func(), error) {
	q.dice, q.over = d, make(chan struct{})
	remove := s.statements.put(q)
	return func() {
		remove()
		close(q.over)
	}, nil
}

// statement implements querier.
func (q *slowQuery) statement(ctx context.Context) error {
	if !q.dice.chance(q.share) {
		return nil
	}
	return sleep(ctx, q.delay, q.over)
}
