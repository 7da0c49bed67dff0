// Package run runs a drill along its timeline, records what is seen, and judges it.
//
// It reaches everything through small interfaces (an injector of faults, a load,
// probes, alerts). It must not know which program or service a fault touches, how load
// is made, or where a backend listens; cmd wires them.
package run
