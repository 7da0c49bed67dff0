package stack

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"firedrill/deploy/config"
)

func sampleStack(t *testing.T) (Stack, plan) {
	t.Helper()
	s := Settings{Root: "/repo", Data: t.TempDir(), Bin: "/bin", Offset: 1000, Retention: "31d", Shop: true, Load: true}
	tools := toolTable()
	for i := range tools {
		tools[i].Version = "v1"
	}
	p := newPrograms(s, tools, "/repo/.bin/firedrill", grafana{binary: "/usr/bin/grafana", home: "/usr/share/grafana"})
	k := Stack{Settings: s, Getenv: environment(map[string]string{"SHOP_JWT_KEY": "mine"})}
	return k, plan{tools: tools, programs: p, components: s.components(p)}
}

// The offset is added to every port, and no two components use the same port.
func TestPortsOfComponents(t *testing.T) {
	_, p := sampleStack(t)
	got := map[string][]int{}
	seen := map[int]string{}
	for _, c := range p.components {
		got[c.Name] = c.Ports
		for _, port := range c.Ports {
			if other, taken := seen[port]; taken {
				t.Errorf("%s and %s both want %d", c.Name, other, port)
			}
			seen[port] = c.Name
		}
		if !strings.HasPrefix(c.Ready, "http://127.0.0.1:") {
			t.Errorf("%s is probed at %s, beyond the loopback", c.Name, c.Ready)
		}
	}
	want := map[string][]int{
		"gateway": {9000, 9100}, "catalog": {9001, 9101}, "orders": {9002, 9102}, "payments": {9003, 9103},
		"shipping": {9004, 9104}, "bank": {9005, 9105}, "broker": {5222, 9106}, "load": {9107},
		"prometheus": {10090}, "alertmanager": {10093}, "notifications": {10094},
		"loki": {4100, 10096}, "tempo": {4200, 10097, 5317, 5318}, "grafana": {4000},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// The bank is not scraped: it stands for a third party without telemetry.
func TestScrapedServices(t *testing.T) {
	got := Settings{Shop: true}.values().Services
	want := []config.Target{
		{Job: "gateway", Addr: "127.0.0.1:8100"}, {Job: "catalog", Addr: "127.0.0.1:8101"}, {Job: "orders", Addr: "127.0.0.1:8102"},
		{Job: "payments", Addr: "127.0.0.1:8103"}, {Job: "shipping", Addr: "127.0.0.1:8104"}, {Job: "broker", Addr: "127.0.0.1:8106"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if got := (Settings{}).values().Services; got != nil {
		t.Errorf("without the shop %v are scraped", got)
	}
}

func TestComposeFile(t *testing.T) {
	k, p := sampleStack(t)
	if err := os.MkdirAll(k.runDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := k.render(p); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(k.composePath())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v, want that only the user reads the key in it", info.Mode(), err)
	}
	text, err := os.ReadFile(k.composePath())
	if err != nil {
		t.Fatal(err)
	}
	var file composeFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Processes) != len(p.components) {
		t.Errorf("%d processes, want %d", len(file.Processes), len(p.components))
	}
	if want := marker + "=" + k.Data; !slices.Contains(file.Environment, want) {
		t.Errorf("environment %v lacks %q", file.Environment, want)
	}
	orders := file.Processes["orders"]
	if want := []string{"/repo/.bin/shop", "orders"}; !reflect.DeepEqual(orders.Entrypoint, want) {
		t.Errorf("orders runs %v, want %v", orders.Entrypoint, want)
	}
	token, err := k.Secret(FaultsToken)
	if err != nil || len(token) != 64 {
		t.Errorf("token for faults %q, %v", token, err)
	}
	for _, want := range []string{
		"SHOP_FAULTS_TOKEN=" + token, "SHOP_JWT_KEY=mine", "LOKI_URL=http://127.0.0.1:4100", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:5317",
		"SHOP_DATA=" + filepath.Join(k.Data, "shop"), "LOG_FORMAT=json",
	} {
		if !slices.Contains(orders.Environment, want) {
			t.Errorf("environment of orders %v lacks %q", orders.Environment, want)
		}
	}
	if got, want := orders.ReadinessProbe.HTTPGet, (composeHTTPGet{Host: "127.0.0.1", Port: "9102", Path: "/readyz"}); got != want {
		t.Errorf("probe of orders %+v, want %+v", got, want)
	}
	load := file.Processes["load"]
	if want := []string{
		"/repo/.bin/firedrill", "load", "--admin", "127.0.0.1:9107", "--wait", "http://127.0.0.1:9100/readyz", "/repo/loadgen/profiles/trickle.yaml",
	}; !reflect.DeepEqual(load.Entrypoint, want) {
		t.Errorf("the load runs %v, want %v", load.Entrypoint, want)
	}
	tempo := file.Processes["tempo"]
	if slices.ContainsFunc(tempo.Environment, func(e string) bool { return strings.HasPrefix(e, "LOKI_URL") }) {
		t.Error("tempo gets the environment of the shop")
	}
	if tempo.Shutdown.TimeoutSeconds != 1 || orders.Shutdown.TimeoutSeconds != stopSeconds {
		t.Errorf("stop times %d and %d", tempo.Shutdown.TimeoutSeconds, orders.Shutdown.TimeoutSeconds)
	}
	if want := map[string]composeDependency{"loki": {"process_started"}, "tempo": {"process_started"}}; !reflect.DeepEqual(orders.DependsOn, want) {
		t.Errorf("orders depends on %v, want %v", orders.DependsOn, want)
	}
}

// The key is created once, so that tokens stay valid after a restart.
func TestJWTKeyStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	first, err := jwtKey(path)
	if err != nil || len(first) != 64 {
		t.Fatalf("key %q, %v, want 64 hexadecimal digits", first, err)
	}
	if second, err := jwtKey(path); err != nil || second != first {
		t.Errorf("second time %q, %v, want %q", second, err, first)
	}
}

func TestSocketPathFits(t *testing.T) {
	short := Settings{Data: "/data"}
	if got, want := short.socketPath(), "/data/run/pc.sock"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	a, b := Settings{Data: "/" + strings.Repeat("a", 120)}, Settings{Data: "/" + strings.Repeat("b", 120)}
	if len(a.socketPath()) > maxSocketPath || a.socketPath() == b.socketPath() {
		t.Errorf("sockets %q and %q", a.socketPath(), b.socketPath())
	}
}
