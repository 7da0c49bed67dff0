// Package kinds is the catalogue of the faults that a service can show: their
// names, what they do, and which parameters they take.
//
// It is data only, so that a drill can be parsed, documented or displayed without
// linking a service. It must not know how a fault is shown; package fault does.
package kinds
