package fault

import (
	"regexp"

	"firedrill/apps/fault/client"
)

// The bodies of the /faults pages. Package client defines them, so that a caller
// links no service.
type (
	// Spec is a fault that a service is asked to show.
	Spec = client.Spec
	// Active is a fault that a service shows.
	Active = client.Active
	// Status is what a service can show, and what it shows.
	Status = client.Status
)

// ids are what a fault may be called.
var ids = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
