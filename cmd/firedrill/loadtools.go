package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"firedrill/loadgen/compare"
	"firedrill/loadgen/result"
	"firedrill/loadgen/threshold"
)

const mergeUsage = `load merge [flags] RESULT.json…

Joins the results of the shards of one run (firedrill load -shard i/n -o …) into that of the whole. Nothing is lost:
histograms add up bucket by bucket. Thresholds are evaluated anew.`

func loadMerge(_ context.Context, p program, args []string) error {
	fs := p.newFlags("load merge", mergeUsage)
	var out outputs
	out.add(fs)
	const most = 10_000
	if err := parse(fs, args, 1, most); err != nil {
		return err
	}
	if err := out.check(); err != nil {
		return &exit{exitMisuse, err}
	}
	var parts []*result.Result
	for _, path := range fs.Args() {
		part, err := readResult(path)
		if err != nil {
			return &exit{exitMisuse, err}
		}
		parts = append(parts, part)
	}
	merged, err := result.Merge(parts...)
	if err != nil {
		return &exit{exitMisuse, err}
	}
	var thresholds []threshold.Threshold
	for _, t := range parts[0].Thresholds {
		parsed, err := threshold.Parse(t.Expression)
		if err != nil {
			return &exit{exitMisuse, fmt.Errorf("%s: %w", fs.Arg(0), err)}
		}
		thresholds = append(thresholds, parsed)
	}
	return out.judge(p, merged, thresholds)
}

const compareUsage = `load compare [flags] A.json B.json

Says whether B differs from A, by how much, and how sure that is, for each scenario. Runs that are invalid or not of the same
load are refused. Exits 1 if B is worse.`

func loadCompare(_ context.Context, p program, args []string) error {
	fs := p.newFlags("load compare", compareUsage)
	var options compare.Options
	fs.Float64Var(&options.Confidence, "confidence", 0, "of all intervals together (default 0.95)")
	asJSON := fs.Bool("json", false, "print the comparison as JSON instead of text")
	if err := parse(fs, args, 2, 2); err != nil {
		return err
	}
	a, err := readResult(fs.Arg(0))
	if err != nil {
		return &exit{exitMisuse, err}
	}
	b, err := readResult(fs.Arg(1))
	if err != nil {
		return &exit{exitMisuse, err}
	}
	found, err := compare.Runs(a, b, options)
	switch {
	case errors.Is(err, compare.ErrInvalid):
		return &exit{exitInvalid, err}
	case err != nil:
		return &exit{exitMisuse, err}
	}
	if *asJSON {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(found)
	} else {
		err = found.Text(p.stdout)
	}
	if err != nil {
		return err
	}
	for _, d := range found.Differences {
		if d.Differs && d.Worse {
			return errQuiet
		}
	}
	return nil
}

func readResult(path string) (*result.Result, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := result.Read(f)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return r, nil
}
