package stack

import (
	"fmt"
	"strings"

	"firedrill/deploy/config"
	"firedrill/internal/topology"
)

// target is one process of a Loki or Tempo that runs as several. Its ports are base (HTTP), base+1 (gRPC) and
// base+2 (gossip).
type target struct {
	program string
	name    string // value of the program's flag -target
	base    int
	after   []string // targets of the same program that start before this one
}

func (t target) component() string { return t.program + "-" + t.name }

// targets returns all targets of both programs: of each, those on the write path first, then those on the read
// path.
func targets() []target {
	return []target{
		{"loki", "distributor", 3110, []string{"ingester"}},
		{"loki", "ingester", 3120, nil},
		{"loki", "query-frontend", 3130, []string{"querier"}},
		{"loki", "querier", 3140, []string{"ingester"}},
		{"loki", "compactor", 3150, nil},
		{"tempo", "distributor", 3210, []string{"ingester", "metrics-generator"}},
		{"tempo", "ingester", 3220, nil},
		{"tempo", "metrics-generator", 3230, nil},
		{"tempo", "query-frontend", 3240, []string{"querier"}},
		{"tempo", "querier", 3250, []string{"ingester"}},
		{"tempo", "compactor", 3260, nil},
	}
}

// distributed replaces the components loki and tempo by their targets, behind the same ports. An entry process
// for each forwards writes and queries. The distributor of Tempo receives spans itself.
func (s Settings) distributed(p programs, all []Component) []Component {
	var out []Component
	for _, c := range all {
		if c.Name != "loki" && c.Name != "tempo" {
			out = append(out, c)
			continue
		}
		out = append(out, s.entry(p, c))
		for _, t := range targets() {
			if t.program == c.Name {
				out = append(out, s.targetComponent(p, t))
			}
		}
	}
	return out
}

// entry returns the component that listens on the port that c uses as a single process.
func (s Settings) entry(p programs, c Component) Component {
	url := map[string]string{}
	for _, t := range targets() {
		if t.program == c.Name {
			url[t.name] = s.url(t.base)
			c.After = append(c.After, t.component())
		}
	}
	c.Ports = c.Ports[:1]
	c.Command = []string{
		p.firedrill, "entry", "--addr", strings.TrimPrefix(c.URL, "http://"),
		"--write", url["distributor"], "--read", url["query-frontend"],
	}
	return c
}

func (s Settings) targetComponent(p programs, t target) Component {
	c := s.program(t.component(), t.base, "/ready", t.base+1, t.base+2)
	c.Command = []string{p.tools[t.program], "-target=" + t.name, "-config.file=" + s.setting(t.component())}
	for _, name := range t.after {
		c.After = append(c.After, t.program+"-"+name)
	}
	switch t.component() {
	case "tempo-distributor":
		c.Ports = append(c.Ports, s.port(topology.PortOTLPGRPC), s.port(topology.PortOTLPHTTP))
	case "tempo-metrics-generator":
		c.After = append(c.After, "prometheus")
	}
	return c
}

// writeTargets writes the configuration of each target: the one of the single process, and what a member of
// several needs.
func (s Settings) writeTargets() error {
	for _, t := range targets() {
		if err := config.WriteOne(s.setting(t.component()), t.program+".yaml", s.targetValues(t)); err != nil {
			return fmt.Errorf("settings of %q: %w", t.component(), err)
		}
	}
	return nil
}

func (s Settings) targetValues(t target) config.Values {
	v := s.values()
	at := func(base int) config.Endpoint {
		return config.Endpoint{Listen: loopback, Host: loopback, Port: s.port(base)}
	}
	v.Member = &config.Member{Name: t.name, Gossip: at(t.base + 2)}
	for _, other := range targets() {
		if other.program != t.program {
			continue
		}
		switch other.name {
		case "ingester":
			v.Member.Join = append(v.Member.Join, s.addr(other.base+2))
		case "query-frontend":
			v.Member.Frontend = s.addr(other.base + 1)
		case "compactor":
			v.Member.Compactor = s.addr(other.base + 1)
		}
	}
	switch t.program {
	case "loki":
		v.Loki, v.LokiGRPC = at(t.base), at(t.base+1)
	case "tempo":
		v.Tempo, v.TempoGRPC = at(t.base), at(t.base+1)
	}
	return v
}

// scrapeTargets replaces the addresses of the jobs loki and tempo by those of their targets.
func (s Settings) scrapeTargets(jobs []config.Target) []config.Target {
	for i, job := range jobs {
		var addrs []string
		for _, t := range targets() {
			if t.program == job.Job {
				addrs = append(addrs, s.addr(t.base))
			}
		}
		if len(addrs) > 0 {
			jobs[i].Addr, jobs[i].Others = addrs[0], addrs[1:]
		}
	}
	return jobs
}
