// Package operation is the pipeline that every operation runs through, from HTTP and from a state machine alike:
// authenticate → decode → claim → call → classify → complete → reply. It holds the promise that a partner is made to
// act at most once for one idempotency key, and that an outcome nobody knows is resolved or reported, never guessed.
package operation

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/source"
	"sallyport/shared/token"
	"sallyport/shared/tolerant"
	"sallyport/shared/upstream"
)

// Operation describes one upstream endpoint. In is its decoded and validated input.
type Operation[In any] struct {
	// the folder of its function, "<partner>/<operation>"; its first part is the scope
	Name    string
	Errors  func(Condition, string) gateway.Reply // the partner's shape for what the gateway itself has to say
	MaxBody int64                                 // bytes; zero for gateway.MaxBody
	// likewise, from a state machine, with its references opened; zero for MaxBody
	MaxTask int64
	// MaxAnswer is how much of the partner's answer is read, in bytes; zero for upstream.MaxBody.
	MaxAnswer int64

	// BodyCredentials returns the caller's keys that the partner's contract carries in the body, for a request that has
	// none in its header; the first that somebody holds counts. nil or empty for none.
	BodyCredentials func(gateway.Request) []string

	// Decode validates without any call. It fails with *gateway.InputError, or with *Rejection where the partner has
	// documented words of its own for the fault.
	Decode func(gateway.Request) (In, error)

	// BodyIdempotencyKey returns the key within the input that serves where there is no Idempotency-Key header; nil or
	// empty for none.
	BodyIdempotencyKey func(In) string

	// CanonicalKey brings the key of an Idempotency-Key header into one form, where the partner reads several forms as one
	// key; nil where it doesn't.
	CanonicalKey func(key string) string

	// Fingerprint returns what a request with an effect asks for: every path id, query parameter, header and body field
	// that matters. Two requests with one key are equal where its JSON is. Required with OnUnknown; see Fields.
	Fingerprint func(In) any

	// Resource names the partner's record that the input refers to, as "<partner>/<kind>/<id>"; nil or empty for none.
	// One that the tenant may not see is answered as not found, without a call; see Call.Visible.
	Resource func(In) string

	// Call makes the upstream call and classifies what came of it.
	Call func(context.Context, Call, In) Outcome

	// OnUnknown says how an unknown outcome is resolved; nil for a read, which is recorded but never claimed or replayed.
	OnUnknown func(In) Resolution

	// PartnerKeyTTL is how long the partner honours our key, from the first claim on: after it a SafeRetry is a Lookup.
	// Zero for ever.
	PartnerKeyTTL time.Duration

	// Lookup asks the partner what became of an earlier attempt. Required where OnUnknown may return Lookup, and with
	// PartnerKeyTTL.
	Lookup func(context.Context, Call, In) (Outcome, Finding)

	// ConflictIsResult hands a Conflict to a state machine as a result, instead of as an error.
	ConflictIsResult bool

	// Output picks from an answer what a state machine may see: codes and references, no personal data.
	Output func(gateway.Reply) map[string]any

	// OutputRefs names references of the record that a state machine sees beside; see Outcome.Refs.
	OutputRefs []string
}

// Resolution is how an unknown outcome of an effect is resolved.
type Resolution int

const (
	// Manual tells the caller; only a new key acts again.
	Manual Resolution = iota
	// SafeRetry calls again: the partner itself honours our key.
	SafeRetry
	// Lookup asks the partner what happened. A positive answer counts at once, a negative one only after QuietPeriod
	// from the send, because our abandoned request may still be running; then the call is made once more.
	Lookup
)

// QuietPeriod is how long after a send a negative lookup proves nothing, unless the Pipeline has another.
const QuietPeriod = 60 * time.Second

// Finding is what a lookup found.
type Finding int

const (
	Undetermined Finding = iota // the lookup itself failed
	Found                       // the attempt had its effect; the outcome stands for its answer
	NotFound                    // no trace of it
)

// Class sorts what came of a call by what the pipeline must do next.
type Class string

// Done and Refused are final and replayed. Invalid, Conflict, Throttled, Unavailable and Credentials are known to have
// had no effect: the key may act again. Unknown is everything else.
const (
	Done        Class = "done"
	Refused     Class = "refused"
	Invalid     Class = "invalid"
	Conflict    Class = "conflict"
	Throttled   Class = "throttled"
	Unavailable Class = "unavailable"
	Credentials Class = "credentials"
	Unknown     Class = "unknown"
)

// Outcome is what came of a call.
type Outcome struct {
	Class   Class
	Code    string            // for machines: the partner's code or the transport's; never a text
	Reply   gateway.Reply     // the partner's answer, masked; Status 0 where no usable one came
	Refs    map[string]string // references to keep on record: partner's ids, masked subject
	Creates string            // the partner's record that the call created, as Resource names it
	// further names of that record, by which a call that doesn't know its id asks whether it is visible
	Aliases []string
	// Fresh: the answer tells that the partner has made the record for this very call, so that an operator can't have
	// known before whose it would be. Not where the partner may answer with a record that was there.
	Fresh bool
	// Found: the record may be another call's. It counts only where no other tenant owns it, else the outcome is unknown.
	Found bool
}

// Call is what an operation gets to make its upstream call with.
type Call struct {
	Tenant string
	ID     string // of the transaction
	// of what is asked, the same for equal requests; empty for reads
	Fingerprint string
	Generation  int // raised after every definite answer, kept over unknown ones
	// an earlier attempt of this generation may have had its effect
	Again     bool
	Before    string    // why nobody knows what came of the attempt before, as its Outcome.Code
	FirstSent time.Time // when this generation was first claimed
	Secret    []byte    // the tenant's credentials document for the partner
	// the partner has just rejected these credentials: drop tokens made of them
	Renew     bool
	Reference func(purpose string, parts ...string) string // HMAC references, see seal.Ring.Reference

	execution caller
	maxAnswer int64 // how much of an answer is read, in bytes
	client    *upstream.Client
}

// caller is the execution that a Call belongs to.
type caller interface {
	token(ctx context.Context, c Call, issue token.Issue) (string, error)
	visible(ctx context.Context, record string) (bool, error)
	shared(c Call) bool
	recorded(ctx context.Context, record string) (ledger.Owner, error)
	mint(ctx context.Context, kind gateway.TokenKind, ttl time.Duration, s gateway.Session) (string, error)
	session(ctx context.Context, refresh string, ttl time.Duration) (gateway.Session, time.Duration, error)
	redeem(ctx context.Context, kind gateway.TokenKind, text string) error
}

// ErrOutsidePipeline: the Call was made outside the pipeline.
var ErrOutsidePipeline = errors.New("operation: the call was made outside the pipeline")

// NewCall makes a Call outside the pipeline, as a test of an operation needs it.
func NewCall(tenant string, secret []byte) Call {
	none := func(string, ...string) string { return "" }
	return Call{Tenant: tenant, Secret: secret, Generation: 1, Reference: none, client: upstream.New()}
}

// Token returns an access token for the call's credentials, which all containers share; one that the partner has just
// rejected is not returned again. Errors are issue's own.
func (c Call) Token(ctx context.Context, issue token.Issue) (string, error) {
	if c.execution == nil {
		grant, err := issue(ctx, "")
		return grant.Access, err
	}
	return c.execution.token(ctx, c, issue)
}

// Visible reports whether the tenant may see a partner's record, named as by Resource. It sees what it owns and, with
// credentials of its own, all of the account. A record of a shared account that no tenant is known to own is seen by
// nobody, unless the deployment's credentials say `"unowned":"shared"`.
func (c Call) Visible(ctx context.Context, record string) (bool, error) {
	if c.execution == nil {
		return true, nil
	}
	return c.execution.visible(ctx, record)
}

// Shared reports whether other tenants use these credentials, and may own records of the account.
func (c Call) Shared() bool { return c.execution != nil && c.execution.shared(c) }

// Owned reports whether a partner's record is known to be the work of another call than this one. What this very call
// is on record for, although it has not ended, it may find again. So it may what an operator has said to be its
// tenant's: which call has made that, nobody knows.
func (c Call) Owned(ctx context.Context, record string) (bool, error) {
	if c.execution == nil {
		return false, nil
	}
	owner, err := c.execution.recorded(ctx, record)
	switch {
	case err != nil, len(owner.Tenants) == 0, owner.Call == ledger.CallName(c.ID, c.Generation):
		return false, err
	case slices.Contains(owner.Tenants, c.Tenant):
		return !owner.Assigned(), nil
	}
	return true, nil
}

// Predated reports whether an operator had said whose a partner's record is before this call was first made.
func (c Call) Predated(ctx context.Context, record string) (bool, error) {
	if c.execution == nil {
		return false, nil
	}
	owner, err := c.execution.recorded(ctx, record)
	return owner.Assigned() && owner.AssignedAt.Before(c.FirstSent), err
}

// notYours is the answer that a state machine's search gets where what it has found may not be seen.
const notYours = `{"record_not_yours":true}`

// NotYours ends a state machine's search that has found a record which the tenant may not see: neither is it told of
// the record, nor may it create another.
func NotYours() Outcome {
	return Outcome{Class: Done, Code: "record_not_yours", Reply: gateway.JSON(http.StatusOK, []byte(notYours))}
}

// IsNotYours recognises the answer of NotYours.
func IsNotYours(reply gateway.Reply) bool { return string(reply.Body) == notYours }

// Mint makes a gateway token for whoever calls, good for this partner's routes; see gateway.Authenticator.Mint.
func (c Call) Mint(
	ctx context.Context, kind gateway.TokenKind, ttl time.Duration, s gateway.Session,
) (string, error) {
	if c.execution == nil {
		return "", ErrOutsidePipeline
	}
	return c.execution.mint(ctx, kind, ttl, s)
}

// Redeem checks that a gateway token is of this kind, valid, and was made for whoever calls; else gateway.ErrBadKey.
func (c Call) Redeem(ctx context.Context, kind gateway.TokenKind, text string) error {
	if c.execution == nil {
		return ErrOutsidePipeline
	}
	return c.execution.redeem(ctx, kind, text)
}

// Do sends one request; see upstream.Client.Do.
func (c Call) Do(ctx context.Context, req *http.Request, body []byte) (upstream.Response, error) {
	return c.client.Do(ctx, req, body, c.maxAnswer)
}

// PassOn makes of a partner's answer what the caller gets: the same bytes. What is no whole JSON object or array is not
// passed on, but for an error that has no body, or whose body is a JSON string.
func PassOn(resp upstream.Response) gateway.Reply {
	text, failed := tolerant.JSON(resp.Body), resp.Status >= 400
	kind := text.Kind()
	switch {
	case len(text) == 0 && failed:
		return gateway.Empty(resp.Status)
	case kind != '{' && kind != '[' && !(kind == '"' && failed),
		!text.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
		return gateway.Reply{}
	}
	return gateway.JSON(resp.Status, resp.Body)
}

// NotAnswered says what it means that a request got no answer: an outcome that isn't known, unless it was never sent.
func NotAnswered(err error) *Outcome {
	var notSent *upstream.NotSentError
	if errors.As(err, &notSent) {
		return &Outcome{Class: Unavailable, Code: "not_sent"}
	}
	return &Outcome{Class: Unknown, Code: "answer_lost"}
}

// Failed says what an answer means that does not depend on what was asked for: none, rejected credentials, too many
// requests. nil for any other.
func Failed(resp upstream.Response, err error) *Outcome {
	switch {
	case err != nil:
		return NotAnswered(err)
	case resp.Status == http.StatusUnauthorized:
		return &Outcome{Class: Credentials, Code: "http_401"}
	case resp.Status == http.StatusTooManyRequests: // often by what stands in front of the partner's application
		return &Outcome{Class: Throttled, Code: "http_429", Reply: PassOn(resp)}
	}
	return nil
}

// Rejection is a validation failure that the partner has documented words for. It is answered as the partner would,
// before any call.
type Rejection struct {
	Reply  gateway.Reply
	Code   string        // the partner's
	Detail string        // what and where, for the header Gateway-Error-Detail; holds no values
	Source source.Source // where the rule comes from
}

func (r *Rejection) Error() string { return r.Code }

// Outcome is that of a call which the gateway refuses once it has read its credentials; nothing was sent.
func (r *Rejection) Outcome(condition Condition) *Outcome {
	reply := r.Reply.With("Gateway-Error", string(condition), "Gateway-Error-Detail", r.Detail)
	return &Outcome{Class: Invalid, Code: r.Code, Reply: reply}
}

// Condition is what the gateway itself has to say: a stable code, sent in the header Gateway-Error.
type Condition string

// The fixed list of conditions that every partner's errors.go renders in its partner's shape.
const (
	NoKey               Condition = "no_key"
	BadKey              Condition = "bad_key"
	Forbidden           Condition = "forbidden" // the key lacks the scope
	TooLarge            Condition = "too_large"
	InvalidRequest      Condition = "invalid_request"
	NoSuchRecord        Condition = "not_found"              // the partner's record is another tenant's
	KeyReused           Condition = "idempotency_key_reused" // with another request
	InFlight            Condition = "in_flight"              // an attempt with this key is running
	OutcomeUnknown      Condition = "outcome_unknown"
	LedgerDown          Condition = "ledger_unavailable"           // nothing was sent
	PartnerDown         Condition = "partner_unavailable"          // nothing happened
	PartnerThrottled    Condition = "throttled"                    // nothing happened
	CredentialsRejected Condition = "partner_credentials_rejected" // ours, not the caller's
	AnswerGone          Condition = "answer_gone"                  // it was done; its answer is not kept (any more)
	Internal            Condition = "internal"

	// NotRecorded stands on a partner's true answer that the ledger could not take; it is never rendered.
	NotRecorded Condition = "not_recorded"

	// OwnerConflict is logged and counted of an answer that names as created what another tenant owns; callers aren't
	// told.
	OwnerConflict Condition = "owner_conflict"
)

// Conditions lists those that errors.go must render.
func Conditions() []Condition {
	return []Condition{NoKey, BadKey, Forbidden, TooLarge, InvalidRequest, NoSuchRecord, KeyReused, InFlight,
		OutcomeUnknown, LedgerDown, PartnerDown, PartnerThrottled, CredentialsRejected, AnswerGone, Internal}
}
