package stack

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"firedrill/deploy/config"
)

func distributedStack(t *testing.T) (Stack, plan) {
	t.Helper()
	k, p := sampleStack(t)
	k.Distributed = true
	p.components = k.components(p.programs)
	return k, p
}

// Loki and Tempo have the same addresses as in one process. Each target has ports of its own, and all start
// after what they need.
func TestComponentsOfDistributedStack(t *testing.T) {
	_, p := distributedStack(t)
	seen, names, commands := map[int]string{}, []string{}, map[string][]string{}
	for _, c := range p.components {
		names = append(names, c.Name)
		commands[c.Name] = c.Command
		for _, port := range c.Ports {
			if other, taken := seen[port]; taken {
				t.Errorf("%s and %s both want %d", c.Name, other, port)
			}
			seen[port] = c.Name
		}
	}
	for _, c := range p.components {
		for _, other := range c.After {
			if !slices.Contains(names, other) {
				t.Errorf("%s starts after %s, which there is not", c.Name, other)
			}
		}
	}
	for port, want := range map[int]string{4100: "loki", 4200: "tempo", 5317: "tempo-distributor", 5318: "tempo-distributor", 4120: "loki-ingester"} {
		if seen[port] != want {
			t.Errorf("%d is %q's, want %q", port, seen[port], want)
		}
	}
	if got := len(names); got != 14+len(targets()) {
		t.Errorf("%d components, want those of the native stack and %d targets: %v", got, len(targets()), names)
	}
	for name, want := range map[string]string{
		"loki":          "/repo/.bin/firedrill entry --addr 127.0.0.1:4100 --write http://127.0.0.1:4110 --read http://127.0.0.1:4130",
		"tempo-querier": "/bin/tempo-v1/tempo -target=querier -config.file=",
	} {
		if got := strings.Join(commands[name], " "); !strings.HasPrefix(got, want) {
			t.Errorf("%s runs %q, want %q", name, got, want)
		}
	}
}

func TestScrapeTargetsOfDistributedStack(t *testing.T) {
	k, _ := distributedStack(t)
	want := []config.Target{
		{Job: "prometheus", Addr: "127.0.0.1:10090"}, {Job: "alertmanager", Addr: "127.0.0.1:10093"},
		{Job: "loki", Addr: "127.0.0.1:4110", Others: []string{"127.0.0.1:4120", "127.0.0.1:4130", "127.0.0.1:4140", "127.0.0.1:4150"}},
		{Job: "tempo", Addr: "127.0.0.1:4210", Others: []string{"127.0.0.1:4220", "127.0.0.1:4230", "127.0.0.1:4240", "127.0.0.1:4250", "127.0.0.1:4260"}},
		{Job: "notifications", Addr: "127.0.0.1:10094"},
	}
	if got := k.values().Stack; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// Each target has a configuration file of its own, with the addresses of the others.
func TestSettingsOfTargets(t *testing.T) {
	k, p := distributedStack(t)
	if err := os.MkdirAll(k.runDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := k.render(p); err != nil {
		t.Fatal(err)
	}
	for file, wants := range map[string][]string{
		"loki-ingester": {
			"http_listen_port: 4120", "grpc_listen_port: 4121", "bind_port: 4122", `join_members: ["127.0.0.1:4122"]`,
			"kvstore: {store: memberlist}", "compactor_grpc_address: 127.0.0.1:4151",
			`path_prefix: "` + k.Data + `/loki/ingester"`, `chunks_directory: "` + k.Data + `/loki/chunks"`,
		},
		"loki-querier": {"http_listen_port: 4140", "frontend_address: 127.0.0.1:4131"},
		"tempo-distributor": {
			"http_listen_port: 4210", "endpoint: 127.0.0.1:5317", "bind_port: 4212", `join_members: ["127.0.0.1:4222"]`,
		},
		"tempo-querier":           {"frontend_address: 127.0.0.1:4241"},
		"tempo-metrics-generator": {`path: "` + k.Data + `/tempo/metrics-generator/generator/wal"`, `path: "` + k.Data + `/tempo/blocks"`},
	} {
		text, err := os.ReadFile(k.setting(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s lacks %q:\n%s", file, want, text)
			}
		}
		if strings.Contains(string(text), "inmemory") {
			t.Errorf("%s has a ring of its own:\n%s", file, text)
		}
	}
}
