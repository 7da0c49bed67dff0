package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"firedrill/internal/cli"
	"firedrill/internal/machine/machinetest"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
)

// target starts a server that counts its requests.
func target(t *testing.T, handle http.HandlerFunc) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if handle != nil {
			handle(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// firedrill runs the program as main does.
func firedrill(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, args, noEnv, &out, &errs)
	return code, out.String(), errs.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tolerant holds limits with which a busy machine does not make a run invalid.
const tolerant = "limits: {lag_p99: 60s, rate_error: 1, overrun: 10m, timeout: 10m}\n"

func profileFor(t *testing.T, url, rest string) string {
	t.Helper()
	return write(t, "p.yaml", "target: "+url+`
stages: [{constant: {rate: 100/s, for: 300ms}}]
scenarios:
  - {name: read, weight: 2, request: GET /a}
  - {name: buy, steps: [{name: one, request: POST /b, body: '{}'}, {name: two, request: GET /c}]}
`+rest)
}

// None of these may send a request. Each prints one clear line and has exit code 2.
func TestLoadRefusesBeforeTheFirstRequest(t *testing.T) {
	url, asked := target(t, nil)
	empty := write(t, "none.yaml", "")
	targets := write(t, "targets.txt", "GET nowhere\n")
	good := profileFor(t, url, "")
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"nothing", nil, "give a profile, a URL or --targets"},
		{"no file", []string{"missing.yaml"}, "missing.yaml: no such file or directory"},
		{"empty profile", []string{empty}, "none.yaml: stages: 0 stages"},
		{"unknown key", []string{profileFor(t, url, "sped: 5\n")}, "p.yaml:6: sped: unknown key"},
		{"impossible rate", []string{write(t, "p.yaml", "stages: [{constant: {rate: 9e9/s, for: 1s}}]")}, `p.yaml:1: stages[0].constant.rate: "9e9/s" is an impossible rate`},
		{"empty scenario", []string{write(t, "p.yaml", "stages: [{constant: {rate: 9/s, for: 1s}}]\nscenarios:\n  - name: a\n")}, "p.yaml:3: scenarios[0]: a scenario is either a request or steps"},
		{"unresolvable host", []string{profileFor(t, "http://no-such-host.invalid", "")}, `p.yaml:1: target: find the host "no-such-host.invalid": `},
		{"unresolvable host, ad hoc", []string{"-rate", "5/s", "http://no-such-host.invalid/"}, `URL: find the host "no-such-host.invalid": `},
		{"threshold", []string{profileFor(t, url, "thresholds: [\"p99 < 1s\", \"p99 <\"]\n")}, `p.yaml:6: thresholds[1]: threshold "p99 <", column 6: `},
		{"threshold of nothing", []string{profileFor(t, url, "thresholds: [journey.sell.p95 < 1s]\n")}, `p.yaml:6: thresholds[0]: threshold "journey.sell.p95 < 1s", column 9: `},
		{"threshold flag", []string{"-threshold", "fast", good}, `-threshold: threshold "fast", column 1: `},
		{"unwritable", []string{"--save", "/no-such-folder/r.json", good}, "--save /no-such-folder/r.json: no such file or directory"},
		{"a folder", []string{"-html", t.TempDir(), good}, "this is not a regular file"},
		{"no rate", []string{url}, "-rate is missing"},
		{"rate", []string{"-rate", "fast", url}, `-rate: "fast" is no rate`},
		{"rate 0", []string{"-rate", "0", "-duration", "1s", url}, "-rate: no request is ever due"},
		{"duration", []string{"-rate", "5/s", "-duration", "-1s", url}, `-duration "-1s": want a length of time`},
		{"rate of a profile", []string{"-rate", "5/s", good}, "--rate is for a URL or --targets"},
		{"header", []string{"-rate", "5/s", "-header", "x", url}, `-header "x": want "Name: value"`},
		{"body", []string{"-rate", "5/s", "-body", "@missing", url}, "-body: missing: no such file or directory"},
		{"targets", []string{"-rate", "5/s", "-targets", targets}, "targets.txt: target 1: bad URL: nowhere"},
		{"no targets", []string{"-rate", "5/s", "-targets", empty}, "none.yaml: no targets to attack"},
		{"format", []string{"-rate", "5/s", "-format", "xml", "-targets", targets}, `-format "xml": want http or json`},
		{"shard", []string{"-shard", "4/3", good}, `-shard: "4/3" is no shard`},
		{"shard without requests", []string{"-shard", "31/31", good}, "shard 31/31: the schedule has only 30 requests"},
		{"seed", []string{"-seed", "x", good}, `-seed "x": want a whole number`},
		{"scale", []string{"-scale-rate", "fast", good}, `-scale-rate "fast": want a number greater than 0, such as 0.5`},
		{"scale 0", []string{"-scale-rate", "0", good}, `-scale-rate "0": want a number greater than 0, such as 0.5`},
		{"endless scale", []string{"-scale-rate", "+Inf", good}, `-scale-rate "+Inf": want a number greater than 0, such as 0.5`},
		{"steady", []string{"-steady", "fast", good}, "a steady rate: \"fast\" is no rate"},
		{"steady at nothing", []string{"-steady", "0/s", good}, "a steady rate: \"0/s\": must be greater than 0"},
		{"steady without a profile", []string{"-steady", "2/s", "-rate", "5/s", url}, "--steady is for profiles; --rate says the rate"},
		{"scale without a profile", []string{"-scale-rate", "2", "-rate", "5/s", url}, "--scale-rate is for profiles; --rate says the rate"},
		{"scaled too high", []string{"-scale-rate", "1e6", good}, "p.yaml:2: stages[0].constant.rate: 100/s times 1e+06 is above the highest rate, 1e+06/s"},
		{"run", []string{"-run", "x", good}, `-run "x": want 16 hex digits`},
		{"share", []string{"-trace-share", "7", good}, "p.yaml: trace.share: 7: want a share, 0 to 1"},
		{"transport", []string{"-transport", "pigeon", good}, "no transport pigeon"},
		{"admin", []string{"-admin", "nowhere:x", good}, "serve metrics at nowhere:x: "},
		{"offset", []string{"-offset", "x", good}, `-offset "x": want a whole number`},
		{"workers", []string{"-workers", "-1", "-rate", "5/s", url}, "-workers: -1 workers"},
		{"unknown flag", []string{"-speed", "5"}, "unknown flag: --speed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := firedrill(t.Context(), append([]string{"load"}, tt.args...)...)
			if code != exitMisuse || out != "" || !strings.Contains(errs, tt.want) {
				t.Errorf("exit code %d, said %q, want 2 and %q", code, errs, tt.want)
			}
			if strings.Count(errs, "\n") != 1 && tt.name != "unknown flag" {
				t.Errorf("said more than a line: %q", errs)
			}
		})
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestLoadExitCodes(t *testing.T) {
	url, _ := target(t, nil)
	slow, _ := target(t, func(http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) })
	tests := []struct {
		name string
		args []string
		code int
		want string // part of stdout
	}{
		{"good", []string{profileFor(t, url, tolerant+"thresholds: [errors < 1%]\n")}, 0, "30 of 30 arrivals sent"},
		{"half of it", []string{"-scale-rate", "0.5", profileFor(t, url, tolerant)}, 0, "15 of 15 arrivals sent"},
		{"half of it, said", []string{"-scale-rate", "0.5", profileFor(t, url, tolerant)}, 0, "p at 0.5 times its rates  "},
		{"broken threshold", []string{"-threshold", "p99 < 1us", profileFor(t, url, tolerant)}, exitFailed, "BROKEN   p99 < 1us"},
		{"invalid", []string{"-workers", "1", profileFor(t, slow, "limits: {overrun: 200ms, lag_p99: 60s}\n")}, exitInvalid, "arrivals were dropped"},
		{"broken comes before invalid", []string{"-workers", "1", "-threshold", "p99 < 1us", profileFor(t, slow, "limits: {overrun: 200ms, lag_p99: 60s}\n")}, exitFailed, "BROKEN"},
		{"a rate that the generator did not reach", []string{"-workers", "1", "-threshold", "rate > 90/s", profileFor(t, slow, "limits: {overrun: 200ms, lag_p99: 60s}\n")}, exitInvalid, "UNCLEAR"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := firedrill(t.Context(), append([]string{"load"}, tt.args...)...)
			if code != tt.code || !strings.Contains(out, tt.want) {
				t.Errorf("exit code %d, want %d; no %q in\n%s\n%s", code, tt.code, tt.want, out, errs)
			}
		})
	}
}

func TestLoadAdHoc(t *testing.T) {
	for _, transport := range []string{"fast", "standard"} {
		t.Run(transport, func(t *testing.T) {
			bodies := make(chan string, 100)
			url, asked := target(t, func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies <- r.Method + " " + r.URL.Path + " " + r.Header.Get("X-A") + " " + string(body) + " " + r.Header.Get("Traceparent")
			})
			_, out, errs := firedrill(t.Context(), "load", "-rate", "100/s", "-duration", "200ms", "-method", "PUT", "-header", "X-A: b",
				"-body", `{"n": ${seq}}`, "-trace-share", "1", "-transport", transport, "-json", url+"/things")
			r, err := result.Read(strings.NewReader(out))
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, out, errs)
			}
			if total := r.Total(nil); asked.Load() != 20 || total.Requests != 20 || total.Failed != 0 || r.Meta.Profile != "ad hoc" {
				t.Errorf("%d asked, %d told, %d failed, profile %q", asked.Load(), total.Requests, total.Failed, r.Meta.Profile)
			}
			want := regexp.MustCompile(`^PUT /things b \{"n": \d+\} 00-[0-9a-f]{32}-[0-9a-f]{16}-01$`)
			if got := <-bodies; !want.MatchString(got) {
				t.Errorf("sent %q", got)
			}
			if want := "http://127.0.0.1:3200/api/traces/{trace_id}"; r.Meta.TraceURL != want {
				t.Errorf("traces at %q, want %q", r.Meta.TraceURL, want)
			}
		})
	}
}

func TestLoadTargets(t *testing.T) {
	var a, b atomic.Int64
	url, _ := target(t, func(_ http.ResponseWriter, r *http.Request) {
		switch r.Method + r.URL.Path + r.Header.Get("X-A") {
		case "GET/a1":
			a.Add(1)
		case "POST/b":
			b.Add(1)
		}
	})
	for format, text := range map[string]string{
		"http": "# two\nGET " + url + "/a\nX-A: 1\n\nPOST " + url + "/b\n",
		"json": `{"method":"GET","url":"` + url + `/a","header":{"X-A":["1"]}}` + "\n" + `{"method":"POST","url":"` + url + `/b"}` + "\n",
	} {
		a.Store(0)
		b.Store(0)
		_, _, errs := firedrill(t.Context(), "load", "-rate", "100/s", "-duration", "200ms", "-format", format, "-targets", write(t, "targets", text))
		if a.Load() != 10 || b.Load() != 10 {
			t.Errorf("%s: %d and %d requests, want 10 of each: %s", format, a.Load(), b.Load(), errs)
		}
	}
}

func TestLoadShardsMergeIntoTheWhole(t *testing.T) {
	url, asked := target(t, nil)
	profile := profileFor(t, url, tolerant+"thresholds: [errors < 1%]\n")
	var files []string
	for _, shard := range []string{"1/2", "2/2"} {
		file := filepath.Join(t.TempDir(), "shard.json")
		files = append(files, file)
		if code, out, errs := firedrill(t.Context(), "load", "--shard", shard, "--save", file, profile); code != 0 {
			t.Fatalf("exit code %d\n%s\n%s", code, out, errs)
		}
	}
	page := filepath.Join(t.TempDir(), "report.html")
	code, out, errs := firedrill(t.Context(), append([]string{"load", "merge", "--output", "json", "--html", page}, files...)...)
	r, err := result.Read(strings.NewReader(out))
	if code != 0 || err != nil {
		t.Fatalf("exit code %d, %v\n%s", code, err, errs)
	}
	if total := r.Total(nil); int64(total.Requests) != asked.Load() || total.Arrivals != 30 || r.Intended != 30 || len(r.Thresholds) != 1 {
		t.Errorf("%d requests of %d, %d arrivals of %d, %d thresholds", total.Requests, asked.Load(), total.Arrivals, r.Intended, len(r.Thresholds))
	}
	if text, err := os.ReadFile(page); err != nil || !bytes.Contains(text, []byte("<html")) {
		t.Errorf("no page: %v", err)
	}
	for _, args := range [][]string{{files[0], files[0]}, {profile}, {"missing.json"}} {
		if code, _, _ := firedrill(t.Context(), append([]string{"load", "merge"}, args...)...); code != exitMisuse {
			t.Errorf("merge %v: exit code %d, want 2", args, code)
		}
	}
	if code, _, errs := firedrill(t.Context(), "load", "compare", files[0], files[1]); code != cli.ExitUnclear {
		t.Errorf("comparing runs that are too short: exit code %d: %s", code, errs)
	}
}

// A pod of an Indexed Job gets its shard from its environment. The flag takes precedence.
func TestLoadShardOfAnIndexedJob(t *testing.T) {
	var whole schedule.Shard
	for _, tt := range []struct {
		name, flag, index, of string
		want                  schedule.Shard
		err                   string
	}{
		{"no job", "", "", "", whole, ""},
		{"the first", "", "0", "8", schedule.Shard{Index: 1, Of: 8}, ""},
		{"the last", "", "7", "8", schedule.Shard{Index: 8, Of: 8}, ""},
		{"the flag wins", "2/3", "7", "8", schedule.Shard{Index: 2, Of: 3}, ""},
		{"another job's index", "", "3", "", whole, ""},
		{"beyond the last", "", "8", "8", schedule.Shard{}, `"9/8" is no shard`},
		{"no index", "", "", "8", schedule.Shard{}, "want the index of a pod of an Indexed Job"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{"JOB_COMPLETION_INDEX": tt.index, "FIREDRILL_SHARDS": tt.of}
			flags := loadFlags{shard: tt.flag}
			got, err := flags.part(program{getenv: func(key string) string { return env[key] }})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), "FIREDRILL_SHARDS") {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("shard %v (%v), want %v", got, err, tt.want)
			}
		})
	}
}

// The first interrupt ends a run with a report of what was done.
func TestLoadInterrupted(t *testing.T) {
	for _, tt := range []struct {
		length string
		code   int
		want   string
	}{{"1h", exitInvalid, "interrupted"}, {"", 0, "arrivals sent"}} {
		t.Run(fmt.Sprintf("duration %q", tt.length), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			url, asked := target(t, nil)
			file := filepath.Join(t.TempDir(), "r.json")
			args := []string{"load", "--rate", "50/s", "--save", file}
			if tt.length != "" {
				args = append(args, "-duration", tt.length)
			}
			go func() {
				defer cancel()
				if err := machinetest.Awaited(t, 0, func() (string, bool) { return "", asked.Load() >= 25 }); err != nil {
					t.Errorf("25 requests are sent: %v", err)
				}
			}()
			code, out, errs := firedrill(ctx, append(args, url)...)
			valid := !strings.Contains(out, "own lag has") && !strings.Contains(out, "off the intended rate")
			if valid && code != tt.code || !strings.Contains(out, tt.want) || !strings.Contains(errs, "stopping when") {
				t.Errorf("exit code %d, want %d\n%s\n%s", code, tt.code, out, errs)
			}
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			r, err := result.Read(f)
			if err != nil || int64(r.Total(nil).Requests) != asked.Load() {
				t.Errorf("%v; %d requests kept, %d asked", err, r.Total(nil).Requests, asked.Load())
			}
		})
	}
}

func TestLoadServesMetricsWhileItRuns(t *testing.T) {
	address := regexp.MustCompile(`metrics at (http://127\.0\.0\.1:\d+/metrics)`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	scraped := make(chan string, 1)
	url, _ := target(t, nil)
	go func() {
		var said strings.Builder
		buffer := make([]byte, 4096)
		for !address.MatchString(said.String()) {
			n, err := reader.Read(buffer)
			said.Write(buffer[:n])
			if err != nil {
				break
			}
		}
		go io.Copy(io.Discard, reader)
		scraped <- scrape(t, address.FindStringSubmatch(said.String()))
		cancel()
	}()
	run(ctx, []string{"load", "-rate", "50/s", url}, noEnv, io.Discard, writer)
	if text := <-scraped; !strings.Contains(text, `loadgen_run_info{profile="ad hoc"} 1`) || !strings.Contains(text, "loadgen_intended_arrivals_total") {
		t.Errorf("metrics:\n%s", text)
	}
}

func scrape(t *testing.T, found []string) string {
	if found == nil {
		t.Error("no address of metrics was said")
		return ""
	}
	resp, err := http.Get(found[1])
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func TestLoadHelp(t *testing.T) {
	code, out, _ := firedrill(t.Context(), "load", "-h")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"PROFILE.yaml", "compare", "merge", "demo-omission", "--rate", "--shard", "Exit codes"} {
		if !strings.Contains(out, want) {
			t.Errorf("the help does not mention %s", want)
		}
	}
}
