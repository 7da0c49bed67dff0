package compose

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"firedrill/deploy/config"
	"firedrill/deploy/stack"
	"firedrill/internal/machine"
)

func sample(t *testing.T) Project {
	t.Helper()
	return Project{
		Settings: stack.Settings{Root: "/repo", Data: t.TempDir(), Offset: 1000, Retention: "31d", Shop: true, Load: true},
		Version:  "v1.2-3-gabc+dirty", Out: os.Stderr,
		Getenv: func(name string) string { return map[string]string{"SHOP_JWT_KEY": "mine"}[name] },
	}
}

// leaves maps the path of each scalar in a YAML document to its value.
func leaves(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var document any
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	found := map[string]any{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				walk(path+"."+key, inner)
			}
		case []any:
			for i, inner := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), inner)
			}
		default:
			found[path] = v
		}
	}
	walk("$", document)
	return found
}

// address matches values that may differ: an address with or without a port, a URL, a folder or a file.
var address = regexp.MustCompile(`^((http://)?[a-z0-9.]+:\d+(/.*)?|\d+\.\d+\.\d+\.\d+|/.*)$`)

// The configuration in containers differs from that of the native stack only in addresses and folders.
func TestSettingsDifferOnlyInAddresses(t *testing.T) {
	s := sample(t).Settings
	s.Offset = 0
	for _, name := range config.Names() {
		nativeText, err := config.Render(name, s.Values())
		if err != nil {
			t.Fatal(err)
		}
		text, err := Setting(name, s)
		if err != nil {
			t.Fatal(err)
		}
		native, contained := leaves(t, nativeText), leaves(t, text)
		differ := 0
		for path, was := range native {
			is, there := contained[path]
			switch {
			case reflect.DeepEqual(was, is):
				continue
			case !there, !address.MatchString(fmt.Sprint(was)), !address.MatchString(fmt.Sprint(is)):
				t.Errorf("%s: %s is %v natively and %v in a container", name, path, was, is)
			}
			differ++
		}
		if len(native) != len(contained) || differ == 0 {
			t.Errorf("%s has %d values natively, %d in a container, of which %d differ", name, len(native), len(contained), differ)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name, path string
		want       any
	}{
		{"prometheus.yaml", "$.scrape_configs[2].static_configs[0].targets[0]", "orders:8102"},
		{"prometheus.yaml", "$.scrape_configs[6].static_configs[0].targets[0]", "prometheus:9090"},
		{"prometheus.yaml", "$.alerting.alertmanagers[0].static_configs[0].targets[0]", "alertmanager:9093"},
		{"prometheus.yaml", "$.rule_files[2]", "/etc/prometheus/rules/generated/*.yaml"},
		{"alertmanager.yaml", "$.receivers[0].webhook_configs[0].url", "http://notifications:9094/webhook"},
		{"loki.yaml", "$.server.http_listen_address", "0.0.0.0"},
		{"loki.yaml", "$.server.http_listen_port", uint64(3100)},
		{"loki.yaml", "$.common.storage.filesystem.chunks_directory", "/loki/chunks"},
		{"loki.yaml", "$.frontend_worker.frontend_address", "127.0.0.1:9096"}, // the program itself
		{"tempo.yaml", "$.distributor.receivers.otlp.protocols.grpc.endpoint", "0.0.0.0:4317"},
		{"tempo.yaml", "$.metrics_generator.storage.remote_write[0].url", "http://prometheus:9090/api/v1/write"},
		{"tempo.yaml", "$.storage.trace.local.path", "/var/tempo/blocks"},
	} {
		text, err := Setting(c.name, sample(t).Settings)
		if err != nil {
			t.Fatal(err)
		}
		if got := leaves(t, text)[c.path]; got != c.want {
			t.Errorf("%s: %s is %#v, want %#v", c.name, c.path, got, c.want)
		}
	}
}

func TestVariables(t *testing.T) {
	p := sample(t)
	release, err := p.Lock(t.Context(), os.Stderr) // creates the folder of the secrets
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	got, err := p.Variables()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"FIREDRILL_DATA=" + p.Data, "FIREDRILL_VERSION=v1.2-3-gabc-dirty", "SHOP_JWT_KEY=mine", "LOG_FORMAT=json",
		"PORT_8000=9000", "PORT_8107=9107", "PORT_3000=4000", "PORT_4317=5317", "LOAD_SCALE=1",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%v lacks %q", got, want)
		}
	}
	again, err := p.Variables()
	if err != nil || !slices.Equal(got, again) {
		t.Errorf("a second time %v, %v, want the same", again, err)
	}
	slow := p
	slow.Machine = machine.Capacity{Cores: 2, Speed: 0.3}
	if got, err := slow.Variables(); err != nil || !slices.Contains(got, "LOAD_SCALE=0.4") {
		t.Errorf("on a slow machine %v, %v, want LOAD_SCALE=0.4", got, err)
	}
	other := p
	other.Data = t.TempDir()
	if p.name() == other.name() {
		t.Errorf("two copies are both named %q", p.name())
	}
}

// Programs in containers run as other users. They must be able to read what they mount, but not the secrets.
func TestRenderedModes(t *testing.T) {
	p := sample(t)
	release, err := p.Lock(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := p.Render(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{
		"config/loki.yaml": 0o644, "config/load": 0o755, "config/load/background.json": 0o644, "rules": 0o755, "run/compose.env": 0o600,
	} {
		info, err := os.Stat(filepath.Join(p.Data, path))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(p.Data, "config/load/background.json"))
	if want := `[{"labels":{"tier":"background"},"targets":["load:8107"]}]`; err != nil || string(text) != want {
		t.Errorf("the load is %s, %v; want %s", text, err, want)
	}
	p.Load = false
	if err := p.Render(); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(p.Data, "config/load/*")); len(files) != 0 {
		t.Errorf("without load there is %s", strings.Join(files, ", "))
	}
}

// TestUpRefusesFolders checks that a folder that cannot be mounted is refused before anything is created or started.
func TestUpRefusesFolders(t *testing.T) {
	for _, name := range []string{"a:b", "a$b", `a"b`, "a'b", "a #b"} {
		p := Project{Settings: stack.Settings{Data: filepath.Join(t.TempDir(), name)}, Out: io.Discard}
		if _, err := p.Up(t.Context()); !errors.Is(err, stack.ErrSettings) || !strings.Contains(err.Error(), "Docker Compose cannot take") {
			t.Errorf("%s: %v, want %v", name, err, stack.ErrSettings)
		}
		if _, err := os.Stat(p.Data); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was created: %v", name, err)
		}
	}
	if err := (Project{Settings: stack.Settings{Data: "/with spaces, 100% é"}}).checkData(); err != nil {
		t.Error(err)
	}
}
