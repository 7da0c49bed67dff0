package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/apps/fault/client"
	"firedrill/console"
	"firedrill/deploy/stack"
	"firedrill/internal/cli"
	"firedrill/internal/topology"
)

func (p program) consoleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Serve a page on which the stack can be looked at",
		Long: `Serves a page with a map of the services, traces, logs, metrics, objectives and alerts. "make up" starts it. With URLs it
shows any other stack; what has no URL is left out.`,
		Example: `  firedrill console
  firedrill console --addr 127.0.0.1:9000 --prometheus https://prom.example --tempo https://tempo.example`,
		Args: cli.Args(),
	}
	f := cmd.Flags()
	c := consoleFlags{which: addStackFlags(f)}
	f.StringVar(&c.addr, "addr", "", fmt.Sprintf("`address` to listen on (default 127.0.0.1:%d, the offset added)", topology.PortConsole))
	f.StringVar(&c.cfg.Prometheus, "prometheus", "", "`URL` of Prometheus")
	f.StringVar(&c.cfg.Loki, "loki", "", "`URL` of Loki")
	f.StringVar(&c.cfg.Tempo, "tempo", "", "`URL` of Tempo")
	f.StringVar(&c.cfg.Alertmanager, "alertmanager", "", "`URL` of Alertmanager")
	f.StringVar(&c.cfg.Grafana, "grafana", "", "`URL` of a Grafana with the dashboards")
	f.StringSliceVar(&c.cfg.Hosts, "host", nil, "further `name` under which the page may be opened; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), p) }
	return cmd
}

// consoleFlags are the flags of console.
type consoleFlags struct {
	which *stackFlags
	addr  string
	cfg   console.Config
}

func (c *consoleFlags) run(ctx context.Context, p program) error {
	others := c.cfg.Prometheus != "" || c.cfg.Loki != "" || c.cfg.Tempo != "" || c.cfg.Alertmanager != ""
	offset := 0
	if !others {
		local, err := c.which.stack(p)
		if err != nil {
			return err
		}
		offset = local.Offset
		c.local(local)
	}
	if c.addr == "" {
		c.addr = fmt.Sprintf("127.0.0.1:%d", topology.PortConsole+offset)
	}
	server, err := console.New(ctx, c.cfg)
	if err != nil {
		return cli.Misuse("%w", err)
	}
	fmt.Fprintf(p.stdout, "The console is at http://%s\n", c.addr)
	return serve(ctx, c.addr, server)
}

// local fills in what is known about a copy of this machine.
func (c *consoleFlags) local(s stack.Stack) {
	at := func(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port+s.Offset) }
	c.cfg.Prometheus, c.cfg.Loki, c.cfg.Tempo = at(topology.PortPrometheus), at(topology.PortLoki), at(topology.PortTempo)
	c.cfg.Alertmanager = at(topology.PortAlertmanager)
	c.cfg.Graph = shopGraph()
	c.cfg.Scale = slo.Workshop().Scale
	c.cfg.Faults = &shopFaults{secret: func() (string, error) { return s.Secret(stack.FaultsToken) }, offset: s.Offset}
	c.cfg.Objectives = shopObjectives{root: s.Root}
	c.cfg.Runbooks = os.DirFS(filepath.Join(s.Root, "docs", "runbooks"))
}

// shopGraph returns the services of the shop and who calls whom.
func shopGraph() console.Graph {
	var g console.Graph
	for _, s := range topology.Services() {
		if s.Name == topology.Broker {
			continue // messages are drawn as edges
		}
		g.Services = append(g.Services, s.Name)
		for _, called := range s.Calls {
			g.Calls = append(g.Calls, [2]string{s.Name, called})
		}
	}
	return g
}

// shopFaults asks the services of the shop which faults they show. It implements console.Faults.
type shopFaults struct {
	secret func() (string, error)
	offset int
}

// InForce implements console.Faults. A service that does not answer has no faults that anybody could know of; if no
// service answers, that is an error.
func (f *shopFaults) InForce(ctx context.Context) ([]console.Fault, error) {
	token, err := f.secret()
	if err != nil {
		return nil, err
	}
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var (
		all      sync.WaitGroup
		mu       sync.Mutex
		found    = []console.Fault{}
		errs     []error
		answered bool
	)
	for _, s := range topology.Services() {
		all.Go(func() {
			admin := fmt.Sprintf("http://127.0.0.1:%d", s.Admin+f.offset)
			status, err := client.New(s.Name, admin, token, http.DefaultClient).Status(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			answered = true
			for _, a := range status.Active {
				found = append(found, console.Fault{Service: s.Name, Kind: a.Kind, Params: a.Params, Ends: a.Ends})
			}
		})
	}
	all.Wait()
	slices.SortFunc(found, func(a, b console.Fault) int { return a.Ends.Compare(b.Ends) })
	if !answered {
		return nil, errors.Join(errs...)
	}
	return found, nil
}

// shopObjectives explains the objectives of the shop. It implements console.Objectives.
type shopObjectives struct{ root string }

// Explain implements console.Objectives.
func (o shopObjectives) Explain(context.Context) (any, error) {
	specs, err := loadSpecs(o.root, nil)
	if err != nil {
		return nil, err
	}
	all := []rules.Explanation{}
	for _, spec := range specs {
		for _, s := range spec.SLOs {
			e, err := rules.Explain(s, rules.Options{Policy: slo.Default(), Clock: slo.Workshop()})
			if err != nil {
				return nil, err
			}
			all = append(all, e)
		}
	}
	return all, nil
}
