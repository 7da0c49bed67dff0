package dashboards

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// Every colour of every dashboard is in the palette.
func TestColoursAreOfThePalette(t *testing.T) {
	files, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	colour := regexp.MustCompile(`"(?:color|fixedColor|iconColor|fill)": "([^"]*)"`)
	scheme := regexp.MustCompile(`"(?:scheme|mode)": "([^"]*)"`)
	allowed := []string{heatScheme, "fixed", "shades", "thresholds"} // allowed schemes and modes
	found := 0
	for name, text := range files {
		for _, m := range colour.FindAllSubmatch(text, -1) {
			found++
			if !slices.Contains(palette(), string(m[1])) {
				t.Errorf("%s has the colour %s", name, m[1])
			}
		}
		for _, m := range scheme.FindAllSubmatch(text, -1) {
			word := string(m[1])
			if regexp.MustCompile(`^(palette|continuous)|^[A-Z]`).MatchString(word) && !slices.Contains(allowed, word) {
				t.Errorf("%s has the colour scheme %s", name, word)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d colours were found", found)
	}
}

// The colours differ for any colour vision, and have enough contrast on Grafana's dark and light
// pages.
func TestColoursAreSeenByEverybody(t *testing.T) {
	const (
		apart    = 15   // distance in CIELAB; 2.3 is just noticeable
		standOut = 2.25 // WCAG contrast; the lightest colour of the palette on white
	)
	for vision, sees := range visions() {
		for i, a := range palette() {
			for _, b := range palette()[i+1:] {
				if d := distance(lab(sees(linear(a))), lab(sees(linear(b)))); d < apart {
					t.Errorf("%s and %s are %.1f apart with %s, want %d", a, b, d, vision, apart)
				}
			}
		}
	}
	for _, page := range []string{"#181B1F", "#FFFFFF"} {
		for _, c := range palette() {
			if got := contrast(c, page); got < standOut {
				t.Errorf("%s on %s has a contrast of %.2f, want %.2f", c, page, got, standOut)
			}
		}
	}
}

type vector [3]float64

// visions returns transformations of colours to what people see: with normal vision, and without
// one kind of cone. The matrices are from Machado, Oliveira and Fernandes, "A Physiologically-based
// Model for Simulation of Color Vision Deficiency" (2009), severity 1.
func visions() map[string]func(vector) vector {
	through := func(m [3]vector) func(vector) vector {
		return func(c vector) vector {
			var out vector
			for i, row := range m {
				out[i] = min(1, max(0, row[0]*c[0]+row[1]*c[1]+row[2]*c[2]))
			}
			return out
		}
	}
	return map[string]func(vector) vector{
		"usual vision": func(c vector) vector { return c },
		"protanopia":   through([3]vector{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}),
		"deuteranopia": through([3]vector{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}),
		"tritanopia":   through([3]vector{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}),
	}
}

// linear converts an sRGB colour #RRGGBB to linear light.
func linear(hex string) vector {
	var out vector
	for i := range out {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic(fmt.Sprintf("colour %q: %v", hex, err))
		}
		c := float64(n) / 255
		if out[i] = c / 12.92; c > 0.04045 {
			out[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return out
}

// lab converts linear light to CIELAB under D65.
func lab(c vector) vector {
	f := func(v float64) float64 {
		if v > 0.008856 {
			return math.Cbrt(v)
		}
		return 7.787*v + 16.0/116
	}
	x := f((0.4124564*c[0] + 0.3575761*c[1] + 0.1804375*c[2]) / 0.95047)
	y := f(0.2126729*c[0] + 0.7151522*c[1] + 0.0721750*c[2])
	z := f((0.0193339*c[0] + 0.1191920*c[1] + 0.9503041*c[2]) / 1.08883)
	return vector{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func distance(a, b vector) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// contrast returns the contrast ratio of two colours, as defined by WCAG 2.
func contrast(a, b string) float64 {
	light := func(hex string) float64 {
		c := linear(hex)
		return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] + 0.05
	}
	x, y := light(a), light(b)
	return max(x, y) / min(x, y)
}
