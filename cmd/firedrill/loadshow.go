package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"firedrill/loadgen/result"
)

// outputs are where a result goes beside the terminal.
type outputs struct {
	json, html, hdr string
	asJSON          bool
}

func (o *outputs) add(fs *flag.FlagSet) {
	fs.StringVar(&o.json, "o", "", "`file` to write the result to, as JSON")
	fs.BoolVar(&o.asJSON, "json", false, "print the result as JSON instead of a table")
}

// check finds out before the run whether the files can be written.
func (o outputs) check() error {
	for _, file := range []struct{ flag, path string }{{"-o", o.json}, {"-html", o.html}, {"-hdr", o.hdr}} {
		if file.path == "" {
			continue
		}
		if info, err := os.Stat(file.path); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s %s: %w", file.flag, file.path, errors.New("this is no file that could be replaced"))
		}
		probe, err := os.CreateTemp(filepath.Dir(file.path), ".firedrill-*")
		if err != nil {
			return fmt.Errorf("%s %s: %w", file.flag, file.path, err)
		}
		probe.Close()
		os.Remove(probe.Name())
	}
	return nil
}

func (o outputs) write(p program, r *result.Result) error {
	if o.json != "" {
		f, err := os.Create(o.json)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := r.Write(f); err != nil {
			return err
		}
	}
	if o.asJSON {
		return r.Write(p.stdout)
	}
	total := r.Total(nil)
	fmt.Fprintf(p.stdout, "%d requests, %d failed; response p50 %v p99 %v max %v; own lag p99 %v\n", total.Requests, total.Failed,
		total.Response.Quantile(.5), total.Response.Quantile(.99), total.Response.Max(), r.Validity.LagP99)
	for _, t := range r.Thresholds {
		fmt.Fprintln(p.stdout, t.Expression, t.Actual, t.OK)
	}
	return nil
}

type plainShow struct{ p program }

func (r *loadRun) show() plainShow {
	if r.admin != nil {
		fmt.Fprintf(r.p.stderr, "run %s; metrics at http://%s/metrics\n", r.run, r.admin.Addr())
	}
	return plainShow{r.p}
}
func (s plainShow) close()           {}
func (s plainShow) note(text string) { fmt.Fprintln(s.p.stderr, text) }
func (s plainShow) update(r *result.Result) {
	total := r.Total(nil)
	fmt.Fprintf(s.p.stderr, "%v %d of %d, p99 %v\n", r.Elapsed.Round(time.Second), total.Requests, r.Intended, total.Response.Quantile(.99))
}
