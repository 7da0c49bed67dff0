package profile_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/loadgen/journey"
	"firedrill/loadgen/profile"
	"firedrill/loadgen/schedule"
)

const shop = "http://127.0.0.1:8000"

// valid is a profile that uses as many keys as possible.
const valid = `
name: everything
teaches: All keys.
target: http://127.0.0.1:8000/
seed: 7
stages:
  - name: start
    ramp: {from: 0, to: 60/m, for: 10s}
  - constant: {rate: 3600/h, for: 5s}
    arrivals: poisson
  - step: {from: 1/s, to: 3/s, steps: 3, for: 3s}
  - spike: {base: 1/s, peak: 5/s, at: 1s, rise: 1s, hold: 1s, fall: 1s, for: 5s}
  - sine: {mean: 2/s, amplitude: 1/s, period: 5s, for: forever}
data:
  user: {numbers: [1, 9], format: "user-%04d"}
  color: {choice: [red, green]}
scenarios:
  - name: read
    weight: 3
    request: GET /products/${color}
    headers: {X-Env: "${env.NAME}"}
    expect: {status: [200, 304], contains: hello, json: {a.b: 1}}
  - name: buy
    steps:
      - name: login
        request: POST /login
        body: '{"user": "${user}"}'
        take: {token: token}
      - name: order
        think: 250ms
        request: POST http://127.0.0.1:8001/orders
        headers: {Authorization: "Bearer ${token}", Idempotency-Key: "${uuid}"}
        expect: {ends: [402]}
      - name: wait
        request: GET /orders/${seq}/${run}
        poll: {every: 100ms, for: 2s, until: {status: done}, unless: {status: failed}}
thresholds: ["p99 < 1s"]
limits: {workers: 9, timeout: 3s, overrun: 2s, lag_p99: 20ms, rate_error: 0.02}
trace: {share: 0.5, url: "http://127.0.0.1:3200/{trace_id}"}
`

func env(name string) string { return map[string]string{"NAME": "value"}[name] }

func TestParse(t *testing.T) {
	p, err := profile.Parse("all.yaml", []byte(valid), profile.Options{Getenv: env})
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "everything" || p.Target != shop || p.Seed != 7 || p.Plan.Sampled != 0.5 || p.TraceURL != "http://127.0.0.1:3200/{trace_id}" {
		t.Errorf("profile %+v", p)
	}
	if want := (profile.Limits{Workers: 9, Timeout: 3 * time.Second, Overrun: 2 * time.Second, LagP99: 20 * time.Millisecond, RateError: 0.02}); p.Limits != want {
		t.Errorf("limits %+v, want %+v", p.Limits, want)
	}
	stages := []profile.Stage{
		{Name: "start", Shape: "ramp 0/s to 1/s"},
		{Name: "2", Shape: "constant 1/s, Poisson arrivals"},
		{Name: "3", Shape: "3 steps 1/s to 3/s"},
		{Name: "4", Shape: "spike 1/s to 5/s"},
		{Name: "5", Shape: "wave of 5s, 1/s to 3/s"},
	}
	if !slices.Equal(p.Stages, stages) {
		t.Errorf("stages %+v", p.Stages)
	}
	for stage, want := range []uint64{5, 5, 6} {
		if got := p.Schedule.Requests(stage); got != want {
			t.Errorf("stage %d has %d requests, want %d", stage, got, want)
		}
	}
	if p.Schedule.Total() != schedule.Endless {
		t.Errorf("total %d of a schedule without end", p.Schedule.Total())
	}
	if want := []profile.Threshold{{Expression: "p99 < 1s", Where: "all.yaml:37: thresholds[0]"}}; !slices.Equal(p.Thresholds, want) {
		t.Errorf("thresholds %+v", p.Thresholds)
	}
	if want := []profile.Host{{Name: "127.0.0.1", Where: "all.yaml:4: target"}}; !slices.Equal(p.Hosts, want) {
		t.Errorf("hosts %+v", p.Hosts)
	}
	buy := p.Plan.Scenarios[1]
	if buy.Kind != journey.Journey || buy.Weight != 1 || buy.Steps[1].Think != 250*time.Millisecond || buy.Steps[2].Poll.Every != 100*time.Millisecond {
		t.Errorf("journey %+v", buy)
	}
	if contentType := buy.Steps[0].Header[0].Name; contentType != "Content-Type" {
		t.Errorf("a JSON body has the header %q", contentType)
	}
}

func TestOptionsComeFirst(t *testing.T) {
	seed, share := uint64(3), 0.25
	p, err := profile.Parse("all.yaml", []byte(valid), profile.Options{
		Target: profile.Shop, Shop: "http://127.0.0.1:9000", Seed: &seed, Workers: 5, Timeout: time.Second, Share: &share, Getenv: env,
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.Target != "http://127.0.0.1:9000" || p.Seed != 3 || p.Plan.Seed != 3 || p.Limits.Workers != 5 || p.Limits.Timeout != time.Second || p.Plan.Sampled != 0.25 {
		t.Errorf("target %s, seed %d, limits %+v, share %v", p.Target, p.Seed, p.Limits, p.Plan.Sampled)
	}
}

// TestRefused changes one line of the valid profile in each case. The error must name the line, the key
// and what is wrong.
func TestRefused(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown key", "teaches: All", "teachs: All", "p.yaml:3: teachs: unknown key; did you mean teaches?"},
		{"unknown key inside", "for: 10s}", "for: 10s, shape: x}", "p.yaml:8: stages[0].ramp.shape: unknown key"},
		{"twice", "seed: 7", "name: x", "p.yaml:5: the key \"name\" is there twice, first on line 2"},
		{"no number", "seed: 7", "seed: seven", "p.yaml:5: seed: want a whole number, have text"},
		{"no list", "thresholds: [\"p99 < 1s\"]", "thresholds: 5", "p.yaml:37: thresholds: want a list, have a whole number"},
		{"syntax", "data:", "data: [", "p.yaml:17: "},
		{"impossible rate", "to: 60/m", "to: 6e9/s", `p.yaml:8: stages[0].ramp.to: "6e9/s" is an impossible rate: want 0/s to 1000000/s`},
		{"negative rate", "to: 60/m", "to: -1", `p.yaml:8: stages[0].ramp.to: "-1" is an impossible rate`},
		{"no rate", "to: 60/m", "to: fast", `p.yaml:8: stages[0].ramp.to: "fast" is no rate`},
		{"missing rate", "to: 60/m, ", "", "p.yaml:8: stages[0].ramp.to: is missing"},
		{"no length", "for: 10s", "for: soon", `p.yaml:8: stages[0].ramp.for: "soon" is no length of time`},
		{"length 0", "for: 10s", "for: 0s", `p.yaml:8: stages[0].ramp.for: "0s" is not longer than nothing`},
		{"two shapes", "arrivals: poisson", "ramp: {from: 1, to: 2, for: 1s}", "p.yaml:9: stages[1]: 2 shapes"},
		{"arrivals", "arrivals: poisson", "arrivals: random", `p.yaml:10: stages[1].arrivals: "random": want even or poisson`},
		{"steps", "steps: 3, for", "steps: 0, for", "p.yaml:11: stages[2].step.steps: 0 steps"},
		{"spike too long", "hold: 1s", "hold: 9s", "p.yaml:12: stages[3].spike.for: 5s is shorter than"},
		{"wave below nought", "amplitude: 1/s", "amplitude: 3/s", "p.yaml:13: stages[4].sine.amplitude: 3/s is above the mean of 2/s"},
		{"forever too early", "for: 5s}\n    arr", "for: forever}\n    arr", "p.yaml:9: stages[1]: only the last stage may last forever"},
		{"numbers", "numbers: [1, 9]", "numbers: [9, 1]", "p.yaml:15: data.user.numbers: [9 1]: want [from, to]"},
		{"format", `"user-%04d"`, `"user"`, `p.yaml:15: data.user.format: "user": want one number in it`},
		{"two sources", "choice: [red, green]", "choice: [red], lines: x", "p.yaml:16: data.color: data is one of numbers, choice and lines"},
		{"lines", "choice: [red, green]", "lines: nowhere.txt", "p.yaml:16: data.color.lines: nowhere.txt: no such file "},
		{"built in", "color: {choice: [red, green]}", "uuid: {choice: [red, green]}", "p.yaml:16: data.uuid: ${uuid} is there already"},
		{"empty scenario", "request: GET /products/${color}", "", "p.yaml:18: scenarios[0]: a scenario is either a request or steps"},
		{"name twice", "name: buy", "name: read", `p.yaml:23: scenarios[1].name: "read": want a name of its own`},
		{"weight", "weight: 3", "weight: -3", "p.yaml:19: scenarios[0].weight: -3: want 0 or more"},
		{"method", "GET /products", "FETCH /products", `p.yaml:20: scenarios[0].request: "FETCH /products/${color}": want a method and a path`},
		{"unknown variable", "${color}", "${colour}", "p.yaml:20: scenarios[0].request: nothing gives ${colour}"},
		{"taken later", `"user": "${user}"`, `"user": "${token}"`, "p.yaml:27: scenarios[1].steps[0].body: nothing gives ${token}"},
		{"environment", "${env.NAME}", "${env.OTHER}", `p.yaml:21: scenarios[0].headers.X-Env: "OTHER" is not set in the environment`},
		{"traceparent", "X-Env:", "traceparent:", "p.yaml:21: scenarios[0].headers.traceparent: every request carries a trace of its own"},
		{"status", "[200, 304]", "[20]", "p.yaml:22: scenarios[0].expect: 20 is no HTTP status"},
		{"thinks first", "request: POST /login", "think: 1s\n        request: POST /login", "p.yaml:26: scenarios[1].steps[0].think: the first step is due when the journey is"},
		{"takes data", "take: {token: token}", "take: {user: token}", "p.yaml:28: scenarios[1].steps[0].take.user: ${user} is data already"},
		{"poll without end", "until: {status: done}, ", "", "p.yaml:36: scenarios[1].steps[2].poll.until: is missing"},
		{"workers", "workers: 9", "workers: -1", "p.yaml:38: limits.workers: -1 workers"},
		{"rate error", "rate_error: 0.02", "rate_error: 2", "p.yaml:38: limits.rate_error: 2: want a share"},
		{"share", "share: 0.5", "share: 50", "p.yaml:39: trace.share: 50: want a share"},
		{"trace url", "{trace_id}", "", "p.yaml:39: trace.url: "},
		{"target", "target: http://127.0.0.1:8000/", "target: 127.0.0.1:8000", `p.yaml:4: target: "127.0.0.1:8000" is no URL to send to`},
		{"no target", "target: http://127.0.0.1:8000/", "", `p.yaml: target: is missing, and the request "GET /products/${color}" does not say where to`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Count(valid, tt.old) < 1 {
				t.Fatalf("%q does not stand in the valid profile", tt.old)
			}
			text := strings.Replace(valid, tt.old, tt.new, 1)
			_, err := profile.Parse("p.yaml", []byte(text), profile.Options{Getenv: env})
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q\nwant one line that begins with\n%q", err, tt.want)
			}
			var e *profile.Error
			if !errors.As(err, &e) {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}

func TestEmptyFiles(t *testing.T) {
	for name, want := range map[string]string{
		"":                      "p.yaml: stages: 0 stages: want 1 to 200",
		"stages: []":            "p.yaml:1: stages: 0 stages: want 1 to 200",
		"# nothing":             "p.yaml: stages: 0 stages: want 1 to 200",
		"---\na: 1\n---\nb: 2":  "p.yaml:3: 2 YAML documents: want one",
		"stages: ! ":            "p.yaml:1: this cannot be read as YAML",
		"name: a\n---\nname: b": "p.yaml:2: 2 YAML documents: want one",
		"stages: [{constant: {rate: 1, for: 1s}}]":                "p.yaml: scenarios: 0 scenarios: want 1 to 50",
		"stages: [{constant: {rate: 0, for: 1s}}]":                "p.yaml:1: stages: no request is ever due",
		"stages: [{constant: {rate: 1, for: 1s}}]\nscenarios: []": "p.yaml:2: scenarios: 0 scenarios: want 1 to 50",
	} {
		if _, err := profile.Parse("p.yaml", []byte(name), profile.Options{}); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
	if _, err := profile.Load(filepath.Join(t.TempDir(), "none.yaml"), profile.Options{}); err == nil || !strings.Contains(err.Error(), "none.yaml: no such file or directory") {
		t.Errorf("no file: %v", err)
	}
}

func TestLines(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "users.txt"), []byte("ann\n\n bob \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "target: http://h\nstages: [{constant: {rate: 1, for: 1s}}]\ndata: {user: {lines: users.txt}}\nscenarios: [{name: a, request: 'GET /${user}'}]"
	p, err := profile.Parse(filepath.Join(dir, "p.yaml"), []byte(text), profile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Plan.Data[0].(journey.Choice); !slices.Equal(got, journey.Choice{"ann", "bob"}) {
		t.Errorf("lines %q", got)
	}
}

func TestFingerprint(t *testing.T) {
	of := func(before, after string, o profile.Options) string {
		o.Getenv = env
		p, err := profile.Parse("p.yaml", []byte(strings.Replace(valid, before, after, 1)), o)
		if err != nil {
			t.Fatal(err)
		}
		return p.Fingerprint
	}
	seed := uint64(99)
	base := of("", "", profile.Options{})
	if got := of("name: everything", "name: other", profile.Options{Seed: &seed, Target: "http://other"}); got != base {
		t.Error("another name, seed and target made it another test")
	}
	if of("", "", profile.Options{Scale: 1}) != base {
		t.Error("rates times 1 made it another test")
	}
	if of("weight: 3", "weight: 4", profile.Options{}) == base || of("", "", profile.Options{Workers: 10}) == base ||
		of("", "", profile.Options{Scale: 0.5}) == base {
		t.Error("another weight, other workers or half the rates left it the same test")
	}
}

// TestSteady replaces the stages of every shipped profile by one endless stage.
func TestSteady(t *testing.T) {
	files, err := filepath.Glob("../profiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d profiles, %v", len(files), err)
	}
	for _, file := range files {
		p, err := profile.Load(file, profile.Options{Shop: "http://127.0.0.1:8000", Getenv: env, Steady: "17/s"})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		want := []profile.Stage{{Name: "steady", Shape: "constant 17/s, Poisson arrivals"}}
		if !slices.Equal(p.Stages, want) || len(p.Thresholds) != 0 || p.Schedule.Total() != schedule.Endless {
			t.Errorf("%s: stages %v, %d thresholds, %d arrivals", file, p.Stages, len(p.Thresholds), p.Schedule.Total())
		}
		if rate := p.Schedule.Rate(time.Hour); rate < 16.9 || rate > 17.1 {
			t.Errorf("%s: %v/s after an hour, want 17", file, rate)
		}
	}
}

func TestScale(t *testing.T) {
	p, err := profile.Parse("all.yaml", []byte(valid), profile.Options{Getenv: env, Scale: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	want := []profile.Stage{
		{Name: "start", Shape: "ramp 0/s to 0.5/s"},
		{Name: "2", Shape: "constant 0.5/s, Poisson arrivals"},
		{Name: "3", Shape: "3 steps 0.5/s to 1.5/s"},
		{Name: "4", Shape: "spike 0.5/s to 2.5/s"},
		{Name: "5", Shape: "wave of 5s, 0.5/s to 1.5/s"},
	}
	if !slices.Equal(p.Stages, want) || p.Scale != 0.5 {
		t.Errorf("stages %v times %v, want %v", p.Stages, p.Scale, want)
	}
	for i, at := range []time.Duration{9999 * time.Millisecond, 12 * time.Second} {
		if rate := p.Schedule.Rate(at); rate < 0.499 || rate > 0.501 {
			t.Errorf("stage %d: the schedule wants %v/s, want 0.5", i+1, rate)
		}
	}
	for scale, want := range map[float64]string{
		-1:  "all.yaml: rates times -1: want a number above 0",
		1e9: "all.yaml:8: stages[0].ramp.to: 60/m times 1e+09 is above the highest rate, 1e+06/s",
	} {
		if _, err := profile.Parse("all.yaml", []byte(valid), profile.Options{Getenv: env, Scale: scale}); err == nil || err.Error() != want {
			t.Errorf("times %v: %v, want %s", scale, err, want)
		}
	}
}

func TestShippedProfiles(t *testing.T) {
	files, err := filepath.Glob("../profiles/*.yaml")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d profiles, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			p, err := profile.Load(file, profile.Options{Shop: shop})
			if err != nil {
				t.Fatal(err)
			}
			if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); p.Name != name {
				t.Errorf("its name is %q", p.Name)
			}
			if len(p.Teaches) < 80 || p.Target != shop {
				t.Errorf("it teaches %q, its target is %q", p.Teaches, p.Target)
			}
		})
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]float64{"200/s": 200, "30/m": 0.5, "5.5": 5.5, "7200 / h": 2, "0": 0, "1e3/s": 1000} {
		if got, err := profile.ParseRate(text); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "/s", "5/d", "NaN", "Inf", "-1/s", "1000001/s", "5/s/s", "x"} {
		if got, err := profile.ParseRate(text); err == nil {
			t.Errorf("%q: accepted as %v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(valid)
	f.Add("text\n---\n---\nx: 1\n---\n") // empty documents
	f.Add("stages: [{constant: {rate: 1, for: 1s}}]\nscenarios: [{name: a, request: GET http://h/}]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := profile.Parse("p.yaml", []byte(text), profile.Options{Getenv: env})
		if err != nil {
			if strings.Contains(err.Error(), "Go struct") {
				t.Errorf("the error speaks of Go: %v", err)
			}
			return
		}
		if _, err := journey.NewPlan(p.Plan); err != nil || p.Schedule.Total() == 0 {
			t.Errorf("accepted, but %v, %d requests", err, p.Schedule.Total())
		}
	})
}
