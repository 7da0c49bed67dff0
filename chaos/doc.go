// Package chaos runs drills: it reads what a drill declares (load, faults, and
// what must then be seen), drives it along its timeline, and judges what was seen.
//
// It reaches everything through small interfaces (an injector of faults, a load,
// probes, alerts), so it must not know which program or service a fault touches,
// how load is made, or where a backend listens; cmd wires them.
package chaos
