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

// EventState is what has happened to what an event is about. Which states there are
// depends on the kind.
type EventState string

// The states.
const (
	// Of phases, load and faults.
	StateBegan EventState = "began"
	StateEnded EventState = "ended" // not of phases

	// Of alerts.
	StatePending  EventState = "pending"
	StateFiring   EventState = "firing"
	StateResolved EventState = "resolved"
	StateCalm     EventState = "calm"      // it was pending and never fired
	StateOfBefore EventState = "of before" // it fires for what was before the drill

	// Of notifications.
	StateTold         EventState = "told"
	StateToldResolved EventState = "told resolved"

	// Of probes.
	StateHolds      EventState = "holds" // again
	StateBroken     EventState = "broken"
	StateUnanswered EventState = "unanswered"

	// Of problems: what has one. A run that stops early has its verdict as state.
	StateFault      EventState = "fault"
	StateLoad       EventState = "load"
	StateMachine    EventState = "machine"
	StateBlind      EventState = "blind"
	StatePrediction EventState = "prediction"

	// A signal that was seen has the Signal as state, a verdict the Verdict.
)

// Event is something that happened, for people and for timelines.
type Event struct {
	At    time.Time  `json:"at"`
	Kind  EventKind  `json:"kind"`
	State EventState `json:"state"`
	Text  string     `json:"text"` // a line without the time
	// What it is about, for faults and alerts.
	Fault *drill.Fault      `json:"-"`
	Alert map[string]string `json:"-"`
}
