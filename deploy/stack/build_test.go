package stack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"firedrill/internal/machine/machinetest"
)

func TestToolsReadTheirPins(t *testing.T) {
	root := repository(t)
	pins := map[string]string{
		"monitoring": "module m\nrequire (\n\tgithub.com/grafana/loki/v3 v3.7.8 // indirect\n\tgithub.com/prometheus/prometheus v0.313.5 // indirect\n)\n",
		"tempo":      "module m\nrequire github.com/grafana/tempo v1.5.1-0.2025\n",

		"alertmanager":    "module m\nrequire github.com/prometheus/alertmanager v0.31.1\n",
		"process-compose": "module m\nrequire github.com/f1bonacc1/process-compose v1.87.0\n",
	}
	for module, text := range pins {
		dir := filepath.Join(root, "deploy", "stack", module)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tools, err := Tools(root)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, tool := range tools {
		got[tool.Name] = tool.Version
	}
	want := map[string]string{
		"loki": "v3.7.8", "prometheus": "v0.313.5", "promtool": "v0.313.5", "tempo": "v1.5.1-0.2025",
		"alertmanager": "v0.31.1", "amtool": "v0.31.1", "process-compose": "v1.87.0",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := tools[1].Binary("/b"), "/b/prometheus-v0.313.5/prometheus"; got != want {
		t.Errorf("binary %q, want %q", got, want)
	}
	wantArgs := []string{
		"build", "-mod=readonly", "-buildvcs=false", "-tags", "remove_all_sd",
		"-ldflags", "-s -w -X github.com/prometheus/common/version.Version=0.313.5",
		"-o", "/out", "github.com/prometheus/prometheus/cmd/prometheus",
	}
	if got := tools[1].buildArgs("/out"); !reflect.DeepEqual(got, wantArgs) {
		t.Errorf("arguments %q, want %q", got, wantArgs)
	}

	if err := os.WriteFile(filepath.Join(root, "deploy/stack/tempo/go.mod"), []byte("module m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Tools(root); err == nil || !strings.Contains(err.Error(), `"tempo"`) {
		t.Errorf("without a pin: error %v, want one that names tempo", err)
	}
}

// fakeGo puts a program named go on the PATH. It logs each call and runs script, with the output file in $out.
func fakeGo(t *testing.T, script string) (calls func() []string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	text := "#!/bin/sh\nfor a; do [ \"$last\" = -o ] && out=$a; last=$a; done\necho \"$last\" >>" + log + "\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() []string {
		text, _ := os.ReadFile(log)
		return strings.Fields(string(text))
	}
}

// twoModules returns tools of two modules, with folders for the modules.
func twoModules(t *testing.T) (root string, tools []Tool) {
	t.Helper()
	root = repository(t)
	tools = []Tool{
		{Name: "one", Module: "a", Path: "x/one", Version: "v1", Stamp: "s", Cost: 10},
		{Name: "two", Module: "a", Path: "x/two", Version: "v1", Stamp: "s", Cost: 10},
		{Name: "three", Module: "b", Path: "x/three", Version: "v1", Stamp: "s", Cost: 10},
	}
	for _, tool := range tools {
		if err := os.MkdirAll(filepath.Join(root, "deploy", "stack", tool.Module), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root, tools
}

func TestBuildBuildsOnlyWhatIsMissing(t *testing.T) {
	calls := fakeGo(t, `echo program >"$out"`)
	root, tools := twoModules(t)
	bin := t.TempDir()
	if err := os.MkdirAll(filepath.Dir(tools[0].Binary(bin)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tools[0].Binary(bin), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, want := range []int{2, 0} {
		if built, err := Build(t.Context(), root, bin, tools, &out); err != nil || built != want {
			t.Fatalf("built %d, %v, want %d", built, err, want)
		}
	}
	if got := len(calls()); got != 2 {
		t.Errorf("go was called %d times, want 2: %v", got, calls())
	}
	for _, want := range []string{"Building 2 upstream programs", "2 of 2 built", "two done", "three done"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("progress lacks %q:\n%s", want, out.String())
		}
	}
	for _, tool := range tools {
		entries, err := os.ReadDir(filepath.Dir(tool.Binary(bin)))
		if err != nil || len(entries) != 1 || entries[0].Name() != tool.Name {
			t.Errorf("folder of %s holds %v, %v", tool.Name, entries, err)
		}
	}
}

func TestBuildShowsWhatTheCompilerSaid(t *testing.T) {
	fakeGo(t, `echo "main.go:1: no such thing" >&2; exit 1`)
	root, tools := twoModules(t)
	_, err := Build(t.Context(), root, t.TempDir(), tools, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "main.go:1: no such thing") || !strings.Contains(err.Error(), "build \"") {
		t.Errorf("error %v, want the tool and the compiler's words", err)
	}
}

func TestInterruptedBuildLeavesNoHalf(t *testing.T) {
	calls := fakeGo(t, `echo half >"$out"; exec sleep 3600`)
	root, tools := twoModules(t)
	bin := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := Build(ctx, root, bin, tools, &bytes.Buffer{})
		ended <- err
	}()
	machinetest.Eventually(t, "two builds run", func() bool { return len(calls()) >= 2 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the interruption", err)
	}
	found, err := filepath.Glob(filepath.Join(bin, "*", "*"))
	if err != nil || len(found) != 0 {
		t.Errorf("left behind: %v, %v", found, err)
	}
}

// TestBuildTrustsNoFolderOfOthers checks that no program is run that other users could have put there.
func TestBuildTrustsNoFolderOfOthers(t *testing.T) {
	tool := Tool{Name: "loki", Module: "loki"}
	for _, plant := range []func(bin string) error{
		func(bin string) error { return errors.Join(os.Mkdir(bin, 0o700), os.Chmod(bin, 0o777)) },
		func(bin string) error {
			binary := tool.Binary(bin)
			return errors.Join(os.MkdirAll(filepath.Dir(binary), 0o700), os.WriteFile(binary, nil, 0o700), os.Chmod(binary, 0o777))
		},
	} {
		bin := filepath.Join(t.TempDir(), "bin")
		if err := plant(bin); err != nil {
			t.Fatal(err)
		}
		if _, err := Build(t.Context(), t.TempDir(), bin, []Tool{tool}, io.Discard); !errors.Is(err, ErrSettings) {
			t.Errorf("error %v, want %v", err, ErrSettings)
		}
	}
}
