package fault

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"firedrill/apps/fault/kinds"
)

func hangKind() processKind {
	return processKind{
		Kind: kinds.Kind{
			Name: "hang",
			Doc: "Stops a component's process where it is (SIGSTOP) and lets it go on afterwards (SIGCONT), as a deadlock, a stuck disk or a " +
				"long collection does. The kernel still accepts its connections, so callers wait until their time-outs instead of " +
				"being refused. Seen as time-outs, queues that grow, and scrapes that fail.",
		},
		make: func(kinds.Values) processFault { return hang{} },
	}
}

type hang struct{}

func (hang) hit(ctx context.Context, v *victim) error {
	p, err := v.process(ctx)
	if err != nil {
		return err
	}
	if p.IsZero() {
		return fmt.Errorf("hold %q still: it has no process at the moment", v.note.Target)
	}
	v.note.Held = p
	if err := v.keep(v.note); err != nil {
		return err
	}
	return v.send(p, syscall.SIGSTOP)
}

func (hang) often() time.Duration { return 0 }

func (hang) undo(_ context.Context, v *victim) error {
	if v.note.Held.IsZero() {
		return nil // it was never held
	}
	return v.send(v.note.Held, syscall.SIGCONT)
}
