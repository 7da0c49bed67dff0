package drill

// document is a drill as its file has it. The schema and the documentation of the
// format are made of the tags:
//
//	doc   what the key means
//	need  "yes" if it must be there
//	form  "length" (of time), "comparison" or "name"; "" for any text
//	one   the words that it may be, if they are few
//
// Lengths and comparisons are text here. The builder parses them, because it can say
// on which line they are.
type document struct {
	Title      string     `yaml:"title"      need:"yes" doc:"What people call the drill."`
	Story      string     `yaml:"story"      need:"yes" doc:"What participants are told: what users or the business notice, and nothing of the cause."`
	Hints      []string   `yaml:"hints"      doc:"Told one by one on request, from vague to plain."`
	Answer     *answer    `yaml:"answer"     doc:"What mystery mode wants to hear. A drill without an answer is never a mystery."`
	Runbook    string     `yaml:"runbook"    doc:"The page for whoever is called, from the repository's root."`
	Load       load       `yaml:"load"       need:"yes" doc:"What drives the shop meanwhile."`
	WarmUp     string     `yaml:"warmUp"     form:"length" doc:"How long the load runs before the steady state is judged. Default 20s."`
	Lasts      string     `yaml:"lasts"      form:"length" doc:"How long the drill watches at least, from when the faults would begin. What is expected may take longer."`
	Hypothesis []probe    `yaml:"hypothesis" doc:"What is true of the steady state, and stays so where a probe says."`
	Faults     []faultDoc `yaml:"faults"     doc:"What is broken and when. A control run has none."`
	Takes      []string   `yaml:"takes"      one:"processor scrapes rules load" doc:"What the faults themselves take from the machine. Its want then excuses nothing. A drill that stops Prometheus takes scrapes and rules."`
	Expect     expect     `yaml:"expect"     doc:"What must be seen, and what must not."`
	AbortIf    []guard    `yaml:"abortIf"    doc:"Guards: when one holds, all faults are ended at once and the verdict is aborted."`
}

type answer struct {
	Service string `yaml:"service" need:"yes" form:"name" doc:"Where the cause is."`
	Fault   string `yaml:"fault"   need:"yes" form:"name" doc:"The kind of the fault."`
	Because string `yaml:"because" need:"yes" doc:"How one can tell, told when it is over."`
}

type load struct {
	Profile string `yaml:"profile" need:"yes" doc:"A profile of loadgen/profiles by its name, a file relative to the drill, or none."`
	Rate    string `yaml:"rate"    doc:"One rate, such as 20/s, for as long as the drill takes, instead of the profile's stages. It does not stretch with the scale."`
}

// ask is one question to one backend.
type ask struct {
	PromQL  string `yaml:"promql"  doc:"PromQL that gives one number."`
	HTTP    string `yaml:"http"    doc:"A request, such as GET ${gateway}/products; its number is the status, 0 without an answer. ${NAME} is where a service or component listens, ${NAME.admin} its admin listener."`
	TraceQL string `yaml:"traceql" doc:"TraceQL; its number is that of the traces found, at most 20."`
	LogQL   string `yaml:"logql"   doc:"LogQL; its number is the metric query's, or that of the lines found, at most 1000."`
}

type probe struct {
	Name   string   `yaml:"name" need:"yes" doc:"What is claimed, as a sentence."`
	Ask    ask      `yaml:",inline"`
	Is     string   `yaml:"is"     form:"comparison" doc:"The comparison that must hold, such as \">= 0.99\". It or change is needed; with both, both must hold."`
	Change string   `yaml:"change" form:"comparison" doc:"The same of its value divided by the one at the end of the warm-up: \">= 0.5\" is at least half of it. It is not judged before the faults."`
	Mode   string   `yaml:"mode"   one:"before during after continuous" doc:"When it must hold: before the faults; while there are any; before them and again after the last; or from the end of the warm-up to the end. What does not hold when the faults would begin refuses the drill, unless it is during. The default is before."`
	Needs  []string `yaml:"needs" one:"processor scrapes rules load none" doc:"What the machine must give for the claim to be true: processes get a processor when they want one, Prometheus scrapes and evaluates rules on time, requests are sent when they are due. If the machine did not, a claim that breaks is inconclusive and not failed. none is for what must hold on any machine, as that nobody is charged twice. Default by the kind of query: promql processor, scrapes, load; http processor; logql and traceql processor, load."`
	NoData string   `yaml:"noData" one:"fail inconclusive" doc:"What it means when the question has no answer. The default is inconclusive. It never means pass."`
}

type guard struct {
	Name string `yaml:"name" need:"yes" doc:"What would be going too far."`
	Ask  ask    `yaml:",inline"`
	Is   string `yaml:"is" need:"yes" form:"comparison" doc:"The comparison that ends the drill when it holds."`
}

type faultDoc struct {
	At     string         `yaml:"at"     form:"length" doc:"When it begins, from the end of the warm-up. Default 0s."`
	For    string         `yaml:"for"    need:"yes" form:"length" doc:"How long it lasts."`
	Kind   string         `yaml:"kind"   need:"yes" form:"name" doc:"What is made worse; see below."`
	Target string         `yaml:"target" need:"yes" doc:"A service or a component of the stack; for faults on the wire caller -> dependency."`
	Params map[string]any `yaml:"params" doc:"The kind's parameters."`
}

type expect struct {
	Alerts        []alertDoc  `yaml:"alerts"        doc:"Alerts that must fire and resolve."`
	May           []pattern   `yaml:"may"           doc:"Alerts that may fire and need not. The ticket of an objective whose page is expected may, without being named."`
	MustNotFire   []pattern   `yaml:"mustNotFire"   doc:"Alerts that must not fire. The default is every alert that is neither expected nor in may, those of severity none aside."`
	Traces        []traceDoc  `yaml:"traces"        doc:"What traces must show."`
	Logs          []logDoc    `yaml:"logs"          doc:"What logs must show."`
	Metrics       []metricDoc `yaml:"metrics"       doc:"How metrics must change."`
	Healthy       []string    `yaml:"healthy"       form:"name" doc:"Services that must stay ready from the end of the warm-up to the end: never unready at three looks in a row, a second apart."`
	RecoverWithin string      `yaml:"recoverWithin" form:"length" doc:"How soon after the last fault the probes of mode after must hold. Default 1m."`
	BlindFor      string      `yaml:"blindFor"      form:"length" doc:"For how long on end alerts and probes may be without an answer, for drills that stop what answers. Default 10s."`
}

type pattern struct {
	Alert  string            `yaml:"alert"  need:"yes" form:"name" doc:"The alert's name."`
	Labels map[string]string `yaml:"labels" doc:"Labels that it must have. Others may be there too."`
}

type alertDoc struct {
	Pattern        pattern  `yaml:",inline"`
	FiresWithin    string   `yaml:"firesWithin"    need:"yes" form:"length" doc:"How soon after the first fault began it must fire."`
	ResolvesWithin string   `yaml:"resolvesWithin" need:"yes" form:"length" doc:"How soon after the last fault ended it must be gone for good."`
	Notification   string   `yaml:"notification"   one:"required suppressed any" doc:"Whether it must reach the receiver, must not (another alert inhibits it), or either. The default is required."`
	Needs          []string `yaml:"needs" one:"processor scrapes rules load none" doc:"What the machine must give, as for probes. Default processor, scrapes, rules, load."`
	Outage         *outage  `yaml:"outage"         doc:"What the fault does to the objective, for the prediction. The default is what was measured."`
}

type outage struct {
	Ratio float64 `yaml:"ratio" need:"yes" doc:"The share of bad events while the fault lasts, 0 to 1."`
}

type traceDoc struct {
	Name  string   `yaml:"name"  need:"yes" doc:"What traces show, as a sentence."`
	Query string   `yaml:"query" need:"yes" doc:"TraceQL that finds them, while there are faults."`
	Shows culprit  `yaml:"shows" need:"yes" doc:"What must be in one of the traces found, and in none before the faults."`
	Needs []string `yaml:"needs" one:"processor scrapes rules load none" doc:"What the machine must give, as for probes. Default processor, load."`
}

type culprit struct {
	Service string `yaml:"service" need:"yes" form:"name" doc:"The service of the span that is to blame."`
	Span    string `yaml:"span"    doc:"The span's name; any if not said."`
	Failed  bool   `yaml:"failed"  doc:"Only spans whose status is an error."`
	AtLeast int    `yaml:"atLeast" doc:"How many such spans one trace must have. Default 1."`
}

type logDoc struct {
	Name  string   `yaml:"name"  need:"yes" doc:"What logs show, as a sentence."`
	Query string   `yaml:"query" need:"yes" doc:"LogQL, over the time of the faults."`
	Is    string   `yaml:"is"    form:"comparison" doc:"The comparison that its number must pass while there are faults, and must not before. Default \">= 1\"."`
	Needs []string `yaml:"needs" one:"processor scrapes rules load none" doc:"What the machine must give, as for probes. Default processor, load."`
}

type metricDoc struct {
	Name   string   `yaml:"name"   need:"yes" doc:"How the metric changes, as a sentence."`
	PromQL string   `yaml:"promql" need:"yes" doc:"PromQL that gives one number."`
	During string   `yaml:"during" form:"comparison" doc:"The comparison that it must pass once while there are faults, and must not before."`
	Change string   `yaml:"change" form:"comparison" doc:"The same of its value during the faults, divided by that before: \">= 2\" is a doubling."`
	Needs  []string `yaml:"needs" one:"processor scrapes rules load none" doc:"What the machine must give, as for probes. Default processor, scrapes, load."`
}
