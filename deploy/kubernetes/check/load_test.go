package check

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"

	"firedrill/loadgen/profile"
)

func job(t *testing.T, dir, name string) *batchv1.Job {
	t.Helper()
	d := decoder(t)
	for _, o := range build(t, dir) {
		if typed, err := d.Decode(o); err == nil {
			if job, ok := typed.(*batchv1.Job); ok && job.Name == name {
				return job
			}
		}
	}
	t.Fatalf("%s has no Job %q", dir, name)
	return nil
}

// All shards run at the same time, know their number, and write files that the merge reads.
func TestLoadShardsMerge(t *testing.T) {
	load, merge := job(t, "overlays/scale/load", "load"), job(t, "overlays/scale/merge", "merge")
	if *load.Spec.CompletionMode != batchv1.IndexedCompletion || *load.Spec.Parallelism != *load.Spec.Completions {
		t.Errorf("mode %v, %d at once of %d: want an Indexed Job with all shards at once",
			*load.Spec.CompletionMode, *load.Spec.Parallelism, *load.Spec.Completions)
	}
	container := load.Spec.Template.Spec.Containers[0]
	env := map[string]string{}
	for _, e := range container.Env {
		env[e.Name] = e.Value
	}
	if want := fmt.Sprint(*load.Spec.Completions); env["FIREDRILL_SHARDS"] != want {
		t.Errorf("FIREDRILL_SHARDS is %q, want %q as the Job has completions", env["FIREDRILL_SHARDS"], want)
	}
	writes := "--save=/results/shard-$(JOB_COMPLETION_INDEX).json"
	if !slices.Contains(container.Args, writes) {
		t.Fatalf("a shard's arguments %q lack %q", container.Args, writes)
	}
	var want, reads []string
	for i := range *load.Spec.Completions {
		want = append(want, fmt.Sprintf("/results/shard-%d.json", i))
	}
	for _, arg := range merge.Spec.Template.Spec.Containers[0].Args {
		if strings.HasPrefix(arg, "/results/") {
			reads = append(reads, arg)
		}
	}
	if !slices.Equal(reads, want) {
		t.Errorf("the merge reads %q, want %q", reads, want)
	}
}

// The profile is valid, and its target is the gateway's Service.
func TestLoadProfile(t *testing.T) {
	p, err := profile.Load(filepath.Join(home, "overlays", "scale", "load", "profile.yaml"), profile.Options{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	if p.Target != "http://gateway.shop:8000" {
		t.Errorf("it aims at %q", p.Target)
	}
}
