// Package fault makes a service show faults on purpose. A fault slows or fails
// requests, uses up memory, CPU or connections, or makes one part of the
// service misbehave. Each fault has a lease. When the lease ends, the fault
// ends by itself, even if the client that began it is gone.
//
// A service creates a *Set and passes it the parts that faults need: handlers,
// clocks, checks and connections. A nil *Set means that faults are off: its
// methods return their argument unchanged, and a request costs nothing more.
//
// Operators control a Set over the service's admin listener. Without a token
// there is no Set, and /faults returns 404.
//
//	GET    /faults       what the service can show, and its active faults
//	PUT    /faults/{id}  begin a fault, or renew its lease
//	DELETE /faults/{id}  end a fault; responds when it is undone
//	DELETE /faults       end all faults
//
// By default no metric or log says which fault is active, so that participants
// of a drill cannot read the answer on a dashboard. With "told": true in the
// request, shop_fault_active is 1 for the kind, and a line is logged at the
// fault's begin and end.
//
// The package must not know what any service does, or what drills are.
package fault
