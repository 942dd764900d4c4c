package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/ledger"
	"sallyport/shared/seal"
)

// Problem is an error of Sallyport's own routes (RFC 9457). Its Detail holds no personal data.
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Code   string `json:"code"`             // stable, for machines; also in the header Gateway-Error
	Detail string `json:"detail,omitempty"` // for people

	RetryAfter time.Duration `json:"-"` // where a repeat can help; zero for no such header
}

func (p *Problem) Error() string { return p.Code }

// NewProblem makes a Problem whose title is the status's own.
func NewProblem(status int, code, detail string) *Problem {
	return &Problem{Status: status, Title: http.StatusText(status), Code: code, Detail: detail}
}

// Reply renders the problem as application/problem+json.
func (p *Problem) Reply() Reply {
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{"status":500,"title":"Internal Server Error","code":"internal"}`)
	}
	header := map[string]string{"Gateway-Error": p.Code}
	if p.RetryAfter > 0 {
		header["Retry-After"] = RetryAfter(p.RetryAfter)
	}
	return Reply{Status: p.Status, ContentType: "application/problem+json", Body: body, Header: header}
}

// Unavailable is the Problem of a ledger, a vault or secrets that do not answer.
func Unavailable() *Problem {
	p := NewProblem(http.StatusServiceUnavailable, "ledger_unavailable", "what keeps the records does not answer now")
	p.RetryAfter = time.Second
	return p
}

// Route is one of Sallyport's own routes. It is a lambda.Handler.
type Route struct {
	Auth  *Authenticator // nil for a route that anybody may call
	Scope string         // which the caller must hold
	Log   *slog.Logger
	// Serve answers a request. An error that is no *Problem or *InputError is logged. It is shown as "internal" where it
	// is a bug, see isBug; any other is of a port (ledger, vault, secrets, orchestrator) that does not answer.
	Serve func(ctx context.Context, caller ledger.Caller, req Request) (Reply, error)
}

// Invoke implements lambda.Handler for API Gateway events.
func (r Route) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	req, err := ParseEvent(payload)
	if err == ErrNotEvent {
		return NewProblem(http.StatusBadRequest, "invalid_request", "the event is not an API Gateway event").Reply().Event(),
			nil
	}
	reply := Reply{}
	if err == nil {
		reply, err = r.answer(ctx, req)
	}
	if err != nil {
		reply = r.problem(ctx, req, err).Reply()
	}
	return reply.With("X-Request-Id", req.ID).Event(), nil
}

func (r Route) answer(ctx context.Context, req Request) (reply Reply, err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	if req.TooLarge(0) {
		return Reply{}, NewProblem(http.StatusRequestEntityTooLarge, "too_large", "the body exceeds what the gateway takes")
	}
	var caller ledger.Caller
	if r.Auth != nil {
		if caller, err = r.Auth.Authenticate(ctx, Keys(req.Header)...); err != nil {
			return Reply{}, err
		}
		if !caller.May(r.Scope) {
			return Reply{}, NewProblem(http.StatusForbidden, "forbidden", "this key may not use "+r.Scope)
		}
	}
	return r.Serve(ctx, caller, req)
}

func (r Route) problem(ctx context.Context, req Request, err error) *Problem {
	var problem *Problem
	var input *InputError
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &input):
		return NewProblem(http.StatusBadRequest, cmp.Or(input.Code, "invalid_request"), input.Error())
	case errors.Is(err, ErrNoKey):
		return NewProblem(
			http.StatusUnauthorized, "no_key", "send a key as X-API-Key, as a Bearer token or as the password of Basic",
		)
	case errors.Is(err, ErrBadKey):
		return NewProblem(http.StatusUnauthorized, "bad_key", "this key is not known or has expired")
	case errors.Is(err, ledger.ErrBadCursor):
		return NewProblem(http.StatusBadRequest, "invalid_request", "cursor: was not made by this query")
	case errors.Is(err, ledger.ErrNotFound):
		return NewProblem(http.StatusNotFound, "not_found", "")
	}
	r.Log.ErrorContext(ctx, "request failed", "request_id", req.ID, "cause", err)
	if isBug(err) {
		return NewProblem(http.StatusInternalServerError, "internal", "")
	}
	return Unavailable()
}

// errPanic stands for a panic, whose value may hold what the caller sent.
var errPanic = errors.New("gateway: panic")

// isBug reports whether an error comes from the gateway itself or from what it has stored, and not from a port that
// does not answer: a repeat would not help.
func isBug(err error) bool {
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	return errors.Is(err, errPanic) || errors.Is(err, seal.ErrOpen) || errors.As(err, &semantic) ||
		errors.As(err, &syntactic)
}

// NotFound answers every request for a route that doesn't exist.
func NotFound(log *slog.Logger) Route {
	return Route{Log: log, Serve: func(context.Context, ledger.Caller, Request) (Reply, error) {
		return Reply{}, NewProblem(http.StatusNotFound, "no_such_route", "no route has this method and path")
	}}
}
