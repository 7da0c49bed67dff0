// Package session runs one drill on one copy, which is a running stack with its shop and
// data folder. It locks the copy, starts the load, reports the drill to the stack, runs it,
// and stores the results.
//
// It must not know how a copy is started, where its programs listen, or what the load
// generator and the rules of alerts look like: cmd passes that in as a Target and as
// functions.
package session
