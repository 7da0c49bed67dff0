package fault

import (
	"context"
	"fmt"
	"time"

	"firedrill/apps/fault/kinds"
)

func stopKind() processKind {
	return processKind{
		Kind: kinds.Kind{
			Name: "stop",
			Doc: "Stops a component in an orderly way (SIGTERM) and keeps it down: a service scaled to nothing, or a backend of telemetry " +
				"that is away. Seen as refused connections, and as the silence of what it would have told.",
		},
		make: func(kinds.Values) processFault { return stop{} },
	}
}

type stop struct{}

func (stop) hit(ctx context.Context, v *victim) error {
	if err := v.Stop(ctx, v.note.Target); err != nil {
		return fmt.Errorf("stop %q: %w", v.note.Target, err)
	}
	return nil
}

func (stop) often() time.Duration { return 0 }

func (stop) undo(context.Context, *victim) error { return nil } // the caller starts the component
