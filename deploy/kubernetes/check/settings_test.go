package check

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"firedrill/deploy/config"
)

var update = flag.Bool("update", false, "write the settings of the overlay local")

// values returns the values for the configuration in a cluster. It differs from that of the native stack only
// in addresses and folders.
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

// The stack in a cluster has the same configuration as the native one.
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

// Every address in the configuration is a Service with that port.
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

// The images are the same as in deploy/compose, with the versions of the native stack.
func TestImagesAreThoseOfCompose(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "deploy", "compose", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, image := range regexp.MustCompile(`(?m)^ +image: (?:&\S+ )?([a-z][^:\s]*):(\S+)$`).FindAllStringSubmatch(string(text), -1) {
		want[image[1]] = image[2]
	}
	for name, tag := range want { // built here, without a version
		if strings.HasPrefix(name, "firedrill/") && strings.HasSuffix(tag, ":-local}") {
			want[name] = "local"
		}
	}
	got := map[string]string{}
	for _, o := range build(t, "overlays/local") {
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		for _, c := range containers {
			name, tag, _ := strings.Cut(c.(map[string]any)["image"].(string), ":")
			got[name] = tag
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("images are %v, want %v", got, want)
	}
}
