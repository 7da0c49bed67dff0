package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"firedrill/internal/cli"
	"firedrill/internal/junit"
	"firedrill/internal/userfile"
	"firedrill/loadgen/compare"
	"firedrill/loadgen/omission"
	loadreport "firedrill/loadgen/report"
	"firedrill/loadgen/result"
	"firedrill/loadgen/threshold"
)

const mergeUsage = `load merge [flags] RESULT.json…

Joins the results of the shards of one run (firedrill load --shard i/n --save FILE) into the result of the whole run. Nothing is
lost: histograms add up bucket by bucket. Thresholds are evaluated again.`

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
	return p.reported(out.junit, "load merge", func() ([]junit.Suite, error) {
		merged, err := mergeResults(parts)
		if err != nil {
			return nil, &exit{exitMisuse, fmt.Errorf("%s: %w", fs.Arg(0), err)}
		}
		return []junit.Suite{loadreport.Suite(merged)}, out.judge(p, merged)
	})
}

// mergeResults joins the results of shards and evaluates their thresholds again.
func mergeResults(parts []*result.Result) (*result.Result, error) {
	merged, err := result.Merge(parts...)
	if err != nil {
		return nil, err
	}
	var thresholds []threshold.Threshold
	for _, t := range parts[0].Thresholds {
		parsed, err := threshold.Parse(t.Expression)
		if err != nil {
			return nil, err
		}
		thresholds = append(thresholds, parsed)
	}
	merged.Thresholds, _ = threshold.EvaluateAll(thresholds, merged)
	return merged, nil
}

const compareUsage = `load compare [flags] A.json B.json

Says whether B differs from A, by how much, and how sure that is, for each scenario. Where an interval has both no change and
changes that matter, it says "cannot tell", and how long a run must be. It refuses runs that are invalid, and runs of different
loads. Two runs cannot show run-to-run noise.

Exit codes: 0 B is not worse, 1 B is worse, 2 misuse, 3 a run is invalid, 4 cannot tell: run longer.`

func loadCompare(_ context.Context, p program, args []string) error {
	fs := p.newFlags("load compare", compareUsage)
	var options compare.Options
	fs.Float64Var(&options.Confidence, "confidence", 0, "`probability` that all intervals together hold (default 0.95)")
	fs.Float64Var(&options.Margin, "margin", 0, "largest relative `change` of a latency that does not matter (default 0.1, which is 10 %)")
	fs.Float64Var(&options.ErrorMargin, "error-margin", 0, "largest `change` of the share of errors that does not matter (default 0.01, one percentage point)")
	only := fs.String("only", "", "compare only these `metrics`, such as p95,errors; fewer need shorter runs")
	file := fs.String("junit", "", "`file` to write the findings to as JUnit XML")
	asJSON := fs.Bool("json", false, "print the comparison as JSON instead of text")
	if err := parse(fs, args, 2, 2); err != nil {
		return err
	}
	if *only != "" {
		options.Only = strings.Split(*only, ",")
	}
	return p.reported(*file, "load compare", func() ([]junit.Suite, error) {
		found, err := compareFiles(fs.Arg(0), fs.Arg(1), options)
		if err != nil {
			return nil, err
		}
		write := found.Text
		if *asJSON {
			write = func(w io.Writer) error { return writeJSON(w, found) }
		}
		if err := write(p.stdout); err != nil {
			return nil, err
		}
		return []junit.Suite{found.Suite()}, exitOfComparison(found)
	})
}

// compareFiles compares the results in two files.
func compareFiles(fileA, fileB string, options compare.Options) (*compare.Report, error) {
	a, err := readResult(fileA)
	if err != nil {
		return nil, &exit{exitMisuse, err}
	}
	b, err := readResult(fileB)
	if err != nil {
		return nil, &exit{exitMisuse, err}
	}
	found, err := compare.Runs(a, b, options)
	switch {
	case errors.Is(err, compare.ErrInvalid):
		return nil, &exit{exitInvalid, err}
	case errors.Is(err, compare.ErrShort):
		return nil, &exit{cli.ExitUnclear, err}
	case err != nil:
		return nil, &exit{exitMisuse, err}
	}
	return found, nil
}

// exitOfComparison returns what the exit code says of a comparison.
func exitOfComparison(found *compare.Report) error {
	switch found.Verdict {
	case compare.Worse:
		return errQuiet
	case compare.Unclear:
		return &exit{cli.ExitUnclear, errors.New("cannot tell, see above")}
	case compare.Better, compare.Same:
	}
	return nil
}

// longestResult is the maximum size of the result of a load test, in bytes.
const longestResult = 1 << 30

func readResult(path string) (*result.Result, error) {
	f, err := userfile.Open(path, longestResult)
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

const omissionUsage = `load demo-omission [flags]

Stalls a server on purpose and loads it twice: with a closed loop, which waits for each answer before it sends again, and with an
open one, which sends when requests are due. Both see the same stall; only the open one reports it. A lesson for workshops.`

func loadOmission(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("load demo-omission", omissionUsage)
	var cfg omission.Config
	fs.IntVar(&cfg.Rate, "rate", 0, "`requests` a second (default 1000)")
	fs.DurationVar(&cfg.Length, "duration", 0, "`length` of each run (default 10s)")
	fs.DurationVar(&cfg.StallAt, "at", 0, "`time` after which the server stalls (default 4s)")
	fs.DurationVar(&cfg.Stall, "stall", 0, "`length` of the stall (default 1s)")
	html := fs.String("html", "", "`file` to write the picture to: one page that opens offline")
	asJSON := fs.Bool("json", false, "print what was measured as JSON")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if err := (outputs{html: *html}).check(); err != nil {
		return &exit{exitMisuse, err}
	}
	if err := cfg.Validate(); err != nil {
		return &exit{exitMisuse, err}
	}
	demo, err := omission.Run(ctx, cfg, func(line string) { fmt.Fprintln(p.stderr, line) })
	if err != nil {
		return err
	}
	if *html != "" {
		if err := loadreport.WriteFile(*html, demo.HTML); err != nil {
			return err
		}
	}
	if *asJSON {
		return writeJSON(p.stdout, demo)
	}
	return demo.Text(p.stdout)
}
