package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// The cases, in the order of the table.
const (
	caseBare        = "bare"
	caseUsualAlways = "usual always"
	caseOursAlways  = "ours always"
	caseUsualTenth  = "usual 10 %"
	caseOursTenth   = "ours 10 %"
)

// Lost counts the spans and lines of a run that the sink did not receive.
type Lost struct {
	Spans int `json:"spans"`
	Lines int `json:"lines"`
}

// measures are the results of one case in one round, or their medians. Costs
// are per request.
type measures struct {
	// In process, at the plan's rate.
	CPU    float64 `json:"cpu_us"` // of the process, including export
	Allocs float64 `json:"allocs"`
	Bytes  float64 `json:"bytes"`
	Lost   Lost    `json:"lost"`
	// In process, on the request path only.
	PathAllocs float64 `json:"path_allocs"`
	PathBytes  float64 `json:"path_bytes"`
	// In process, as fast as possible.
	Wall     float64 `json:"full_speed_wall_us"`
	FullLost Lost    `json:"full_speed_lost"`
	// Over loopback, at the plan's rate.
	NetCPU  float64 `json:"loopback_cpu_us"`
	NetLost Lost    `json:"loopback_lost"`
	// Over loopback, as fast as the connections go.
	NetMax     float64 `json:"loopback_max_requests_per_second"`
	NetMaxLost Lost    `json:"loopback_max_lost"`
}

// results are the results of a plan.
type results struct {
	Machine machine               `json:"machine"`
	Plan    plan                  `json:"plan"`
	Rounds  map[string][]measures `json:"rounds"`
	Cases   map[string]measures   `json:"cases"` // medians, and sums of losses
	Ratios  map[string]ratio      `json:"ratios"`
	Targets []target              `json:"targets"`
}

// machine describes the machine and the versions.
type machine struct {
	CPU   string            `json:"cpu"`
	Cores int               `json:"cores"`
	Go    string            `json:"go"`
	Uses  map[string]string `json:"modules"`
}

// ratio is usual divided by ours, of the costs added to the bare application.
type ratio struct {
	CPU     float64 `json:"added_cpu"`
	Allocs  float64 `json:"added_allocs"`
	Path    float64 `json:"added_path_allocs"`
	Wall    float64 `json:"added_full_speed_wall"`
	NetCPU  float64 `json:"added_loopback_cpu"`
	NetMax  float64 `json:"loopback_max"` // ours divided by usual
	WithApp float64 `json:"loopback_cpu_with_application"`
}

// target is a promise of the library and its measured value.
type target struct {
	What string  `json:"what"`
	Got  float64 `json:"got"`
	Want float64 `json:"want"`
	Met  bool    `json:"met"`
}

func newResults(p plan) *results {
	return &results{Machine: thisMachine(), Plan: p, Rounds: map[string][]measures{}}
}

func (r *results) add(name string, m measures) { r.Rounds[name] = append(r.Rounds[name], m) }

// finish computes medians, ratios and targets from the rounds.
func (r *results) finish() {
	r.Cases = map[string]measures{}
	for name, rounds := range r.Rounds {
		r.Cases[name] = summary(rounds)
	}
	r.Ratios = map[string]ratio{
		"always": r.ratio(caseUsualAlways, caseOursAlways),
		"10 %":   r.ratio(caseUsualTenth, caseOursTenth),
	}
	r.setTargets()
}

func summary(rounds []measures) measures {
	var m measures
	for _, of := range []func(*measures) *float64{
		func(m *measures) *float64 { return &m.CPU }, func(m *measures) *float64 { return &m.Allocs },
		func(m *measures) *float64 { return &m.Bytes }, func(m *measures) *float64 { return &m.PathAllocs },
		func(m *measures) *float64 { return &m.PathBytes }, func(m *measures) *float64 { return &m.Wall },
		func(m *measures) *float64 { return &m.NetCPU }, func(m *measures) *float64 { return &m.NetMax },
	} {
		var all []float64
		for i := range rounds {
			all = append(all, *of(&rounds[i]))
		}
		*of(&m) = median(all)
	}
	for i := range rounds {
		m.Lost.add(rounds[i].Lost)
		m.FullLost.add(rounds[i].FullLost)
		m.NetLost.add(rounds[i].NetLost)
		m.NetMaxLost.add(rounds[i].NetMaxLost)
	}
	return m
}

func (l *Lost) add(more Lost) {
	l.Spans += more.Spans
	l.Lines += more.Lines
}

func median(all []float64) float64 {
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}

func (r *results) ratio(usualName, oursName string) ratio {
	bare, usual, ours := r.Cases[caseBare], r.Cases[usualName], r.Cases[oursName]
	added := func(of func(measures) float64) float64 {
		return (of(usual) - of(bare)) / (of(ours) - of(bare))
	}
	return ratio{
		CPU:     added(func(m measures) float64 { return m.CPU }),
		Allocs:  added(func(m measures) float64 { return m.Allocs }),
		Path:    added(func(m measures) float64 { return m.PathAllocs }),
		Wall:    added(func(m measures) float64 { return m.Wall }),
		NetCPU:  added(func(m measures) float64 { return m.NetCPU }),
		NetMax:  ours.NetMax / usual.NetMax,
		WithApp: usual.NetCPU / ours.NetCPU,
	}
}

func (r *results) setTargets() {
	bare, always, tenth := r.Cases[caseBare], r.Cases[caseOursAlways], r.Cases[caseOursTenth]
	least := func(what string, got, want float64) {
		r.Targets = append(r.Targets, target{what, got, want, got >= want})
	}
	most := func(what string, got, want float64) {
		r.Targets = append(r.Targets, target{what, got, want, got <= want})
	}
	least("times less CPU added in process, always", r.Ratios["always"].CPU, 8)
	least("times less CPU added in process, 10 %", r.Ratios["10 %"].CPU, 10)
	most("allocations on a request's path, always", always.PathAllocs-bare.PathAllocs, 10)
	most("allocations on a request's path, 10 %", tenth.PathAllocs-bare.PathAllocs, 5)
	lost := 0
	for _, l := range []Lost{always.Lost, always.NetLost, tenth.Lost, tenth.NetLost} {
		lost += max(l.Spans, 0) + max(l.Lines, 0)
	}
	most(fmt.Sprintf("spans and lines lost at %d/s", r.Plan.Rate), float64(lost), 0)
}

func (r *results) met() bool {
	return !slices.ContainsFunc(r.Targets, func(t target) bool { return !t.Met })
}

func (r *results) writeJSON(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write results to %s: %w", file, err)
	}
	return nil
}

func thisMachine() machine {
	m := machine{CPU: "unknown", Cores: runtime.GOMAXPROCS(0), Go: runtime.Version(), Uses: map[string]string{}}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return m
	}
	for _, dep := range info.Deps {
		for _, part := range []string{"fiber", "fasthttp", "loki-client-go", "otel/sdk"} {
			if strings.Contains(dep.Path, part) {
				m.Uses[dep.Path] = dep.Version
			}
		}
	}
	return m
}
