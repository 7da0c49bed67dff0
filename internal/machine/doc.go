// Package machine measures the machine that everything runs on: how much it can carry (Calibrate) and whether it keeps up
// while something is measured (Watch). With the two a verdict can tell a broken service from a machine that was too slow
// to say.
//
// It must not know what runs on the machine, nor what a slow machine means for a verdict.
package machine
