package drill

// Need is something that only the machine can give, and on which evidence depends.
type Need string

// The needs.
const (
	// NeedProcessor means that processes run as soon as they can.
	NeedProcessor Need = "processor"
	// NeedScrapes means that Prometheus scrapes its targets when that is due.
	NeedScrapes Need = "scrapes"
	// NeedRules means that rules are evaluated when that is due.
	NeedRules Need = "rules"
	// NeedLoad means that requests are sent when they are due.
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
