// Package task is how a state machine and the functions that it invokes speak: what goes in, and the fixed vocabulary
// of errors that comes out. aws-lambda-go reports an error by its bare type name, so every ErrorEquals of a state
// machine is one of these types, States.* or Lambda.*. Messages are codes and carry no personal data.
package task

import "github.com/go-json-experiment/json/jsontext"

// Input is the payload of a Task state.
type Input struct {
	Task  Key               `json:"task"`
	Path  map[string]string `json:"path"`  // path parameters, as of the HTTP route
	Query map[string]string `json:"query"` // likewise
	// Body is the partner's request body. Wherever a value stands, {"document_id":"…"} may stand instead: it is
	// replaced by what the vault holds under that reference.
	Body jsontext.Value `json:"body"`
}

// Key names one effect within one execution. A Retry keeps all of it; a definition raises Round before it repeats an
// effect on purpose.
type Key struct {
	Tenant    string `json:"tenant"`
	Execution string `json:"execution"` // $$.Execution.Name
	State     string `json:"state"`     // $$.State.Name
	Index     int    `json:"index"`     // of the Map iteration
	Round     int    `json:"round"`
}

type (
	// InvalidInput: the request can't be right; repeating it is pointless.
	InvalidInput string
	// Refused: the partner decided against it, for good.
	Refused string
	// Conflict: the partner's record is in another state than the request assumes.
	Conflict string
	// InFlight: another attempt of the same task is running; retry past its lease.
	InFlight string
	// Throttled: nothing happened; retry with backoff.
	Throttled string
	// Unavailable: nothing happened, or a retry will find out what did.
	Unavailable string
	// CredentialsRejected: the partner does not accept ours; an operator must act.
	CredentialsRejected string
	// OutcomeUnknown: the partner may have acted, and only a person can decide what next.
	OutcomeUnknown string
)

func (e InvalidInput) Error() string        { return string(e) }
func (e Refused) Error() string             { return string(e) }
func (e Conflict) Error() string            { return string(e) }
func (e InFlight) Error() string            { return string(e) }
func (e Throttled) Error() string           { return string(e) }
func (e Unavailable) Error() string         { return string(e) }
func (e CredentialsRejected) Error() string { return string(e) }
func (e OutcomeUnknown) Error() string      { return string(e) }
