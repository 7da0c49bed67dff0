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
	// Folder is what the copy keeps of its drills.
	Folder Folder
	// Places are the base URLs of programs and services by name: what ${NAME} in a
	// drill means.
	Places map[string]string
	// Faults says what of the copy can be made worse. Its token and seed are the
	// session's to set.
	Faults fault.Config
	// Token returns what the services want to be shown before they show a fault.
	Token func() (string, error)
	// Processes lists the copy's processes on this machine, whose waits for a
	// processor are measured; there may be none.
	Processes func() []int
	// Load returns the command that drives the load of a drill until it is
	// interrupted, and then writes its result to the file out. Its context does not
	// end before the command does.
	Load func(ctx context.Context, l LoadOrder) *exec.Cmd
	// Announce tells the copy's Prometheus to scrape an address, until the returned
	// function is called; nil: it cannot scrape this process.
	Announce func(addr string) (takeBack func(), err error)
}

// Check returns a *run.RefusedError if the faults of a drill cannot be done to the target.
func (t *Target) Check(d *drill.Drill) error {
	injector := fault.New(t.Faults)
	for _, f := range d.Faults {
		if err := injector.Check(f); err != nil {
			return &run.RefusedError{Drill: d.Name, Reasons: []string{"there it cannot be run: " + err.Error()}}
		}
	}
	return nil
}

// eyes returns what looks at the copy.
func (t *Target) eyes() (*observe.Eyes, error) {
	return observe.New(observe.Config{
		Prometheus: t.Places[placePrometheus], Loki: t.Places[placeLoki], Tempo: t.Places[placeTempo],
		Notifications: t.Places[placeNotifications], Places: t.Places,
	})
}

// Heal undoes every fault that is left on the copy, whoever began it, and returns what
// there was. Without a token no service is asked: it was never up.
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
