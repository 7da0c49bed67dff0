// Package fault injects the faults of a drill. There are three families. Each kind of fault
// has one file, one test and one paragraph of documentation:
//
//   - Services show faults themselves. The package requests them over the admin listener of a
//     service, with package apps/fault/client. The service ends them when the lease ends.
//   - Faults on the wire are toxics of a toxiproxy proxy. The proxy runs in this process,
//     between a caller and a dependency. The package requests, also on a lease, that the
//     caller dials the proxy. When the lease ends, the caller dials the dependency directly
//     again.
//   - Faults of processes are injected by a watchdog, which is a separate process. It undoes
//     a fault when the lease ends or when the runner ends, even if the runner is killed. With
//     notes on disk, any process can undo what a killed watchdog left.
//
// The package must not know what a drill expects, how a stack is started or where its
// programs listen: Config says it.
package fault
