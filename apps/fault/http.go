package fault

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"firedrill/apps/fault/client"
	"firedrill/apps/internal/web"
)

// maxBody is the maximum size of a request in bytes.
const maxBody = 64 << 10

// Admin returns the handlers for the admin listener, by pattern. It is nil if
// faults are off.
func (s *Set) Admin() map[string]http.Handler {
	if s == nil {
		return nil
	}
	return map[string]http.Handler{
		"GET /faults":         s.guarded(s.getFaults),
		"PUT /faults/{id}":    s.guarded(s.putFault),
		"DELETE /faults/{id}": s.guarded(s.deleteFault),
		"DELETE /faults":      s.guarded(s.deleteFaults),
	}
}

// guarded requires the token. The comparison takes constant time.
func (s *Set) guarded(serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(token), []byte(s.cfg.Token)) != 1 {
			web.WriteProblem(w, web.Errorf(web.Unauthenticated, "the Authorization header does not contain the token for faults"))
			return
		}
		if err := serve(w, r); err != nil {
			web.WriteProblem(w, err)
		}
	})
}

func (s *Set) getFaults(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(s.Status())
}

func (s *Set) putFault(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return &web.Error{Code: web.TooLarge, Err: err}
	}
	in, lease, err := decode(r.PathValue("id"), body)
	if err != nil {
		return err
	}
	fresh, err := s.Begin(r.Context(), r.PathValue("id"), in, lease)
	if err != nil {
		return err
	}
	if fresh {
		w.WriteHeader(http.StatusCreated)
	}
	return nil
}

// decode reads the body of a PUT. It checks everything but the kind and its
// parameters.
func decode(id string, body []byte) (Spec, time.Duration, error) {
	if !ids.MatchString(id) {
		return Spec{}, 0, web.Errorf(web.Malformed, "id %q: want 1 to 64 letters, digits, dots, dashes and underscores", id)
	}
	var in client.Request
	if err := web.Decode(body, &in); err != nil {
		return Spec{}, 0, err
	}
	if lease := in.LeaseSeconds; !(lease >= client.MinLease.Seconds() && lease <= client.MaxLease.Seconds()) {
		return Spec{}, 0, web.Errorf(web.Malformed, "lease_seconds %v: want %v to %v", lease, client.MinLease.Seconds(), client.MaxLease.Seconds())
	}
	return in.Spec, time.Duration(in.LeaseSeconds * float64(time.Second)), nil
}

func (s *Set) deleteFault(w http.ResponseWriter, r *http.Request) error {
	s.End(r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Set) deleteFaults(w http.ResponseWriter, _ *http.Request) error {
	s.EndAll()
	w.WriteHeader(http.StatusNoContent)
	return nil
}
