package chart

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func labels(a Axis) string {
	var list []string
	for _, t := range a.ticks {
		list = append(list, fmt.Sprintf("%s@%.2f", t.label, a.place(t.value)))
	}
	return strings.Join(list, " ")
}

func plain(v float64) string { return fmt.Sprint(v) }

func TestAxes(t *testing.T) {
	tests := []struct {
		name string
		axis Axis
		want string
	}{
		{"from zero", FromZero("", 230, 5, plain), "0@0.00 50@0.20 100@0.40 150@0.60 200@0.80 250@1.00"},
		{"from zero to nothing", FromZero("", 0, 2, func(float64) string { return "" }), "@0.00 @0.50 @1.00"},
		{"linear", Linear("", -1, 1, 2, plain), "-1@0.00 0@0.50 1@1.00"},
		{"log", Log("", 3, 40, plain), "2@0.00 5@0.28 10@0.50 20@0.72 50@1.00"},
		{"log of one value", Log("", 5, 5, plain), "5@0.00 10@1.00"},
		{"log of many decades", Log("", 1, 100000, plain), "1@0.00 10@0.20 100@0.40 1000@0.60 10000@0.80 100000@1.00"},
		{"time", Time("", time.Minute), "0s@0.00 10s@0.17 20s@0.33 30s@0.50 40s@0.67 50s@0.83 1m0s@1.00"},
		{"a day", Time("", 24*time.Hour), "0s@0.00 4h0m0s@0.17 8h0m0s@0.33 12h0m0s@0.50 16h0m0s@0.67 20h0m0s@0.83 24h0m0s@1.00"},
		{"nines", Nines("", 99.9), "0 %@0.00 50 %@0.10 90 %@0.33 99 %@0.67 99.9 %@1.00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := labels(test.axis); got != test.want {
				t.Errorf("ticks %s, want %s", got, test.want)
			}
		})
	}
}

func TestDraw(t *testing.T) {
	d := Chart{
		Title: "two lines", X: Linear("x", 0, 4, 4, plain), Y: Linear("y", 0, 10, 5, plain), Height: 164, // the plot is 726 by 100
		Lines: []Line{
			{Name: "broken", Points: []Point{{0, 0}, {1, 10}, {2, math.NaN()}, {3, 5}}},
			{Name: "steps", Style: 1, Steps: true, Points: []Point{{0, 0}, {2, 5}, {4, 5}}},
			{Name: "nothing", Points: []Point{{1, math.NaN()}}},
		},
		Bands: []Band{{0, 2, "first half"}, {2, 2.1, "short"}},
		Bars:  []Bar{{From: 1, To: 2, Height: 5, Style: 3}},
		Marks: []Mark{{10, "limit"}},
		Hints: []Hint{{0, 4, "all"}},
	}.Draw()
	if want := "M62.0 126.0L243.5 26.0M606.5 76.0h0.1"; d.Lines[0].Data != want {
		t.Errorf("broken line %s, want %s", d.Lines[0].Data, want)
	}
	if want := "M62.0 126.0H425.0V76.0H788.0V76.0"; d.Lines[1].Data != want {
		t.Errorf("steps %s, want %s", d.Lines[1].Data, want)
	}
	if len(d.Names) != 2 || d.Names[1].Y-d.Names[0].Y < labelHeight {
		t.Errorf("names cover each other: %+v", d.Names)
	}
	if d.Bands[0].Text != "first half" || d.Bands[0].Center() != 243.5 || d.Bands[1].Text != "" {
		t.Errorf("bands %+v", d.Bands)
	}
	if bar := d.Bars[0]; bar.Y != 76 || bar.Height != 50 || bar.Style != 3 {
		t.Errorf("bar %+v", bar)
	}
	if d.Marks[0].Y != 26 || d.Hints[0].Width != 726 {
		t.Errorf("mark %+v, hint %+v", d.Marks[0], d.Hints[0])
	}
}

func TestNamesKeepApartWithinThePlot(t *testing.T) {
	names := []Name{{LineY: 120, Y: 120}, {LineY: 119, Y: 119}, {LineY: 118, Y: 118}, {LineY: 20, Y: 20}}
	spread(names, 20, 125)
	for i := 1; i < len(names); i++ {
		if names[i].Y-names[i-1].Y < labelHeight || names[i].LineY < names[i-1].LineY {
			t.Errorf("names %+v", names)
		}
	}
	if names[3].Y > 125 || names[0].Y < 20 {
		t.Errorf("names leave the plot: %+v", names)
	}
}
