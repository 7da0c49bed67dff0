// Package machine measures this machine: how much work it can do (Calibrate) and whether it keeps up while
// something is measured (Watch). With both, a verdict can distinguish a broken service from a machine that was
// too slow to decide.
//
// It must not know what runs on the machine, nor what a slow machine means for a verdict.
package machine
