package fault

import (
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

func lockContentionKind() Kind {
	return Kind{
		Name: "lock_contention",
		Doc: "Makes requests of the service take one lock and hold it for a while, like a global lock or a database row that all requests need. " +
			"At most 1/hold requests per second get through. Seen as durations that grow with load while the CPU is idle, in " +
			"http_server_active_requests, and in goroutine profiles.",
		Services: withRoutes,
		Params: []Param{
			{Name: "hold", Type: Duration, Min: 0.0001, Max: 10, Default: "20ms", Doc: "How long each request holds the lock."},
			routeParam(),
		},
		build: func(v Values) (effect, error) {
			where, err := routeOf(v.Text("route"))
			return &lockContention{where: where, hold: v.Duration("hold")}, err
		},
	}
}

type lockContention struct {
	where route
	hold  time.Duration
	mu    sync.Mutex // protects no data; the waiting is the fault
	over  chan struct{}
}

func (l *lockContention) begin(s *Set, _ *dice) (func(), error) {
	if err := s.serves(l.where); err != nil {
		return nil, err
	}
	l.over = make(chan struct{})
	remove := s.requests.put(l)
	return func() {
		remove()
		close(l.over) // waiting requests pass one by one without a delay
	}, nil
}

// request implements requester.
func (l *lockContention) request(c *fiber.Ctx) error {
	if !l.where.matches(c) {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return sleep(c.UserContext(), l.hold, l.over)
}
