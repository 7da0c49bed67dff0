// Package check checks compose.yaml and the Dockerfile with Compose's own loader and BuildKit's own parser. It
// also runs the shop's program as its container would run it, but starts no containers. It is a separate
// module, so that its dependencies are not those of the main module.
package check
