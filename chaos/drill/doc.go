// Package drill is the format of drills: what a file declares (load, faults, and
// what must then be seen), the parser, and the schema and documentation made of it.
//
// It must not know how a drill is run, how a fault is made or how load is driven, and
// it links no service: a page or an editor can read drills with it.
package drill
