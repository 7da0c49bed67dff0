// Package session runs one drill on one copy: a running stack with its shop and data
// folder. It locks the copy, drives the load, tells the stack of the drill, runs it,
// and keeps what it came to.
//
// It must not know how a copy is started, where its programs listen, or what the load
// generator and the rules of alerts look like: cmd passes that in as a Target and as
// functions.
package session
