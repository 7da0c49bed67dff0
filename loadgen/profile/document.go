package profile

// document is a profile as its file has it. Rates, lengths of time and templates are text
// here. The builder parses them, because it can say on which line they are.
// profile.schema.json describes the same format for editors; a test compares the two.
type document struct {
	Name       string            `yaml:"name" json:"name"`
	Teaches    string            `yaml:"teaches" json:"teaches"`
	Target     string            `yaml:"target" json:"target"`
	Seed       *uint64           `yaml:"seed" json:"seed"`
	Data       map[string]source `yaml:"data" json:"data"`
	Stages     []stage           `yaml:"stages" json:"stages"`
	Scenarios  []scenario        `yaml:"scenarios" json:"scenarios"`
	Thresholds []string          `yaml:"thresholds" json:"thresholds"`
	Limits     limits            `yaml:"limits" json:"limits"`
	Trace      trace             `yaml:"trace" json:"trace"`
}

type source struct {
	Numbers []int64  `yaml:"numbers" json:"numbers"` // lowest and highest
	Format  string   `yaml:"format" json:"format"`
	Choice  []string `yaml:"choice" json:"choice"`
	Lines   string   `yaml:"lines" json:"lines"` // path of a file, relative to the profile
}

// stage is a stage of the schedule. It must have exactly one shape.
type stage struct {
	Name     string    `yaml:"name" json:"name"`
	Arrivals string    `yaml:"arrivals" json:"arrivals"`
	Constant *constant `yaml:"constant" json:"constant"`
	Ramp     *ramp     `yaml:"ramp" json:"ramp"`
	Step     *stairs   `yaml:"step" json:"step"`
	Spike    *spike    `yaml:"spike" json:"spike"`
	Sine     *sine     `yaml:"sine" json:"sine"`
}

type constant struct {
	Rate string `yaml:"rate" json:"rate"`
	For  string `yaml:"for" json:"for"`
}

type ramp struct {
	From string `yaml:"from" json:"from"`
	To   string `yaml:"to" json:"to"`
	For  string `yaml:"for" json:"for"`
}

type stairs struct {
	From  string `yaml:"from" json:"from"`
	To    string `yaml:"to" json:"to"`
	Steps int    `yaml:"steps" json:"steps"`
	For   string `yaml:"for" json:"for"`
}

type spike struct {
	Base string `yaml:"base" json:"base"`
	Peak string `yaml:"peak" json:"peak"`
	At   string `yaml:"at" json:"at"`
	Rise string `yaml:"rise" json:"rise"`
	Hold string `yaml:"hold" json:"hold"`
	Fall string `yaml:"fall" json:"fall"`
	For  string `yaml:"for" json:"for"`
}

type sine struct {
	Mean      string `yaml:"mean" json:"mean"`
	Amplitude string `yaml:"amplitude" json:"amplitude"`
	Period    string `yaml:"period" json:"period"`
	For       string `yaml:"for" json:"for"`
}

// scenario is either one request or the steps of a journey.
type scenario struct {
	Name   string   `yaml:"name" json:"name"`
	Weight *float64 `yaml:"weight" json:"weight"`
	// For a single request.
	Request string            `yaml:"request" json:"request"`
	Headers map[string]string `yaml:"headers" json:"headers"`
	Body    string            `yaml:"body" json:"body"`
	Expect  expect            `yaml:"expect" json:"expect"`
	// For a journey.
	Steps []step `yaml:"steps" json:"steps"`
}

type step struct {
	Name    string            `yaml:"name" json:"name"`
	Think   string            `yaml:"think" json:"think"`
	Request string            `yaml:"request" json:"request"`
	Headers map[string]string `yaml:"headers" json:"headers"`
	Body    string            `yaml:"body" json:"body"`
	Expect  expect            `yaml:"expect" json:"expect"`
	Take    map[string]string `yaml:"take" json:"take"`
	Poll    *poll             `yaml:"poll" json:"poll"`
}

type expect struct {
	Status   []int             `yaml:"status" json:"status"`
	Ends     []int             `yaml:"ends" json:"ends"`
	Contains string            `yaml:"contains" json:"contains"`
	JSON     map[string]string `yaml:"json" json:"json"`
}

type poll struct {
	Every  string            `yaml:"every" json:"every"`
	For    string            `yaml:"for" json:"for"`
	Until  map[string]string `yaml:"until" json:"until"`
	Unless map[string]string `yaml:"unless" json:"unless"`
}

type limits struct {
	Workers   int      `yaml:"workers" json:"workers"`
	Timeout   string   `yaml:"timeout" json:"timeout"`
	Overrun   string   `yaml:"overrun" json:"overrun"`
	LagP99    string   `yaml:"lag_p99" json:"lag_p99"`
	RateError *float64 `yaml:"rate_error" json:"rate_error"`
}

type trace struct {
	Share *float64 `yaml:"share" json:"share"`
	URL   string   `yaml:"url" json:"url"`
}
