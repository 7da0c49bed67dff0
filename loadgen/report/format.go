package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Latency formats a duration with three digits: "87.0 µs", "4.12 ms", "910 ms", "1.23 s".
func Latency(d time.Duration) string {
	value, unit := float64(d)/float64(time.Microsecond), "µs"
	switch abs := d.Abs(); {
	case d == 0:
		return "0"
	case abs >= 999500*time.Microsecond:
		value, unit = d.Seconds(), "s"
	case abs >= 999500*time.Nanosecond:
		value, unit = float64(d)/float64(time.Millisecond), "ms"
	}
	return threeDigits(value) + " " + unit
}

// threeDigits formats a value of at least 1 with three significant digits. It keeps all
// digits before the decimal point.
func threeDigits(value float64) string {
	decimals := 2
	switch abs := math.Abs(value); {
	case abs >= 99.95:
		decimals = 0
	case abs >= 9.995:
		decimals = 1
	}
	return strconv.FormatFloat(value, 'f', decimals, 64)
}

// Count formats a count with separators of thousands: "18,000".
func Count(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Rate formats a rate a second: "199.8/s", "13,638/s".
func Rate(r float64) string {
	if r >= 1000 {
		return Count(uint64(math.Round(r))) + "/s"
	}
	return strconv.FormatFloat(r, 'f', 1, 64) + "/s"
}

// Share formats part/whole in percent: "0.05 %"; "0" if part is 0. A positive share is never rounded
// to 0.
func Share(part, whole uint64) string {
	if part == 0 || whole == 0 {
		return "0"
	}
	percent := float64(part) / float64(whole) * 100
	if percent < 0.01 {
		return "< 0.01 %"
	}
	return threeDigits(percent) + " %"
}

// Bytes formats a number of bytes with decimal prefixes: "3.20 MB".
func Bytes(n int64) string {
	value, unit := float64(n), " B"
	for _, next := range []string{" kB", " MB", " GB", " TB"} {
		if value < 999.5 {
			break
		}
		value, unit = value/1000, next
	}
	if unit == " B" {
		return strconv.FormatInt(n, 10) + unit
	}
	return threeDigits(value) + unit
}

// Elapsed formats a length of time: "2m0s", "8.5s".
func Elapsed(d time.Duration) string {
	if d < time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
