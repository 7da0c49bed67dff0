package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// job is the load that a tool must send: to url for length, at rate; a rate of 0 means as fast as possible.
type job struct {
	url    string
	rate   int
	length time.Duration
	folder string // for files of the tool
}

// claim has the latencies that a tool reports.
type claim struct {
	p95, p99 time.Duration
}

// tool is a load generator. Its steps run one after another. read parses the output of the last one.
type tool struct {
	name  string
	note  string // remark on its row
	steps func(j job) [][]string
	read  func(j job, output []byte) (claim, error)
	// paced is false for a tool that cannot send at a rate.
	paced bool
	// exits are exit codes other than 0 that are no failure.
	exits []int
}

const ours, vegeta = "firedrill", "vegeta"

func tools(s settings) []tool {
	connectionsText := strconv.Itoa(connections)
	in := func(name string) string { return filepath.Join(s.bin, name) }
	return []tool{
		{
			name: ours, note: "traces of 10 % kept, thresholds on", paced: true, exits: []int{1, 3}, // the rate of fullSpeed cannot be kept
			steps: func(j job) [][]string {
				rate := j.rate
				if rate == 0 {
					rate = fullSpeed
				}
				return [][]string{{s.ours, "load", "--rate", fmt.Sprintf("%d/s", rate), "--duration", j.length.String(), "--workers", connectionsText,
					"--threshold", "p99 < 5s", "--threshold", "errors < 1%", "--trace-share", "0.1", "--output", "json", j.url}}
			},
			read: readOurs,
		},
		{
			name: vegeta, note: "attack, then report", paced: true,
			steps: func(j job) [][]string {
				targets, results := filepath.Join(j.folder, "targets"), filepath.Join(j.folder, "results")
				attack := []string{in("vegeta"), "attack", "-targets", targets, "-output", results, "-duration", j.length.String(), "-rate", strconv.Itoa(j.rate),
					"-workers", connectionsText, "-max-workers", connectionsText, "-connections", connectionsText}
				return [][]string{attack, {in("vegeta"), "report", "-type", "json", results}}
			},
			read: readVegeta,
		},
		{
			name: "wrk", note: "knows no rate",
			steps: func(j job) [][]string {
				return [][]string{{"wrk", "-t", "2", "-c", connectionsText, "-d", fmt.Sprintf("%ds", int(j.length.Seconds())), "--latency", j.url}}
			},
			read: readPattern(`(?m)^\s+90%`, `(?m)^\s+99%\s+(\S+)`),
		},
		{
			name: "hey", paced: true,
			steps: func(j job) [][]string {
				args := []string{in("hey"), "-z", j.length.String(), "-c", connectionsText}
				if j.rate > 0 {
					args = append(args, "-q", strconv.Itoa(j.rate/connections))
				}
				return [][]string{append(args, j.url)}
			},
			read: readPattern(`(?m)^\s+95%+ in (\S+) secs`, `(?m)^\s+99%+ in (\S+) secs`),
		},
		{
			name: "fortio", note: "its own client", paced: true,
			steps: func(j job) [][]string {
				return [][]string{{in("fortio"), "load", "-quiet", "-c", connectionsText, "-t", j.length.String(), "-qps", strconv.Itoa(j.rate), "-p", "95,99", "-json", "-", j.url}}
			},
			read: readFortio,
		},
		{
			name: "k6", note: "50 virtual users", paced: true,
			steps: func(j job) [][]string {
				return [][]string{{"k6", "run", "--quiet", "--no-usage-report", "--address", "127.0.0.1:0", "--summary-trend-stats", "p(95),p(99)", writeScript(j)}}
			},
			read: readPattern(`http_req_duration\S*:.*p\(95\)=(\S+)`, `http_req_duration\S*:.*p\(99\)=(\S+)`),
		},
	}
}

// fullSpeed is a rate that no machine reaches.
const fullSpeed = 100_000

// writeScript writes a script for k6. It ignores errors: k6 fails if the file is missing.
func writeScript(j job) string {
	scenario := fmt.Sprintf(`{executor: "constant-vus", vus: %d, duration: "%s"}`, connections, j.length)
	if j.rate > 0 {
		scenario = fmt.Sprintf(`{executor: "constant-arrival-rate", rate: %d, timeUnit: "1s", duration: "%s", preAllocatedVUs: %d, maxVUs: %d}`,
			j.rate, j.length, connections, connections)
	}
	path := filepath.Join(j.folder, "script.js")
	text := fmt.Sprintf("import http from \"k6/http\";\nexport const options = {scenarios: {all: %s}};\nexport default function () { http.get(%q); }\n", scenario, j.url)
	_ = os.WriteFile(path, []byte(text), 0o600)
	return path
}

func readOurs(_ job, output []byte) (claim, error) {
	var r struct {
		Groups []struct {
			Response struct {
				P95 float64 `json:"p95_ms"`
				P99 float64 `json:"p99_ms"`
			} `json:"response"`
		} `json:"groups"`
	}
	if err := json.Unmarshal(output, &r); err != nil || len(r.Groups) == 0 {
		return claim{}, errors.Join(err, errors.New("no groups of requests"))
	}
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	return claim{ms(r.Groups[0].Response.P95), ms(r.Groups[0].Response.P99)}, nil
}

func readVegeta(_ job, output []byte) (claim, error) {
	var r struct {
		Latencies struct {
			P95 time.Duration `json:"95th"`
			P99 time.Duration `json:"99th"`
		} `json:"latencies"`
	}
	if err := json.Unmarshal(output, &r); err != nil {
		return claim{}, err
	}
	return claim{r.Latencies.P95, r.Latencies.P99}, nil
}

func readFortio(_ job, output []byte) (claim, error) {
	var r struct {
		DurationHistogram struct {
			Percentiles []struct{ Value float64 }
		}
	}
	if err := json.Unmarshal(output, &r); err != nil {
		return claim{}, err
	}
	percentiles := r.DurationHistogram.Percentiles
	if len(percentiles) != 2 {
		return claim{}, fmt.Errorf("%d percentiles, want 2", len(percentiles))
	}
	seconds := func(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }
	return claim{seconds(percentiles[0].Value), seconds(percentiles[1].Value)}, nil
}

// readPattern returns a function that finds both percentiles in the output, as durations or as numbers of seconds. A
// pattern without a group means that the tool does not report the percentile.
func readPattern(p95, p99 string) func(job, []byte) (claim, error) {
	find := func(pattern string, output []byte) (time.Duration, error) {
		match := regexp.MustCompile(pattern).FindSubmatch(output)
		switch {
		case match == nil:
			return 0, fmt.Errorf("its output has no %s:\n%s", pattern, output)
		case len(match) == 1:
			return 0, nil
		}
		text := string(match[1])
		if seconds, err := strconv.ParseFloat(text, 64); err == nil {
			return time.Duration(seconds * float64(time.Second)), nil
		}
		return time.ParseDuration(text)
	}
	return func(_ job, output []byte) (claim, error) {
		at95, err95 := find(p95, output)
		at99, err99 := find(p99, output)
		return claim{at95, at99}, errors.Join(err95, err99)
	}
}

// available returns the tools selected by -only that the machine has or can build. vegeta, hey and fortio are built at the
// versions pinned in this module. wrk and k6 are taken from the PATH and left out if they are not there: wrk is a C program,
// and the license of k6 is the AGPL, on which no module of ours may depend.
func available(ctx context.Context, s settings, progress io.Writer) ([]tool, error) {
	if _, err := os.Stat(s.ours); err != nil {
		return nil, fmt.Errorf("%w: -ours: %w", errUsage, err)
	}
	if err := build(ctx, s.bin, "github.com/tsenart/vegeta/v12", "github.com/rakyll/hey", "fortio.org/fortio"); err != nil {
		return nil, err
	}
	var list []tool
	for _, t := range tools(s) {
		program := t.steps(job{folder: os.TempDir()})[0][0]
		if _, err := exec.LookPath(program); err != nil {
			fmt.Fprintf(progress, "%s is left out: %v\n", t.name, err)
			continue
		}
		if s.only == "" || slices.Contains(strings.Split(s.only, ","), t.name) {
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: -only %s names no tool that there is", errUsage, s.only)
	}
	return list, nil
}

// build builds programs that this module pins, unless they exist already.
func build(ctx context.Context, bin string, packages ...string) error {
	var missing []string
	for _, p := range packages {
		name := filepath.Base(strings.TrimSuffix(p, "/v12"))
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	args := append([]string{"build", "-buildvcs=false", "-o", bin + string(filepath.Separator)}, missing...)
	if output, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, output)
	}
	return nil
}
