// Package fault makes the faults of a drill. There are three families, and each kind of
// fault has one file, one test and one paragraph of documentation:
//
//   - A service shows its faults itself. It is asked to over its admin listener, with
//     package apps/fault/client, and ends them when the lease ends.
//   - Faults on the wire are toxics of a proxy of toxiproxy, which stands in this
//     process between a caller and a dependency. The caller is asked to dial the proxy
//     instead, also on a lease, and dials directly again when the lease ends.
//   - A watchdog, a process of its own, does faults of processes. It undoes them when
//     the lease ends or when the runner does, however the runner is killed. Notes on
//     disk let any process undo what a killed watchdog left.
//
// The package must not know what a drill expects, how a stack is started or where its
// programs listen: Config says it.
package fault
