// Package topology defines the services and programs, the ports on which they listen, and the calls between
// services. It is only data: it must not start or query anything. A test compares the calls with the imports of
// apps.
package topology

// Service is a service of the shop.
type Service struct {
	Name  string
	Port  int      // before the offset
	Admin int      // port of the admin listener, before the offset
	Calls []string // names of the services that it calls, sorted
	// Events is true if the service publishes or consumes events through the broker.
	Events bool
	// Silent is true if the service exports no telemetry of requests: the bank is like a real external
	// provider, and the broker is not a service in traces.
	Silent bool
}

// Names of the services.
const (
	Gateway  = "gateway"
	Catalog  = "catalog"
	Orders   = "orders"
	Payments = "payments"
	Shipping = "shipping"
	Bank     = "bank"
	Broker   = "broker"
)

// Ports of the programs of the stack, before the offset.
const (
	PortGrafana       = 3000
	PortConsole       = 8080
	PortLoki          = 3100
	PortTempo         = 3200
	PortOTLPGRPC      = 4317
	PortOTLPHTTP      = 4318
	PortLoad          = 8107
	PortPrometheus    = 9090
	PortAlertmanager  = 9093
	PortNotifications = 9094
	PortLokiGRPC      = 9096
	PortTempoGRPC     = 9097
)

// PortHighest is the highest port of all, before the offset.
const PortHighest = PortTempoGRPC

// Services returns the services of the shop, from the edge inwards.
func Services() []Service {
	return []Service{
		{Name: Gateway, Port: 8000, Admin: 8100, Calls: []string{Catalog, Orders}},
		{Name: Catalog, Port: 8001, Admin: 8101},
		{Name: Orders, Port: 8002, Admin: 8102, Calls: []string{Catalog, Payments}, Events: true},
		{Name: Payments, Port: 8003, Admin: 8103, Calls: []string{Bank}},
		{Name: Shipping, Port: 8004, Admin: 8104, Calls: []string{Orders}, Events: true},
		{Name: Bank, Port: 8005, Admin: 8105, Silent: true},
		{Name: Broker, Port: 4222, Admin: 8106, Silent: true},
	}
}

// Find returns the service with a name. It panics if there is none, because names are constants of this
// package.
func Find(name string) Service {
	for _, s := range Services() {
		if s.Name == name {
			return s
		}
	}
	panic("topology: no service " + name)
}

// Traced returns the names of the services that export telemetry of requests, from
// the edge inwards.
func Traced() []string {
	var names []string
	for _, s := range Services() {
		if !s.Silent {
			names = append(names, s.Name)
		}
	}
	return names
}

// Calls returns which services each service calls over HTTP. The list is empty for a service that calls none.
// Service.Events tells which services use the broker.
func Calls() map[string][]string {
	calls := map[string][]string{}
	for _, s := range Services() {
		calls[s.Name] = s.Calls
	}
	return calls
}

// Dials returns the components of the shop to which a service connects: the services that it calls, and the
// broker if it uses events.
func (s Service) Dials() []string {
	all := append([]string(nil), s.Calls...)
	if s.Events {
		all = append(all, Broker)
	}
	return all
}
