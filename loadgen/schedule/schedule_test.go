package schedule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"firedrill/loadgen/schedule"
)

type named struct {
	name  string
	stage schedule.Stage
}

func shapes() []named {
	even := map[string]schedule.Shape{
		"constant":       schedule.Constant(200, 10*time.Second),
		"slow":           schedule.Constant(0.3, time.Minute),
		"fast":           schedule.Constant(123_456.7, 300*time.Millisecond),
		"ramp up":        schedule.Linear{From: 0, To: 500, For: 7 * time.Second},
		"ramp down":      schedule.Linear{From: 500, To: 0, For: 7 * time.Second},
		"nearly flat":    schedule.Linear{From: 100, To: 100.000001, For: 10 * time.Second},
		"steps":          schedule.Steps(10, 400, 7, 10*time.Second),
		"one step":       schedule.Steps(10, 400, 1, 10*time.Second),
		"sine":           schedule.Sine{Mean: 100, Amplitude: 80, Period: 3 * time.Second, For: 10 * time.Second},
		"sine to nought": schedule.Sine{Mean: 100, Amplitude: 100, Period: 5 * time.Second, For: 10 * time.Second},
		"day":            schedule.Sine{Mean: 1, Amplitude: 0.9, Period: 24 * time.Hour, For: time.Hour},
		"spike": schedule.Spike{Base: 20, Peak: 900, At: 2 * time.Second, Rise: time.Second, Hold: time.Second,
			Fall: time.Second, Length: 8 * time.Second}.Chain(),
		"spike at once": schedule.Spike{Base: 20, Peak: 900, Hold: time.Second, Length: 3 * time.Second}.Chain(),
	}
	var all []named
	for name, shape := range even {
		all = append(all, named{name, schedule.Stage{Shape: shape}},
			named{name + ", Poisson", schedule.Stage{Shape: shape, Poisson: true}})
	}
	return all
}

func build(t testing.TB, seed uint64, stages ...schedule.Stage) *schedule.Schedule {
	t.Helper()
	s, err := schedule.New(stages, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// agree checks that Count and At agree for every request, and that both agree with the ends
// of the stages.
func agree(t *testing.T, s *schedule.Schedule) {
	t.Helper()
	last := time.Duration(0)
	for n := range s.Total() {
		due, stage := s.At(n)
		if due < last {
			t.Fatalf("request %d is due at %d ns, %d ns before the one ahead of it", n, due, last-due)
		}
		if due < 0 || due >= s.Length() || s.Stage(due) != stage {
			t.Fatalf("request %d is due at %v in stage %d; there is stage %d, and the end at %v", n, due, stage, s.Stage(due), s.Length())
		}
		if got := s.Count(due); got < n+1 {
			t.Fatalf("request %d is due at %d ns, but Count says %d until then", n, due, got)
		}
		if got := s.Count(due - 1); got > n {
			t.Fatalf("request %d is due at %d ns, but Count says %d before it", n, due, got)
		}
		last = due
	}
	if got := s.Count(s.Length()); got != s.Total() {
		t.Errorf("Count at the end = %d, Total = %d", got, s.Total())
	}
	if got := s.Count(-1); got != 0 {
		t.Errorf("Count before the beginning = %d", got)
	}
}

func TestCountAndInverseAgree(t *testing.T) {
	for _, tt := range shapes() {
		t.Run(tt.name, func(t *testing.T) {
			s := build(t, 7, tt.stage)
			agree(t, s)
			want := tt.stage.Shape.Expected(tt.stage.Shape.Seconds())
			if got := float64(s.Total()); math.Abs(got-want) > 1 {
				t.Errorf("Total = %v, the shape expects %v", got, want)
			}
		})
	}
}

func TestEvenCountsFollowTheShape(t *testing.T) {
	for _, tt := range shapes() {
		if tt.stage.Poisson {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			s := build(t, 0, tt.stage)
			length := tt.stage.Shape.Seconds()
			for i := range 1000 {
				at := length * float64(i) / 1000
				got := float64(s.Count(time.Duration(at * 1e9)))
				if want := tt.stage.Shape.Expected(at); got < want-1e-3 || got > want+1+1e-3 {
					t.Fatalf("Count(%v s) = %v, the shape expects %v", at, got, want)
				}
			}
		})
	}
}

// TestExpectedIsTheIntegralOfRate compares Expected with the integral of Rate, computed
// independently by the trapezoidal rule.
func TestExpectedIsTheIntegralOfRate(t *testing.T) {
	const steps = 200_000
	for _, tt := range shapes() {
		shape := tt.stage.Shape
		dt, sum, peak := shape.Seconds()/steps, 0.0, 0.0
		for i := range steps {
			at := dt * (float64(i) + 0.5)
			sum += shape.Rate(at) * dt
			peak = max(peak, shape.Rate(at))
		}
		if want := shape.Expected(shape.Seconds()); math.Abs(sum-want) > 2*peak*dt+1e-6*want {
			t.Errorf("%s: the integral is %v, Expected %v", tt.name, sum, want)
		}
	}
}

func TestManyStages(t *testing.T) {
	all := shapes()
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range 30 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			var stages []schedule.Stage
			var want float64
			for range 1 + draw.IntN(5) {
				st := all[draw.IntN(len(all))].stage
				if st.Shape.Expected(st.Shape.Seconds()) > 1e4 {
					continue
				}
				stages = append(stages, st)
				want += st.Shape.Expected(st.Shape.Seconds())
			}
			if len(stages) == 0 {
				return
			}
			s := build(t, uint64(i), stages...)
			agree(t, s)
			if got := float64(s.Total()); got < want-1e-3 || got > want+1 {
				t.Errorf("Total = %v, the stages expect %v: fractions must carry over", got, want)
			}
			var sum uint64
			for stage := range stages {
				sum += s.Requests(stage)
			}
			if sum != s.Total() {
				t.Errorf("the stages have %d requests, the whole %d", sum, s.Total())
			}
		})
	}
}

func TestShardsAddUpToTheWhole(t *testing.T) {
	for _, tt := range shapes() {
		for _, of := range []int{1, 2, 3, 7} {
			s := build(t, 3, tt.stage, schedule.Stage{Shape: schedule.Constant(11, time.Second)})
			seen := make([]int, s.Total())
			var total, count, inStage uint64
			half := s.Length() / 2
			for i := 1; i <= of; i++ {
				part := s.Part(schedule.Shard{Index: i, Of: of})
				total += part.Total()
				count += part.Count(half)
				inStage += part.Requests(1)
				for n := range part.Total() {
					seen[part.Number(n)]++
				}
			}
			for n, times := range seen {
				if times != 1 {
					t.Fatalf("%s: request %d is sent by %d of %d shards", tt.name, n, times, of)
				}
			}
			if total != s.Total() || count != s.Count(half) || inStage != s.Requests(1) {
				t.Errorf("%s of %d: totals %d, %d, %d; the whole has %d, %d, %d", tt.name, of,
					total, count, inStage, s.Total(), s.Count(half), s.Requests(1))
			}
		}
	}
}

func TestSameSeedSameSchedule(t *testing.T) {
	stage := schedule.Stage{Shape: schedule.Constant(500, 4*time.Second), Poisson: true}
	a, b, other := build(t, 1, stage), build(t, 1, stage), build(t, 2, stage)
	moved := 0
	for n := range a.Total() {
		da, _ := a.At(n)
		db, _ := b.At(a.Total() - 1 - n)
		back, _ := a.At(a.Total() - 1 - n)
		do, _ := other.At(n)
		if db != back {
			t.Fatalf("request %d: %v and %v with the same seed", n, db, back)
		}
		if da != do {
			moved++
		}
	}
	if moved < 1990 {
		t.Errorf("another seed moved %d of 2000 requests", moved)
	}
}

// TestPoissonIsPoisson checks the distribution of gaps and counts. The gaps of a Poisson
// process are exponentially distributed: their mean equals their standard deviation, and a
// share of 1/e of them is longer than the mean. The variance of the counts a second equals
// their mean.
func TestPoissonIsPoisson(t *testing.T) {
	const rate, length = 500, 400
	s := build(t, 42, schedule.Stage{Shape: schedule.Constant(rate, length*time.Second), Poisson: true})
	var sum, squares, above, last float64
	counts := make([]float64, length)
	for n := range s.Total() {
		due, _ := s.At(n)
		gap := due.Seconds() - last
		last = due.Seconds()
		sum += gap
		squares += gap * gap
		if gap > 1.0/rate {
			above++
		}
		counts[int(due/time.Second)]++
	}
	n := float64(s.Total())
	mean := sum / n
	deviation := math.Sqrt(squares/n - mean*mean)
	if math.Abs(deviation/mean-1) > 0.01 {
		t.Errorf("gaps: standard deviation %v of the mean, want 1", deviation/mean)
	}
	if share := above / n; math.Abs(share-1/math.E) > 0.005 {
		t.Errorf("gaps: %v are above the mean, want 1/e", share)
	}
	var variance float64
	for _, c := range counts {
		variance += (c - rate) * (c - rate) / length
	}
	if math.Abs(variance/rate-1) > 0.2 { // the standard deviation of the ratio is √(2/400) = 0.07
		t.Errorf("counts a second: variance %v of the mean, want 1", variance/rate)
	}
}

func TestForever(t *testing.T) {
	for _, poisson := range []bool{false, true} {
		s := build(t, 1, schedule.Stage{Shape: schedule.Constant(10, time.Second)},
			schedule.Stage{Shape: schedule.Constant(1000, schedule.Forever), Poisson: poisson})
		if s.Total() != schedule.Endless || s.Length() != schedule.Forever || s.Requests(1) != schedule.Endless {
			t.Errorf("Total %d, Length %v", s.Total(), s.Length())
		}
		for _, n := range []uint64{0, 9, 10, 11, 1 << 20, 1<<20 + 10, 1<<20 + 11, 1 << 32} {
			due, _ := s.At(n)
			if got := s.Count(due); got < n+1 || got > n+2 {
				t.Errorf("Poisson %v: request %d is due at %v, Count says %d", poisson, n, due, got)
			}
		}
		if got := s.Rate(time.Hour); got != 1000 {
			t.Errorf("Rate = %v", got)
		}
	}
}

func TestRateFollowsTheStages(t *testing.T) {
	s := build(t, 0,
		schedule.Stage{Shape: schedule.Linear{From: 0, To: 100, For: 10 * time.Second}},
		schedule.Stage{Shape: schedule.Sine{Mean: 50, Amplitude: 40, Period: 10 * time.Second, For: 10 * time.Second}})
	for at, want := range map[time.Duration]float64{
		5 * time.Second: 50, 10 * time.Second: 10, 15 * time.Second: 90, 20 * time.Second: 0, -1: 0,
	} {
		if got := s.Rate(at); math.Abs(got-want) > 1e-6 {
			t.Errorf("Rate(%v) = %v, want %v", at, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	forever := schedule.Stage{Shape: schedule.Constant(1, schedule.Forever)}
	for name, stages := range map[string][]schedule.Stage{
		"none":                   {},
		"nothing due":            {{Shape: schedule.Constant(0, time.Second)}},
		"negative":               {{Shape: schedule.Constant(-5, time.Second)}},
		"too fast":               {{Shape: schedule.Constant(2e6, time.Second)}},
		"forever before another": {forever, forever},
	} {
		if s, err := schedule.New(stages, 0); err == nil {
			t.Errorf("%s: accepted, with %d requests", name, s.Total())
		}
	}
}

func TestParseShard(t *testing.T) {
	if got, err := schedule.ParseShard("2/3"); err != nil || got != (schedule.Shard{Index: 2, Of: 3}) || got.String() != "2/3" {
		t.Errorf("2/3: %v, %v", got, err)
	}
	for _, text := range []string{"", "1", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/2", "1/2x"} {
		if got, err := schedule.ParseShard(text); err == nil {
			t.Errorf("%q: accepted as %v", text, got)
		}
	}
}

func BenchmarkAt(b *testing.B) {
	for _, tt := range shapes() {
		switch tt.name {
		case "constant", "ramp up", "sine", "constant, Poisson":
		default:
			continue
		}
		b.Run(tt.name, func(b *testing.B) {
			s := build(b, 1, tt.stage)
			for i := 0; b.Loop(); i++ {
				s.At(uint64(i) % s.Total())
			}
		})
	}
}
