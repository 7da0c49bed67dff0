package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func sample() Values {
	at := func(port int) Endpoint { return Endpoint{Listen: "127.0.0.1", Host: "127.0.0.1", Port: port} }
	return Values{
		Data: "/var/lib/a copy", Retention: "31d",
		Rules:      []string{"/repo/alerts/stack/*.yaml", "/repo/alerts/generated/*.yaml"},
		Services:   []Target{{Job: "orders", Addr: "127.0.0.1:18102"}},
		Stack:      []Target{{Job: "loki", Addr: "127.0.0.1:13100"}},
		Drills:     "/var/lib/a copy/drill/*.json",
		Prometheus: at(19090), Alertmanager: at(19093), Notifications: at(19094),
		Loki: at(13100), LokiGRPC: at(19096),
		Tempo: at(13200), TempoGRPC: at(19097), OTLPGRPC: at(14317), OTLPHTTP: at(14318),
	}
}

// Each row is a value that must be in a rendered file, by its path in the YAML.
func TestRender(t *testing.T) {
	for _, tc := range []struct {
		file, path string
		want       any
	}{
		{"prometheus.yaml", "$.global.scrape_native_histograms", true},
		{"prometheus.yaml", "$.global.always_scrape_classic_histograms", true},
		{"prometheus.yaml", "$.global.scrape_protocols[0]", "PrometheusProto"},
		{"prometheus.yaml", "$.rule_files", []any{"/repo/alerts/stack/*.yaml", "/repo/alerts/generated/*.yaml"}},
		{"prometheus.yaml", "$.alerting.alertmanagers[0].static_configs[0].targets", []any{"127.0.0.1:19093"}},
		{"prometheus.yaml", "$.scrape_configs[0].job_name", "orders"},
		{"prometheus.yaml", "$.scrape_configs[0].scrape_interval", "1s"},
		{"prometheus.yaml", "$.scrape_configs[0].static_configs[0].targets", []any{"127.0.0.1:18102"}},
		{"prometheus.yaml", "$.scrape_configs[1].job_name", "loki"},
		{"prometheus.yaml", "$.scrape_configs[2].job_name", "drill"},
		{"prometheus.yaml", "$.scrape_configs[2].file_sd_configs[0].files", []any{"/var/lib/a copy/drill/*.json"}},
		{"prometheus.yaml", "$.storage.tsdb.retention.time", "31d"},
		{"alertmanager.yaml", "$.receivers[0].webhook_configs[0].url", "http://127.0.0.1:19094/webhook"},
		{"alertmanager.yaml", "$.receivers[0].webhook_configs[0].send_resolved", true},
		{"alertmanager.yaml", "$.receivers[1].webhook_configs[0].url", "http://127.0.0.1:19094/watchdog"},
		{"loki.yaml", "$.server.http_listen_port", uint64(13100)},
		{"loki.yaml", "$.server.grpc_listen_port", uint64(19096)},
		{"loki.yaml", "$.frontend_worker.frontend_address", "127.0.0.1:19096"},
		{"loki.yaml", "$.common.path_prefix", "/var/lib/a copy/loki"},
		{"loki.yaml", "$.limits_config.volume_enabled", true},
		{"loki.yaml", "$.limits_config.allow_structured_metadata", true},
		{"loki.yaml", "$.analytics.reporting_enabled", false},
		{"tempo.yaml", "$.server.http_listen_port", uint64(13200)},
		{"tempo.yaml", "$.distributor.receivers.otlp.protocols.grpc.endpoint", "127.0.0.1:14317"},
		{"tempo.yaml", "$.distributor.receivers.otlp.protocols.http.endpoint", "127.0.0.1:14318"},
		{"tempo.yaml", "$.metrics_generator.storage.remote_write[0].url", "http://127.0.0.1:19090/api/v1/write"},
		{"tempo.yaml", "$.metrics_generator.storage.remote_write[0].send_exemplars", true},
		{"tempo.yaml", "$.overrides.defaults.metrics_generator.processors", []any{"service-graphs", "span-metrics", "local-blocks"}},
		{"tempo.yaml", "$.storage.trace.local.path", "/var/lib/a copy/tempo/blocks"},
		{"tempo.yaml", "$.usage_report.reporting_enabled", false},
	} {
		t.Run(tc.file+" "+tc.path, func(t *testing.T) {
			text, err := Render(tc.file, sample())
			if err != nil {
				t.Fatal(err)
			}
			path, err := yaml.PathString(tc.path)
			if err != nil {
				t.Fatal(err)
			}
			var got any
			if err := path.Read(strings.NewReader(string(text)), &got); err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %#v, want %#v", got, tc.want)
			}
		})
	}
}

// Programs listen only on the addresses of the deployment: no template contains an address of all interfaces.
func TestRenderedAddressesComeFromValues(t *testing.T) {
	for _, name := range Names() {
		text, err := Render(name, sample())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "0.0.0.0") || strings.Contains(string(text), "<no value>") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestRenderUnknown(t *testing.T) {
	if _, err := Render("grafana.yaml", sample()); err == nil || !strings.Contains(err.Error(), `"grafana.yaml"`) {
		t.Errorf("error %v, want one that names the setting", err)
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	if err := Write(dir, sample()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !reflect.DeepEqual(got, Names()) {
		t.Errorf("wrote %v, want %v", got, Names())
	}
}
