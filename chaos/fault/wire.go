package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
	"firedrill/chaos/run"
)

// wires is the family of faults on the connections between callers and their dependencies.
type wires struct {
	addresses map[string]map[string]string // by caller, then by dependency
	services  *services

	mu   sync.Mutex
	open map[string]*wire // by target
}

// wire is one connection from a caller to a dependency that has faults. It has one proxy
// for any number of faults.
type wire struct {
	proxy   *toxiproxy.Proxy
	reroute run.Injection // nil until the first fault is on
	faults  int
}

// wireFault is one fault on one proxy.
type wireFault interface {
	on(p *toxiproxy.Proxy) error
	// off removes the fault. It is not called for the last fault of a proxy, because the
	// proxy is stopped instead.
	off(ctx context.Context, p *toxiproxy.Proxy) error
}

// wireKind is a kind of fault on the wire.
type wireKind struct {
	kinds.Kind
	make func(kinds.Values) (wireFault, error)
}

func newWires(addresses map[string]map[string]string, s *services) wires {
	return wires{addresses: addresses, services: s, open: map[string]*wire{}}
}

func (w *wires) check(f drill.Fault) error {
	var targets []string
	for caller, dependencies := range w.addresses {
		for dependency := range maps.Keys(dependencies) {
			targets = append(targets, caller+" -> "+dependency)
		}
	}
	if err := oneOf(f, targets); err != nil {
		return err
	}
	_, err := newWireFault(f)
	return err
}

func newWireFault(f drill.Fault) (wireFault, error) {
	kinds := wireKinds()
	i := slices.IndexFunc(kinds, func(k wireKind) bool { return k.Name == f.Kind })
	if i < 0 {
		return nil, fmt.Errorf("no fault on the wire is called %q", f.Kind)
	}
	v, err := kinds[i].Values(f.Params)
	if err != nil {
		return nil, fmt.Errorf("kind %q: %w", f.Kind, err)
	}
	made, err := kinds[i].make(v)
	if err != nil {
		return nil, fmt.Errorf("kind %q: %w", f.Kind, err)
	}
	return made, nil
}

func (w *wires) begin(ctx context.Context, f drill.Fault, lease time.Duration) (run.Injection, error) {
	made, err := newWireFault(f)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	line, err := w.line(f.Target)
	if err == nil {
		err = made.on(line.proxy)
	}
	if err == nil {
		line.faults++
		i := &wired{wires: w, fault: f, line: line, made: made}
		if line.reroute != nil {
			return i, nil
		}
		if line.reroute, err = w.reroute(ctx, f.Target, line.proxy, lease); err == nil {
			return i, nil
		}
		line.faults--
	}
	w.closeUnused(f.Target)
	return nil, fmt.Errorf("begin %s on %q: %w", f.Kind, f.Target, err)
}

// line returns the wire of a target, with its proxy running.
func (w *wires) line(target string) (*wire, error) {
	if line := w.open[target]; line != nil {
		return line, nil
	}
	caller, dependency, _ := strings.Cut(target, " -> ")
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	line := &wire{proxy: toxiproxy.NewProxy(server, target, "127.0.0.1:0", w.addresses[caller][dependency])}
	if err := line.proxy.Start(); err != nil {
		return nil, fmt.Errorf("start the proxy: %w", err)
	}
	w.open[target] = line
	return line, nil
}

// reroute makes the caller dial the proxy.
func (w *wires) reroute(ctx context.Context, target string, p *toxiproxy.Proxy, lease time.Duration) (run.Injection, error) {
	caller, _, _ := strings.Cut(target, " -> ")
	return w.services.begin(ctx, drill.Fault{
		Kind: "reroute", Target: caller, Params: map[string]any{"from": p.Upstream, "to": p.Listen},
	}, lease)
}

// closeUnused stops the target's proxy if no fault needs it any more.
func (w *wires) closeUnused(target string) {
	if line := w.open[target]; line != nil && line.faults == 0 {
		line.proxy.Stop()
		delete(w.open, target)
	}
}

// wired is an active fault on a wire.
type wired struct {
	wires *wires
	fault drill.Fault
	line  *wire
	made  wireFault
	over  bool
}

// Renew implements run.Injection. It renews the lease of the caller's detour to the proxy.
func (i *wired) Renew(ctx context.Context) error {
	if err := i.line.reroute.Renew(ctx); err != nil {
		return fmt.Errorf("renew %s on %q: %w", i.fault.Kind, i.fault.Target, err)
	}
	return nil
}

// End implements run.Injection. Ending the last fault of a wire ends the caller's detour
// and closes the connections through the proxy.
func (i *wired) End(ctx context.Context) error {
	i.wires.mu.Lock()
	defer i.wires.mu.Unlock()
	if i.over {
		return nil
	}
	var err error
	if i.line.faults > 1 {
		err = i.made.off(ctx, i.line.proxy)
	} else {
		err = i.line.reroute.End(ctx)
	}
	if err != nil {
		return fmt.Errorf("end %s on %q: %w", i.fault.Kind, i.fault.Target, err)
	}
	i.over = true
	i.line.faults--
	i.wires.closeUnused(i.fault.Target)
	return nil
}

// toxic is a toxic in the format of toxiproxy's API.
type toxic struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Stream     string         `json:"stream"`
	Toxicity   float64        `json:"toxicity"`
	Attributes map[string]any `json:"attributes"`
}

// newToxic returns a toxic of a type with its attributes and the parameters that all kinds
// share.
func newToxic(typ string, v kinds.Values, attributes map[string]any) *toxic {
	return &toxic{Type: typ, Stream: v["stream"].(string), Toxicity: v["toxicity"].(float64), Attributes: attributes}
}

// toxicParams returns a kind's own parameters followed by those that all toxics share.
func toxicParams(own ...kinds.Param) []kinds.Param {
	return append(own,
		kinds.Param{Name: "stream", Type: kinds.String, OneOf: []any{"downstream", "upstream"}, Default: "downstream",
			Doc: "What it is done to: the dependency's answers (downstream) or the caller's requests (upstream)."},
		kinds.Param{Name: "toxicity", Type: kinds.Number, Min: 0, Max: 1, Default: 1.0,
			Doc: "Share of the connections that have it, drawn when a connection opens. It is no share of requests: callers keep " +
				"connections open, so that all requests over one are alike."},
	)
}

func (t *toxic) on(p *toxiproxy.Proxy) error {
	for n := 1; t.Name == "" || p.Toxics.GetToxic(t.Name) != nil; n++ {
		t.Name = fmt.Sprintf("%s-%d", t.Type, n)
	}
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = p.Toxics.AddToxicJson(bytes.NewReader(text))
	return err
}

func (t *toxic) off(ctx context.Context, p *toxiproxy.Proxy) error {
	if err := p.Toxics.RemoveToxic(ctx, t.Name); err != nil && !errors.Is(err, toxiproxy.ErrToxicNotFound) {
		return err
	}
	return nil
}

// ms returns a duration in whole milliseconds, the unit of toxiproxy.
func ms(v kinds.Values, name string) int64 { return v[name].(time.Duration).Milliseconds() }
