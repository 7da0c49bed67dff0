// Package fault makes a service show faults on purpose, each on a lease: it
// slows or fails requests, takes memory, processor or connections, or makes one
// of the service's parts misbehave, until the lease ends, whatever became of who
// asked for it.
//
// A service is given a *Set and hands it what faults need to get at: its
// handlers, clocks, checks, connections. A nil *Set is off: all that it hands
// back is what it was handed, and a request costs nothing more.
//
// Operators tell a Set over the service's admin listener. Without a token there
// is no Set, and /faults is not found.
//
//	GET    /faults       what the service can show, and what it shows
//	PUT    /faults/{id}  begin a fault, or renew its lease
//	DELETE /faults/{id}  end it; answered when it is undone
//	DELETE /faults       end all
//
// Faults are silent: neither metrics nor logs say which is on, as a service that
// is really broken would not say so either, and a participant of a drill must not
// read the answer off a dashboard. Who wants them told says so ("told": true);
// then shop_fault_active is 1 for their kind, and a line is logged at begin and end.
//
// The package must not know what any service does, nor what drills are.
package fault
