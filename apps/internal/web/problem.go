package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/trace"
)

// Code names one kind of failure of a request. It is the last part of a
// problem's type. Callers decide by it.
type Code string

// The codes of the shop.
const (
	Malformed        Code = "malformed"
	Unauthenticated  Code = "unauthenticated"
	Declined         Code = "payment-declined"
	NotFound         Code = "not-found"
	MethodNotAllowed Code = "method-not-allowed"
	OutOfStock       Code = "out-of-stock"
	Abandoned        Code = "order-abandoned"
	InProgress       Code = "in-progress"
	Voided           Code = "voided"
	TooLarge         Code = "too-large"
	UnknownProduct   Code = "unknown-product"
	KeyReused        Code = "idempotency-key-reused"
	IDTaken          Code = "id-taken"
	TooMany          Code = "too-many-requests"
	Internal         Code = "internal"
	Unavailable      Code = "unavailable"
	TimedOut         Code = "timed-out"
)

// problemType is the prefix of a problem's type.
const problemType = "urn:firedrill:problem:"

// answer is the HTTP form of a code.
type answer struct {
	status int
	title  string
}

// answers maps every code to its HTTP status and title.
var answers = map[Code]answer{
	Malformed:        {http.StatusBadRequest, "The request is malformed"},
	Unauthenticated:  {http.StatusUnauthorized, "Authentication is required"},
	Declined:         {http.StatusPaymentRequired, "The bank declined the payment"},
	NotFound:         {http.StatusNotFound, "The resource does not exist"},
	MethodNotAllowed: {http.StatusMethodNotAllowed, "The resource does not support this method"},
	OutOfStock:       {http.StatusConflict, "Not enough in stock"},
	Abandoned:        {http.StatusConflict, "The order was abandoned and undone"},
	InProgress:       {http.StatusConflict, "The first request with this key is still in progress"},
	Voided:           {http.StatusConflict, "The request was undone earlier"},
	TooLarge:         {http.StatusRequestEntityTooLarge, "The request is too large"},
	UnknownProduct:   {http.StatusUnprocessableEntity, "The product does not exist"},
	IDTaken:          {http.StatusConflict, "The id is already in use"},
	KeyReused:        {http.StatusUnprocessableEntity, "The idempotency key was used for another request"},
	TooMany:          {http.StatusTooManyRequests, "Too many requests"},
	Internal:         {http.StatusInternalServerError, "Internal error"},
	Unavailable:      {http.StatusServiceUnavailable, "A dependency is not available"},
	TimedOut:         {http.StatusGatewayTimeout, "A dependency did not answer in time"},
}

// Status returns the HTTP status of the code. known is false for an unknown
// code.
func (c Code) Status() (status int, known bool) {
	a, known := answers[c]
	return a.status, known
}

// Codes returns every code, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(answers)) }

// Error is a failure with a code. Detail is for the client. Err, the cause, is
// only for the log.
type Error struct {
	Code       Code
	Detail     string
	Instance   string        // path of the affected resource
	RetryAfter time.Duration // 0: no Retry-After header
	Err        error
}

// Errorf returns an Error with a formatted detail.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	text := string(e.Code)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the outermost *Error in err. It returns TimedOut
// for an exceeded deadline, Internal for other errors, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return asError(err).Code
}

func asError(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	var refused *fiber.Error
	if errors.As(err, &refused) {
		return &Error{Code: codeOfStatus(refused.Code), Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Code: TimedOut, Err: err}
	}
	return &Error{Code: Internal, Err: err}
}

// codeOfStatus returns the code for a status that has no problem document, such
// as Fiber's own errors.
func codeOfStatus(status int) Code {
	switch status {
	case http.StatusUnauthorized:
		return Unauthenticated
	case http.StatusNotFound:
		return NotFound
	case http.StatusMethodNotAllowed:
		return MethodNotAllowed
	case http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge, http.StatusRequestURITooLong:
		return TooLarge
	case http.StatusTooManyRequests:
		return TooMany
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return Unavailable
	case http.StatusGatewayTimeout:
		return TimedOut
	}
	if status >= 400 && status < 500 {
		return Malformed
	}
	return Internal
}

// Problem is a problem document as in RFC 9457, with the id of the request's
// trace.
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"`
	TraceID  string `json:"trace_id,omitempty"`
}

const typeProblem = "application/problem+json"

// sendProblem is the error handler of every Fiber application in the shop.
func sendProblem(c *fiber.Ctx, err error) error {
	e, p := problemOf(err)
	if sc := trace.SpanContextFromContext(c.UserContext()); sc.HasTraceID() {
		p.TraceID = sc.TraceID().String()
	}
	if e.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	if e.Instance != "" {
		c.Set(fiber.HeaderLocation, e.Instance)
	}
	if p.Status == http.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer") // RFC 9110 requires it
	}
	return c.Status(p.Status).JSON(p, typeProblem)
}

// WriteProblem writes err as a problem document. It is for handlers without
// Fiber, on the admin listener.
func WriteProblem(w http.ResponseWriter, err error) {
	_, p := problemOf(err)
	w.Header().Set("Content-Type", typeProblem)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // an error means that the client is gone
}

func problemOf(err error) (*Error, Problem) {
	e := asError(err)
	a, ok := answers[e.Code]
	if !ok {
		e, a = &Error{Code: Internal}, answers[Internal]
	}
	return e, Problem{
		Type:     problemType + string(e.Code),
		Title:    a.title,
		Status:   a.status,
		Detail:   e.Detail,
		Instance: e.Instance,
	}
}
