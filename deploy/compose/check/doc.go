// Package check holds compose.yaml and the Dockerfile to what they promise, with Compose's own loader and BuildKit's own
// parser, and runs the shop's program as its container would be run. It is a module of its own so that these stay out of
// the kit. It starts no containers.
package check
