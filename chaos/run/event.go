package run

import (
	"time"

	"firedrill/chaos/drill"
)

// EventKind is what an event is about.
type EventKind string

// The kinds of events.
const (
	EventPhase        EventKind = "phase"
	EventLoad         EventKind = "load"
	EventFault        EventKind = "fault"
	EventAlert        EventKind = "alert"
	EventNotification EventKind = "notification"
	EventProbe        EventKind = "probe"
	EventSeen         EventKind = "seen" // an expectation of traces, logs or metrics
	EventProblem      EventKind = "problem"
	EventVerdict      EventKind = "verdict"
)

// EventState is the new state of the subject of an event. The possible states depend on the
// kind.
type EventState string

// The states.
const (
	// States of phases, load and faults.
	StateBegan EventState = "began"
	StateEnded EventState = "ended" // not for phases

	// States of alerts.
	StatePending  EventState = "pending"
	StateFiring   EventState = "firing"
	StateResolved EventState = "resolved"
	StateCalm     EventState = "calm"      // it was pending, but never fired
	StateOfBefore EventState = "of before" // it fires for something before the drill

	// States of notifications.
	StateTold         EventState = "told"
	StateToldResolved EventState = "told resolved"

	// States of probes.
	StateHolds      EventState = "holds" // again
	StateBroken     EventState = "broken"
	StateUnanswered EventState = "unanswered"

	// States of problems: what has the problem. A run that stops early has its verdict as
	// state.
	StateFault      EventState = "fault"
	StateLoad       EventState = "load"
	StateMachine    EventState = "machine"
	StateBlind      EventState = "blind"
	StatePrediction EventState = "prediction"

	// The state of a signal that was seen is the Signal, and the state of a verdict is the
	// Verdict.
)

// Event is something that happened in a run.
type Event struct {
	At    time.Time  `json:"at"`
	Kind  EventKind  `json:"kind"`
	State EventState `json:"state"`
	Text  string     `json:"text"` // one line, without the time
	// The fault or alert that the event is about; nil for other kinds.
	Fault *drill.Fault      `json:"-"`
	Alert map[string]string `json:"-"`
}
