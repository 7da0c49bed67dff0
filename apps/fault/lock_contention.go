package fault

import (
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/fault/kinds"
)

func newLockContention(v kinds.Values) (effect, error) {
	where, err := routeOf(v.Text("route"))
	return &lockContention{where: where, hold: v.Duration("hold")}, err
}

type lockContention struct {
	where route
	hold  time.Duration
	mu    sync.Mutex // guards nothing: that is the fault
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
		close(l.over) // those who queue pass one by one without a wait
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
