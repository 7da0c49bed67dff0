package fault

import (
	"time"

	"firedrill/apps/fault/kinds"
)

func restartLoopKind() processKind {
	return processKind{
		Kind: kinds.Kind{
			Name: "restart_loop",
			Doc: "Kills a component's process again and again (SIGKILL), as a crash loop does: the supervisor starts it, it serves for a " +
				"moment, it dies. Seen as failed requests in waves, a scrape that comes and goes, and restarts in `firedrill status`.",
			Params: []kinds.Param{{Name: "every", Type: kinds.Duration, Min: 1, Max: 600, Default: "4s",
				Doc: "Time from one kill to the next. Below two seconds the component hardly ever serves."}},
		},
		make: func(v kinds.Values) processFault { return restartLoop{every: v["every"].(time.Duration)} },
	}
}

// restartLoop repeats a kill.
type restartLoop struct {
	kill
	every time.Duration
}

func (l restartLoop) often() time.Duration { return l.every }
