package topology

import (
	"slices"
	"testing"
)

func TestServices(t *testing.T) {
	ports := map[int]string{
		PortGrafana: "grafana", PortLoki: "loki", PortTempo: "tempo", PortOTLPGRPC: "otlp", PortOTLPHTTP: "otlp over http", PortLoad: "load",
		PortPrometheus: "prometheus", PortAlertmanager: "alertmanager", PortNotifications: "notifications", PortLokiGRPC: "loki grpc", PortTempoGRPC: "tempo grpc",
	}
	if len(ports) != 11 {
		t.Errorf("%d ports of programs: two are the same", len(ports))
	}
	known := map[string]bool{}
	for _, s := range Services() {
		known[s.Name] = true
		for _, port := range []int{s.Port, s.Admin} {
			if other := ports[port]; other != "" {
				t.Errorf("%s and %s both listen on %d", s.Name, other, port)
			}
			ports[port] = s.Name
		}
	}
	for port, name := range ports {
		if port > PortHighest {
			t.Errorf("%s listens on %d, above the highest port %d", name, port, PortHighest)
		}
	}
	for caller, calls := range Calls() {
		for _, called := range calls {
			if !known[called] || called == caller {
				t.Errorf("%s calls %s", caller, called)
			}
		}
		if !slices.IsSorted(calls) {
			t.Errorf("%s calls %v: want them sorted", caller, calls)
		}
	}
}

func TestNames(t *testing.T) {
	if got, want := Traced(), []string{"gateway", "catalog", "orders", "payments", "shipping"}; !slices.Equal(got, want) {
		t.Errorf("traced %v, want %v", got, want)
	}
	for name, want := range map[string][]string{
		Orders: {Catalog, Payments, Broker}, Shipping: {Orders, Broker}, Gateway: {Catalog, Orders}, Catalog: {}, Bank: {},
	} {
		if got := Find(name).Dials(); !slices.Equal(got, want) {
			t.Errorf("%s dials %v, want %v", name, got, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a service that does not exist was found")
		}
	}()
	Find("nobody")
}
