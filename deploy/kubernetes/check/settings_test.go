package check

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"firedrill/deploy/config"
	"firedrill/deploy/stack"
)

var update = flag.Bool("update", false, "write the settings of the overlay local")

// values are what the settings in a cluster differ in from those of the native stack: addresses and folders.
func values() config.Values {
	at := func(service string, port int) config.Endpoint {
		return config.Endpoint{Listen: "0.0.0.0", Host: service, Port: port}
	}
	v := config.Values{
		Data: "/data", Retention: "31d", Rules: []string{"/etc/firedrill/rules/*.yaml"},
		Prometheus: at("prometheus", 9090), Alertmanager: at("alertmanager", 9093), Notifications: at("notifications", 9094),
		Loki: at("loki", 3100), LokiGRPC: at("loki", 9096),
		Tempo: at("tempo", 3200), TempoGRPC: at("tempo", 9097), OTLPGRPC: at("tempo", 4317), OTLPHTTP: at("tempo", 4318),
		Services: []config.Target{
			{Job: "gateway", Addr: "gateway.shop:8100"}, {Job: "catalog", Addr: "catalog.shop:8101"},
			{Job: "orders", Addr: "orders.shop:8102"}, {Job: "payments", Addr: "payments.shop:8103"},
			{Job: "shipping", Addr: "shipping.shop:8104"}, {Job: "broker", Addr: "broker.shop:8106"},
		},
	}
	for _, e := range []config.Endpoint{v.Prometheus, v.Alertmanager, v.Loki, v.Tempo, v.Notifications} {
		v.Stack = append(v.Stack, config.Target{Job: e.Host, Addr: e.Addr()})
	}
	return v
}

// The stack in a cluster has the settings of the native one.
func TestSettingsAreCurrent(t *testing.T) {
	for _, name := range config.Names() {
		want, err := config.Render(name, values())
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(home, "overlays", "local", "stack", "settings", name)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(file); err != nil || string(have) != string(want) {
			t.Errorf("%s is not current (%v): run go test -update in deploy/kubernetes/check", file, err)
		}
	}
}

// Every address that the settings name is a Service with that port.
func TestSettingsNameServices(t *testing.T) {
	ports := map[string]bool{}
	for _, o := range build(t, "overlays/local") {
		if o.GetKind() != "Service" {
			continue
		}
		all, _, err := unstructured.NestedSlice(o.Object, "spec", "ports")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			port := config.Endpoint{Host: o.GetName(), Port: int(p.(map[string]any)["port"].(int64))}
			ports[port.Addr()] = true
			port.Host += "." + o.GetNamespace()
			ports[port.Addr()] = true
		}
	}
	v := values()
	want := []string{v.Prometheus.Addr(), v.Alertmanager.Addr(), v.Notifications.Addr(), v.Loki.Addr(), v.OTLPGRPC.Addr(), "loki.observability:3100", "tempo.observability:4317"}
	for _, target := range append(v.Services, v.Stack...) {
		want = append(want, target.Addr)
	}
	for _, addr := range want {
		if !ports[addr] {
			t.Errorf("no Service listens at %s", addr)
		}
	}
}

// The images are of the versions that the native stack pins.
func TestImagesAreOfThePinnedVersions(t *testing.T) {
	tools, err := stack.Tools(root)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, tool := range tools {
		switch tool.Name {
		case "prometheus": // its module is v0.313.5 where the program is v3.13.5
			want["prom/prometheus"] = "v3.13." + tool.Version[strings.LastIndex(tool.Version, ".")+1:]
		case "alertmanager":
			want["prom/alertmanager"] = tool.Version
		case "loki":
			want["grafana/loki"] = strings.TrimPrefix(tool.Version, "v")
		}
	}
	// The module of Tempo is a commit between 2.8.0-rc.0 and 2.8.0, for which there is no image.
	want["grafana/tempo"] = "2.8.0"
	seen := map[string]string{}
	for _, o := range build(t, "overlays/local") {
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		for _, c := range containers {
			name, tag, _ := strings.Cut(c.(map[string]any)["image"].(string), ":")
			seen[name] = tag
		}
	}
	for name, tag := range want {
		if seen[name] != tag {
			t.Errorf("image %s is of version %q, want %q", name, seen[name], tag)
		}
	}
}
