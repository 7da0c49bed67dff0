package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/goccy/go-yaml"

	"firedrill/chaos"
	"firedrill/loadgen/result"
)

// drillLoad drives the shop with the kit's own load generator, in a process of its
// own. It implements chaos.Load.
type drillLoad struct {
	target drillTarget
	dir    string // for what it writes
	seed   uint64
}

// Start implements chaos.Load.
func (l drillLoad) Start(ctx context.Context, spec chaos.LoadSpec) (chaos.RunningLoad, error) {
	profile, err := l.profile(spec)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(l.dir, "load.log"))
	if err != nil {
		return nil, fmt.Errorf("start the load: %w", err)
	}
	defer log.Close()
	r := &runningLoad{out: filepath.Join(l.dir, "load.json"), log: log.Name(), done: make(chan struct{})}
	args := []string{"load", "--save", r.out, "--seed", strconv.FormatUint(l.seed, 10)}
	if l.target.remote != nil {
		args = append(args, "--target", l.target.places()["gateway"])
	}
	// The context's end must let the load finish and tell.
	r.cmd = exec.CommandContext(context.WithoutCancel(ctx), l.target.Executable, append(args, profile)...)
	r.cmd.Env = append(os.Environ(), "FIREDRILL_DATA="+l.target.Data, "FIREDRILL_ROOT="+l.target.Root,
		fmt.Sprintf("FIREDRILL_PORT_OFFSET=%d", l.target.Offset))
	r.cmd.Stdout, r.cmd.Stderr = log, log
	r.cmd.SysProcAttr = diesWithParent()
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the load: %w", err)
	}
	go func() {
		r.err = r.cmd.Wait()
		close(r.done)
	}()
	return r, nil
}

// profile is the file of the profile that the drill wants.
func (l drillLoad) profile(spec chaos.LoadSpec) (string, error) {
	path := spec.Profile
	if filepath.Ext(path) == "" {
		path = filepath.Join(l.target.Root, "loadgen", "profiles", path+".yaml")
	}
	if spec.Rate == "" {
		return path, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the load profile: %w", err)
	}
	steady, err := atRate(text, spec.Rate)
	if err != nil {
		return "", fmt.Errorf("load profile %q at %s: %w", path, spec.Rate, err)
	}
	path = filepath.Join(l.dir, "load.yaml")
	if err := os.WriteFile(path, steady, 0o600); err != nil { //nolint:gosec // in a folder that was made for this run
		return "", fmt.Errorf("write the load profile: %w", err)
	}
	return path, nil
}

// atRate is a profile with one endless stage instead of its own; thresholds may be
// about those, and a drill has expectations of its own.
func atRate(profile []byte, rate string) ([]byte, error) {
	var keys yaml.MapSlice
	if err := yaml.Unmarshal(profile, &keys); err != nil {
		return nil, err
	}
	var out yaml.MapSlice
	for _, item := range keys {
		switch item.Key {
		case "thresholds":
			continue
		case "stages":
			item.Value = []map[string]any{{
				"name": "drill", "constant": map[string]any{"rate": rate, "for": "forever"}, "arrivals": "poisson",
			}}
		}
		out = append(out, item)
	}
	return yaml.Marshal(out)
}

// runningLoad is a load generator that runs.
type runningLoad struct {
	cmd      *exec.Cmd
	out, log string // files: its result, and what it printed
	done     chan struct{}
	err      error // of its end
}

// Done implements chaos.RunningLoad.
func (r *runningLoad) Done() <-chan struct{} { return r.done }

// Stop implements chaos.RunningLoad.
func (r *runningLoad) Stop(ctx context.Context) (chaos.LoadResult, error) {
	_ = r.cmd.Process.Signal(syscall.SIGINT) // it may have ended
	select {
	case <-r.done:
	case <-ctx.Done():
		_ = r.cmd.Process.Kill()
		<-r.done
		return chaos.LoadResult{}, fmt.Errorf("stop the load: %w", context.Cause(ctx))
	}
	f, err := os.Open(r.out)
	if err != nil {
		return chaos.LoadResult{}, fmt.Errorf("the load left no result: %w", errors.Join(r.err, r.lastWords()))
	}
	defer f.Close()
	found, err := result.Read(f)
	if err != nil {
		return chaos.LoadResult{}, fmt.Errorf("read the load's result %q: %w", r.out, err)
	}
	total := found.Total(nil)
	return chaos.LoadResult{
		Requests: total.Requests, Failed: total.Failed, Report: r.out, Remark: strings.Join(found.Validity.Reasons, "; "),
		Late: chaos.Seconds(found.OwnLag.Quantile(0.9)),
	}, nil
}

// lastWords are what the load generator printed last.
func (r *runningLoad) lastWords() error {
	text, err := os.ReadFile(r.log)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return errors.New(lines[len(lines)-1])
}
