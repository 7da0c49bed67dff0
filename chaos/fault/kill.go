package fault

import (
	"context"
	"syscall"
	"time"

	"firedrill/apps/fault/kinds"
)

func killKind() processKind {
	return processKind{
		Kind: kinds.Kind{
			Name: "kill",
			Doc: "Kills a component's process once (SIGKILL), as the kernel does when memory runs out. The supervisor starts it again a " +
				"second later. Seen as failed requests of its callers, a gap in its metrics, and process_start_time_seconds that changes.",
		},
		make: func(kinds.Values) processFault { return kill{} },
	}
}

type kill struct{}

func (kill) hit(ctx context.Context, v *victim) error { return v.signal(ctx, syscall.SIGKILL) }

func (kill) often() time.Duration { return 0 }

func (kill) undo(context.Context, *victim) error { return nil } // the supervisor restarts it
