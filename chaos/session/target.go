package session

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"firedrill/chaos/drill"
	"firedrill/chaos/fault"
	"firedrill/chaos/observe"
	"firedrill/chaos/run"
)

// Names of programs in Target.Places.
const (
	placePrometheus    = "prometheus"
	placeLoki          = "loki"
	placeTempo         = "tempo"
	placeNotifications = "notifications"
)

// Target is the copy that a drill runs on.
type Target struct {
	// Folder is the copy's folder for drills.
	Folder Folder
	// Places are the base URLs of programs and services by name. A drill uses them as
	// ${NAME}.
	Places map[string]string
	// Faults describes the targets of faults. The session sets its token and seed.
	Faults fault.Config
	// Token returns the token that the services require before they show a fault.
	Token func() (string, error)
	// Processes lists the copy's processes on this machine; there may be none. How long
	// they wait for a processor is measured.
	Processes func() []int
	// Load returns the command that sends the load of a drill until it is interrupted, and
	// then writes its result to the file LoadOrder.Out. Its context ends only after the
	// command.
	Load func(ctx context.Context, l LoadOrder) *exec.Cmd
	// Ephemeral means that the copy is removed after the drill, so that no link into it must be kept.
	Ephemeral bool
	// Quiet means that the copy runs without its background load.
	Quiet bool
	// Announce adds an address to the scrape targets of the copy's Prometheus, until the
	// returned function is called; nil: Prometheus cannot scrape this process.
	Announce func(addr string) (takeBack func(), err error)
}

// Check returns a *run.RefusedError if the target cannot have the faults of a drill.
func (t *Target) Check(d *drill.Drill) error {
	injector := fault.New(t.Faults)
	for _, f := range d.Faults {
		if err := injector.Check(f); err != nil {
			return &run.RefusedError{Drill: d.Name, Reasons: []string{"there it cannot be run: " + err.Error()}}
		}
	}
	return nil
}

// eyes returns the observer of the copy.
func (t *Target) eyes() (*observe.Eyes, error) {
	return observe.New(observe.Config{
		Prometheus: t.Places[placePrometheus], Loki: t.Places[placeLoki], Tempo: t.Places[placeTempo],
		Notifications: t.Places[placeNotifications], Places: t.Places,
	})
}

// Heal undoes every remaining fault on the copy, whoever began it, and returns a list of
// them. If there is no token, it asks no service, because the services have never been
// started.
func (t *Target) Heal(ctx context.Context, token string) ([]string, error) {
	healed, err := fault.HealProcesses(ctx, t.Faults.Notes, t.Faults.Processes)
	if token == "" {
		return healed, err
	}
	services, serviceErr := fault.HealServices(ctx, t.Faults.Admins, token)
	if err = errors.Join(err, serviceErr); err != nil {
		err = fmt.Errorf("undo the faults that are left: %w", err)
	}
	return append(healed, services...), err
}

// withoutLoad is why probes have no data in a copy without background load, if the drill brings no load either.
const withoutLoad = "nothing sends requests: the drill has no load, and this copy runs without its background load (LOAD=off)"

// explain adds to a refusal what the drill cannot know of the copy.
func (t *Target) explain(d *drill.Drill, err error) error {
	refused := (*run.RefusedError)(nil)
	if t.Quiet && d.Load.Profile == "" && errors.As(err, &refused) {
		return &run.RefusedError{Drill: refused.Drill, Reasons: append([]string{withoutLoad}, refused.Reasons...)}
	}
	return err
}
