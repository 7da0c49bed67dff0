package fault

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"syscall"
	"time"

	"firedrill/apps/fault/client"
	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
	"firedrill/chaos/run"
)

// services is the family of faults that services show themselves.
type services struct {
	admins map[string]string // URLs of admin listeners by service
	token  string
	seed   uint64
}

// client returns a client of one service. The timeout bounds one request, because faults
// may slow the service down.
func (s *services) client(service string) *client.Client {
	return client.New(service, s.admins[service], s.token, &http.Client{Timeout: 5 * time.Second})
}

func (s *services) check(f drill.Fault) error {
	kind, err := kinds.Of(f.Kind)
	if err != nil {
		return err
	}
	able := slices.DeleteFunc(slices.Collect(maps.Keys(s.admins)), func(name string) bool { return !kind.ShownBy(name) })
	if err := oneOf(f, able); err != nil {
		return err
	}
	return kind.Check(f.Params)
}

func (s *services) begin(ctx context.Context, f drill.Fault, lease time.Duration) (run.Injection, error) {
	i := &shown{client: s.client(f.Target), fault: f, id: f.Kind + "-" + rand.Text()[:8], seed: s.seed, lease: lease}
	if err := i.show(ctx); err != nil {
		// The fault may have begun even though the answer was lost.
		return nil, errors.Join(fmt.Errorf("begin %s in %q: %w", f.Kind, f.Target, err), i.End(context.WithoutCancel(ctx)))
	}
	return i, nil
}

// shown is a fault that a service shows.
type shown struct {
	client *client.Client
	fault  drill.Fault
	id     string
	seed   uint64
	lease  time.Duration
}

func (i *shown) show(ctx context.Context) error {
	return i.client.Begin(ctx, i.id, client.Spec{Kind: i.fault.Kind, Params: i.fault.Params, Seed: i.seed}, i.lease)
}

// Renew implements run.Injection. A restarted service has lost the fault, so Renew begins
// the fault again.
func (i *shown) Renew(ctx context.Context) error {
	if err := ignoreAbsent(i.show(ctx)); err != nil {
		return fmt.Errorf("renew %s in %q: %w", i.fault.Kind, i.fault.Target, err)
	}
	return nil
}

// End implements run.Injection.
func (i *shown) End(ctx context.Context) error {
	if err := ignoreAbsent(i.client.End(ctx, i.id)); err != nil {
		return fmt.Errorf("end %s in %q: %w", i.fault.Kind, i.fault.Target, err)
	}
	return nil
}

// HealServices ends every fault that services show, whoever began it. It returns each as
// "kind in service". A service that does not run shows no faults.
func HealServices(ctx context.Context, admins map[string]string, token string) (healed []string, err error) {
	s := &services{admins: admins, token: token}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(admins)) {
		c := s.client(name)
		shows, err := c.Status(ctx)
		if err == nil && len(shows.Active) > 0 {
			err = c.EndAll(ctx)
		}
		// A service that does not allow faults shows none.
		if err := ignoreAbsent(err); err != nil && !errors.Is(err, client.ErrOff) {
			errs = append(errs, fmt.Errorf("end the faults of %q: %w", name, err))
			continue
		}
		for _, f := range shows.Active {
			healed = append(healed, f.Kind+" in "+cmp.Or(shows.Service, name))
		}
	}
	return healed, errors.Join(errs...)
}

// ignoreAbsent returns nil for the error of a service that does not run, because such a
// service shows no fault.
func ignoreAbsent(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return err
}
