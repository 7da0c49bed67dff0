// Package capacity says what a rate of requests to the shop makes of telemetry,
// and what it takes to keep that: costs of one request are measured on the
// running stack, limits of the stack's programs by a ramp of load on each, and
// plans for other rates are computed from both.
//
// It must not know how the stack is started, nor what drives the shop meanwhile.
package capacity
