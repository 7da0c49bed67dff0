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

// Code names one way in which a request can fail. It is the last part of a
// problem's type, and what callers decide by.
type Code string

// Every way in which the shop refuses.
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

// problemType is what the type of a problem starts with.
const problemType = "urn:firedrill:problem:"

// answer is how a code is told to a client.
type answer struct {
	status int
	title  string
}

// answers is the one table from what went wrong to HTTP.
var answers = map[Code]answer{
	Malformed:        {http.StatusBadRequest, "The request cannot be understood"},
	Unauthenticated:  {http.StatusUnauthorized, "Log in first"},
	Declined:         {http.StatusPaymentRequired, "The bank declined the payment"},
	NotFound:         {http.StatusNotFound, "There is no such thing here"},
	MethodNotAllowed: {http.StatusMethodNotAllowed, "This method is not for this resource"},
	OutOfStock:       {http.StatusConflict, "Not enough in stock"},
	Abandoned:        {http.StatusConflict, "The order was given up and undone"},
	InProgress:       {http.StatusConflict, "The first request with this key is still under way"},
	Voided:           {http.StatusConflict, "This was undone before"},
	TooLarge:         {http.StatusRequestEntityTooLarge, "The request is too large"},
	UnknownProduct:   {http.StatusUnprocessableEntity, "There is no such product"},
	IDTaken:          {http.StatusConflict, "This id belongs to something else"},
	KeyReused:        {http.StatusUnprocessableEntity, "This idempotency key belongs to another request"},
	TooMany:          {http.StatusTooManyRequests, "Too many requests"},
	Internal:         {http.StatusInternalServerError, "Something went wrong on our side"},
	Unavailable:      {http.StatusServiceUnavailable, "Something we need is not available"},
	TimedOut:         {http.StatusGatewayTimeout, "Something we need did not answer in time"},
}

// Status is how the code is told over HTTP; false for one that nobody knows.
func (c Code) Status() (status int, known bool) {
	a, known := answers[c]
	return a.status, known
}

// Codes returns every code, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(answers)) }

// Error is a failure with a code. Detail is for the client; Err, the cause, is
// for the log only.
type Error struct {
	Code       Code
	Detail     string
	Instance   string        // path of the resource that the problem is about
	RetryAfter time.Duration // 0: not told
	Err        error
}

// Errorf is an Error whose detail is formatted.
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

// CodeOf is the code of err: that of the outermost Error in it; TimedOut for a
// deadline that passed; Internal for what nobody named. It is "" for nil.
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

// codeOfStatus is for what Fiber itself refuses, and for answers that carry no
// problem document.
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

// Problem is the document of RFC 9457 with the id of the trace that shows what
// happened.
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"`
	TraceID  string `json:"trace_id,omitempty"`
}

const typeProblem = "application/problem+json"

// sendProblem is the error handler of every Fiber application of the shop.
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
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer") // RFC 9110 demands one
	}
	return c.Status(p.Status).JSON(p, typeProblem)
}

// WriteProblem is for what is served without Fiber, on the admin listener.
func WriteProblem(w http.ResponseWriter, err error) {
	_, p := problemOf(err)
	w.Header().Set("Content-Type", typeProblem)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client went away: nobody to tell
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
