package drill

// Need is something that evidence depends on and that only the machine can give.
type Need string

// The needs.
const (
	// NeedProcessor is that processes run when they want to.
	NeedProcessor Need = "processor"
	// NeedScrapes is that Prometheus gets samples of its targets when they are due.
	NeedScrapes Need = "scrapes"
	// NeedRules is that rules are evaluated when they are due.
	NeedRules Need = "rules"
	// NeedLoad is that requests are sent when they are due.
	NeedLoad Need = "load"
)

// AllNeeds returns every need, in the order in which reports list them.
func AllNeeds() []Need { return []Need{NeedProcessor, NeedScrapes, NeedRules, NeedLoad} }

// NeedsOf returns the default needs of a query in language l.
func NeedsOf(l Language) []Need {
	switch l {
	case PromQL:
		return []Need{NeedProcessor, NeedScrapes, NeedLoad}
	case LogQL, TraceQL:
		return []Need{NeedProcessor, NeedLoad}
	case HTTP:
		return []Need{NeedProcessor}
	}
	return nil
}
