package fault

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/machine/machinetest"
)

// leak returns a fault that every service can show.
func leak(params map[string]any) drill.Fault {
	return drill.Fault{Kind: "goroutine_leak", Target: "orders", Params: params}
}

func (c *caller) kinds() string {
	var kinds []string
	for _, a := range c.set.Status().Active {
		kinds = append(kinds, a.Kind)
	}
	return strings.Join(kinds, " ")
}

func (c *caller) plan() plan { return plan{Admin: c.admin, Token: token, Upstream: "127.0.0.1:1"} }

func TestServiceFaultsShowAndEnd(t *testing.T) {
	c := newCaller(t)
	i, err := c.plan().injector().Begin(t.Context(), leak(map[string]any{"limit": 5}), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	first := c.set.Status().Active
	if len(first) != 1 || first[0].Kind != "goroutine_leak" || first[0].Told {
		t.Fatalf("the service shows %+v", first)
	}
	if err := i.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := c.set.Status().Active; len(now) != 1 || !now[0].Ends.After(first[0].Ends) {
		t.Errorf("after renewing the service shows %+v", now)
	}
	for range 2 {
		if err := i.End(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.kinds(); got != "" {
		t.Errorf("after the end the service shows %s", got)
	}
}

func TestServiceFaultsEndWhenTheRunnerIsKilled(t *testing.T) {
	c := newCaller(t)
	p := c.plan()
	p.Fault, p.Lease = leak(nil), shortLease
	runner := startRunner(t, p)
	if got := c.kinds(); got != "goroutine_leak" {
		t.Errorf("the service shows %q", got)
	}
	killNow(t, runner.Process.Pid)
	machinetest.Eventually(t, "the service shows nothing", func() bool { return c.kinds() == "" })
}

func TestServiceFaultsThatCannotBegin(t *testing.T) {
	c := newCaller(t)
	absent := c.plan()
	absent.Admin = "http://" + freeAddr(t)
	wrong := c.plan()
	wrong.Token = "wrong"
	off := c.plan()
	off.Admin = serve(t, http.NotFoundHandler())
	for _, tc := range []struct {
		name string
		plan plan
		want string
	}{
		{"no service", absent, "connection refused"},
		{"another token", wrong, "token"},
		{"faults are off", off, "off"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.plan.injector().Begin(t.Context(), leak(nil), time.Minute)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), `begin goroutine_leak in "orders"`) {
				t.Errorf("error %v, want one about %q", err, tc.want)
			}
		})
	}
	if got := c.kinds(); got != "" {
		t.Errorf("the service shows %s", got)
	}
}

// TestServiceFaultOutlivesItsService checks that a restarted service shows the fault again.
// While it is down it cannot show the fault, and there is nothing to end.
func TestServiceFaultOutlivesItsService(t *testing.T) {
	c := newCaller(t)
	injection, err := c.plan().injector().Begin(t.Context(), leak(nil), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c.set.EndAll() // like a new process, which has no faults
	if err := injection.Renew(t.Context()); err != nil || c.kinds() != "goroutine_leak" {
		t.Errorf("renewed, the service shows %q, %v", c.kinds(), err)
	}
	away := injection.(*shown)
	s := services{admins: map[string]string{"orders": "http://" + freeAddr(t)}, token: token}
	away.client = s.client("orders")
	if err := away.Renew(t.Context()); err != nil {
		t.Errorf("renewing while the service is away: %v", err)
	}
	if err := away.End(t.Context()); err != nil {
		t.Errorf("ending while the service is away: %v", err)
	}
}

func TestHealServices(t *testing.T) {
	c := newCaller(t)
	if _, err := c.plan().injector().Begin(t.Context(), leak(nil), time.Minute); err != nil {
		t.Fatal(err)
	}
	healed, err := HealServices(t.Context(), map[string]string{
		"orders": c.admin, "payments": "http://" + freeAddr(t), "bank": serve(t, http.NotFoundHandler()),
	}, token)
	if err != nil || strings.Join(healed, ", ") != "goroutine_leak in orders" || c.kinds() != "" {
		t.Errorf("healed %v, %v; the service shows %q", healed, err, c.kinds())
	}
	if _, err := HealServices(t.Context(), map[string]string{"orders": c.admin}, "wrong"); err == nil {
		t.Error("with the wrong token nothing went wrong")
	}
}
