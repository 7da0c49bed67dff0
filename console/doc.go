// Package console serves a page on which a stack can be looked at: a map of its services, traces, logs, metrics,
// objectives and alerts. The page is embedded in the program, so it works offline.
//
// The page asks the backends through this server. The server passes on only the reading paths of their APIs, asks each
// question once however many viewers have it, and pushes what all viewers look at over one event stream.
//
// It must not know how the stack was started.
package console
