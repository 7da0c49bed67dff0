// Package fault makes a drill's faults happen. There are three families, and each
// kind of fault is one file, one test and one paragraph of documentation:
//
//   - Faults of a service are shown by the service itself, told over its admin
//     listener (apps/fault). The service ends them when the lease does.
//   - Faults on the wire are toxics of a proxy, toxiproxy's, that stands in this
//     process between a caller and what it depends on. The caller is told to dial
//     the proxy instead, on a lease as well: it dials direct again when that ends.
//   - Faults of a process are done by a watchdog, a process of its own, which undoes
//     them when the lease ends or the runner does, however it is killed. Notes on
//     disk let anybody heal what even the watchdog did not live to undo.
//
// The package must not know what a drill expects, nor how a stack is started or
// where its programs listen: it is told, and given what starts and stops them.
package fault
