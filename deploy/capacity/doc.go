// Package capacity tells how much telemetry a rate of requests to the shop produces, and which resources are
// needed to store it. The costs of one request are measured on the running stack. The limits of the stack's
// programs are measured by a ramp of load on each. Plans for other rates are computed from both.
//
// It must not know how the stack is started, nor what drives the shop meanwhile.
package capacity
