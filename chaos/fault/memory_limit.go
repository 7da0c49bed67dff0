package fault

import (
	"context"
	"time"

	"firedrill/apps/fault/kinds"
)

func memoryLimitKind() processKind {
	return processKind{
		Kind: kinds.Kind{
			Name: "memory_limit",
			Doc: "Lets a component's process take only so much more memory than it has now; what it wants beyond ends it (\"out of memory\"), " +
				"and the supervisor starts it again, limited as well. It shows nothing by itself: drive load, or add memory_leak. Linux only: the limit " +
				"is RLIMIT_DATA, which counts heap and stacks, and not the address space that Go only reserves. A last piece of the heap may pass it.",
			Params: []kinds.Param{{Name: "headroom", Type: kinds.Number, Unit: "bytes", Min: 0, Max: 1 << 40, Default: float64(64 << 20),
				Doc: "How much more it may take."}},
		},
		make: func(v kinds.Values) processFault { return &memoryLimit{headroom: uint64(v["headroom"].(float64))} },
	}
}

// memoryLimit limits the first process and its successors to the same number of bytes.
type memoryLimit struct{ headroom, most uint64 }

// often returns the interval of checks for a new process, which must be limited too.
func (*memoryLimit) often() time.Duration { return 250 * time.Millisecond }

func (m *memoryLimit) hit(ctx context.Context, v *victim) error {
	now, err := v.process(ctx)
	if err != nil || now.IsZero() || now == v.note.Held {
		return err // none, or limited already
	}
	used, before, err := dataOf(now.PID)
	if err != nil {
		return err
	}
	v.note.Held = now
	if v.note.Limit == nil {
		v.note.Limit, m.most = &before, used+m.headroom
	}
	if err := v.keep(v.note); err != nil {
		return err
	}
	return limitData(now, m.most)
}

func (*memoryLimit) undo(_ context.Context, v *victim) error {
	if v.note.Limit == nil {
		return nil
	}
	return limitData(v.note.Held, *v.note.Limit)
}
