package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	chaosrun "firedrill/chaos/run"
	"firedrill/chaos/session"
	"firedrill/internal/userfile"
	"firedrill/loadgen/result"
)

// load returns the command that runs the load of a drill, with this program's load generator.
func (t drillTarget) load(ctx context.Context, l session.LoadOrder) *exec.Cmd {
	profile := l.Spec.Profile
	if filepath.Ext(profile) == "" {
		profile = filepath.Join(t.Root, "loadgen", "profiles", profile+".yaml")
	}
	args := []string{"load", "--save", l.Out, "--seed", strconv.FormatUint(l.Seed, 10)}
	if l.Spec.Rate != "" {
		args = append(args, "--steady", l.Spec.Rate)
	}
	if t.remote != nil {
		args = append(args, "--target", t.places()["gateway"])
	}
	cmd := exec.CommandContext(ctx, t.Executable, append(args, profile)...)
	cmd.Env = append(os.Environ(), "FIREDRILL_DATA="+t.Data, "FIREDRILL_ROOT="+t.Root, fmt.Sprintf("FIREDRILL_PORT_OFFSET=%d", t.Offset))
	return cmd
}

// readLoad reads the result of a load test.
func readLoad(path string) (chaosrun.LoadResult, error) {
	f, err := userfile.Open(path, longestResult)
	if err != nil {
		return chaosrun.LoadResult{}, err
	}
	defer f.Close()
	found, err := result.Read(f)
	if err != nil {
		return chaosrun.LoadResult{}, err
	}
	total := found.Total(nil)
	return chaosrun.LoadResult{
		Requests: total.Requests, Failed: total.Failed, Remark: strings.Join(found.Validity.Reasons, "; "),
		Late: chaosrun.Seconds(found.OwnLag.Quantile(0.9)),
	}, nil
}
