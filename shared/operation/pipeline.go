package operation

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/telemetry"
	"sallyport/shared/token"
	"sallyport/shared/upstream"
	"sallyport/shared/vault"
)

const (
	// InvocationTimeout is how long an invocation takes at most. The function's own timeout is a second more, in which
	// the answer gets out.
	InvocationTimeout = 29 * time.Second
	answerReserve     = time.Second
	// leaseMargin is how long after its deadline an attempt may still be thought of as running.
	leaseMargin = 5 * time.Second
	// recordReserve is the part of an invocation that is kept for writing down what happened.
	recordReserve = 3 * time.Second
	// firstPause lies between two tries to write it down, a longer one between the next; after maxPause there is none.
	firstPause = 100 * time.Millisecond
	maxPause   = time.Second
	// inlineBody is the largest stored body that lies in the record; a larger one goes to the vault.
	inlineBody = 8 << 10
	// maxInline is the largest that a record takes where there is no vault.
	maxInline = ledger.MaxItem - 64<<10
	// maxRetryAfter caps the advice to a caller whose key is in flight: most attempts end long before their lease.
	maxRetryAfter = 5 * time.Second
)

// Pipeline holds what all operations share. All fields but Vault, Metrics, Tokens, QuietPeriod and After are required.
type Pipeline struct {
	Ledger   Ledger
	Vault    *vault.Vault // for stored bodies over 8 KB; without one they stay in the record
	Auth     *gateway.Authenticator
	Secrets  *secrets.Cache
	Ring     func(context.Context) (*seal.Ring, error)
	Tokens   *token.Cache // access tokens of partners; without one, none is shared or kept
	Upstream *upstream.Client
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
	Now      func() time.Time
	NewID    func() string // see NewID

	QuietPeriod time.Duration // zero for QuietPeriod

	After func(time.Duration) <-chan time.Time // nil for time.After

	owned *owned // records that this container has called for
}

// NewID returns a UUIDv7.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// result is what a run of the pipeline ends with, before it is put into HTTP or Step Functions terms.
type result struct {
	reply       gateway.Reply // the partner's; Status 0 where only the gateway has something to say
	refs        map[string]string
	class       Class
	code        string
	condition   Condition // what the gateway has to say, alone or in addition
	detail      string
	transaction string
	replayed    bool
	retryAfter  time.Duration
	resolvable  bool // an unknown outcome that a repeat with the same key will resolve
	// the partner has answered with a record that another tenant owns
	ownerConflict bool
	// the call has created what its tenant may not see, as it isn't on record whose it is
	unowned bool
}

// idempotency is what a call is claimed by. A zero value stands for a call that nobody can repeat by key.
type idempotency struct {
	parts         []string
	journey, step string // the execution and state that call; empty for HTTP
}

// run carries a decoded request through claim, call, classify and complete.
func (h *Handler[In]) run(ctx context.Context, caller ledger.Caller, in In, key idempotency) result {
	tenant := caller.Tenant
	ring, err := h.p.Ring(ctx)
	if err != nil {
		h.p.Log.ErrorContext(ctx, "key ring not read", "operation", h.op.Name, "cause", err)
		return result{condition: LedgerDown, code: "keys_unavailable"}
	}
	now := h.p.Now()
	t := ledger.Transaction{
		Tenant:    tenant,
		Operation: h.op.Name,
		State:     ledger.Claimed,
		Attempt:   h.p.NewID(),
		Journey:   key.journey,
		Step:      key.step,
		ClaimedAt: now,
		Lease:     deadline(ctx, now).Add(leaseMargin),
	}
	r := &execution[In]{h: h, ring: ring, caller: caller, in: in, keyed: key.parts != nil}
	if h.op.OnUnknown != nil && r.keyed {
		t.ID = ring.Reference("transaction", append([]string{tenant, h.op.Name}, key.parts...)...)
	} else {
		t.ID = h.p.NewID()
	}
	r.owner = r.startOwnerCheck(ctx)
	defer r.owner.stop()
	if h.op.OnUnknown == nil {
		return r.read(ctx, t)
	}
	if t.Fingerprint, err = h.fingerprint(ring, in); err != nil {
		return result{condition: Internal, code: "fingerprint"}
	}

	standing, err := h.p.Ledger.Claim(ctx, t)
	switch {
	case err == nil:
		return r.execute(ctx, standing)
	case errors.Is(err, ledger.ErrTaken):
		return r.resolveExisting(ctx, t, standing)
	}
	return r.ledgerDown(ctx, t, err)
}

// execution is one call on its way through the pipeline.
type execution[In any] struct {
	h      *Handler[In]
	ring   *seal.Ring
	caller ledger.Caller
	in     In
	keyed  bool
	owner  *ownerCheck
	used   string // the access token that was used last
	// rejected is the access token that the partner doesn't take any more; however many requests follow, one renews it
	rejected string
	before   string // why nobody knows what came of the attempt before
	secret   []byte // the credentials that were used
	// ownAccount: they are the tenant's own
	ownAccount bool
	// doubtful: this call repeats one whose outcome is unknown, without knowing more than that the partner would
	// recognise it. That the repeat had no effect proves nothing about the first.
	doubtful bool
}

// read makes a call without effect and records it with one write after its answer.
func (r *execution[In]) read(ctx context.Context, t ledger.Transaction) result {
	if a, denied := r.checkOwnership(ctx, t); denied {
		a.transaction = "" // nothing is on record
		return a
	}
	var err error
	outcome, sentAt := r.call(ctx, t)
	if outcome.Class == Unknown {
		outcome.Class = Unavailable // a read whose answer was lost changed nothing
	}
	r.settle(&t, outcome, sentAt)
	a := r.toResult(t, outcome)
	put := func(context.Context) error { return nil }
	if t.Journey != "" && final(t.State) { // its outcome is made of the answer
		put, err = r.stored(&t, outcome.Reply)
	}
	// The record first: no answer lies in the vault that no record names. A state machine gets none before both are
	// there.
	if err == nil {
		err = r.h.p.Ledger.Record(ctx, t)
	}
	if err == nil {
		err = put(ctx)
	}
	if err != nil {
		return r.notRecorded(ctx, t, a, err)
	}
	return a
}

// execute makes the call that t has been claimed for, and completes it.
func (r *execution[In]) execute(ctx context.Context, t ledger.Transaction) result {
	if a, denied := r.checkOwnership(ctx, t); denied {
		r.settle(&t, Outcome{Class: Invalid, Code: a.code}, time.Time{})
		if _, err := r.h.p.Ledger.Complete(ctx, t); err != nil { // a repeat is denied again, once the lease has lapsed
			r.h.p.Log.ErrorContext(ctx, "claim not released", "transaction_id", t.ID, "operation", t.Operation,
				"cause", err)
		}
		return a
	}
	outcome, sentAt := r.call(ctx, t)
	if r.doubtful && (outcome.Class == Throttled || outcome.Class == Unavailable || outcome.Class == Credentials) {
		outcome = Outcome{Class: Unknown, Code: outcome.Code}
	}
	if outcome.Class == Unknown && r.resolution(t) == Lookup {
		if found, finding := r.lookup(ctx, t); finding == Found {
			outcome = found
		}
	}
	return r.complete(ctx, t, outcome, sentAt)
}

// resolveExisting decides what a call does that finds its record taken.
func (r *execution[In]) resolveExisting(ctx context.Context, ours, standing ledger.Transaction) result {
	now := r.h.p.Now()
	switch {
	case standing.Fingerprint != ours.Fingerprint:
		return result{condition: KeyReused, code: string(KeyReused), transaction: standing.ID}
	case final(standing.State):
		return r.replay(ctx, standing)
	case standing.Running(now):
		return result{condition: InFlight, code: string(InFlight), transaction: standing.ID,
			retryAfter: min(standing.Lease.Sub(now), maxRetryAfter)}
	}
	// An unknown outcome, or a claim whose holder died: whether the partner acted is not known. A call that is denied was
	// never sent, and to resolve it would find what others have done.
	if a, denied := r.checkOwnership(ctx, standing); denied {
		return a
	}
	switch r.resolution(standing) {
	case SafeRetry:
		r.doubtful = true
		return r.takeOver(ctx, ours, standing)
	case Lookup:
		return r.resolve(ctx, ours, standing)
	}
	return r.unknown(ctx, standing, 0)
}

// resolution says how an unknown outcome of a record's is resolved now.
func (r *execution[In]) resolution(t ledger.Transaction) Resolution {
	resolution, life := r.h.op.OnUnknown(r.in), r.h.op.PartnerKeyTTL
	if resolution == SafeRetry && life > 0 && r.h.p.Now().Sub(t.ClaimedAt) >= life {
		return Lookup
	}
	return resolution
}

// resolve asks the partner what became of the attempt that holds the record.
func (r *execution[In]) resolve(ctx context.Context, ours, standing ledger.Transaction) result {
	asked := r.h.p.Now()
	outcome, finding := r.lookup(ctx, standing)
	if finding == Found {
		return r.complete(ctx, standing, outcome, standing.SentAt)
	}
	sent := standing.SentAt
	if sent.IsZero() {
		sent = standing.Lease // its holder died without a word, and can't have sent later than this
	}
	quiet := sent.Add(r.h.p.quietPeriod()).Sub(asked)
	switch {
	case finding == Undetermined:
		return r.unknown(ctx, standing, max(quiet, time.Second))
	case quiet > 0:
		return r.unknown(ctx, standing, quiet)
	// else the partner honoured the key of those before
	case standing.TakeOvers > 0 && r.h.op.OnUnknown(r.in) != SafeRetry:
		return r.unknown(ctx, standing, 0) // it has been made once more already; only a person can know better
	}
	return r.takeOver(ctx, ours, standing)
}

// takeOver makes the call once more, under the same generation.
func (r *execution[In]) takeOver(ctx context.Context, ours, standing ledger.Transaction) result {
	taken, err := r.h.p.Ledger.TakeOver(ctx, ours, standing.Attempt)
	switch {
	case err == nil:
		r.before = standing.Code
		return r.execute(ctx, taken)
	case taken.ID == "": // it has just expired, or the ledger is down
		return r.ledgerDown(ctx, standing, err)
	case errors.Is(err, ledger.ErrTaken) && taken.Attempt != standing.Attempt,
		errors.Is(err, ledger.ErrTaken) && taken.State != standing.State:
		return r.resolveExisting(ctx, ours, taken) // somebody else was faster; each round finds a later state
	}
	return r.ledgerDown(ctx, standing, err)
}

// unknown reports an outcome that nobody knows. A positive retryAfter promises that a repeat will find out more.
func (r *execution[In]) unknown(ctx context.Context, standing ledger.Transaction, retryAfter time.Duration) result {
	a := result{class: Unknown, condition: OutcomeUnknown, code: standing.Code, transaction: standing.ID,
		retryAfter: retryAfter, resolvable: retryAfter > 0}
	if standing.State == ledger.Claimed { // its lease has lapsed: say so on the record, under its own attempt
		sentAt := standing.SentAt
		if sentAt.IsZero() {
			sentAt = standing.Lease
		}
		lapsed := standing
		r.settle(&lapsed, Outcome{Class: Unknown, Code: "attempt_lost"}, sentAt)
		a.code = lapsed.Code
		stands, err := r.h.p.Ledger.Complete(ctx, lapsed)
		if errors.Is(err, ledger.ErrFenced) && final(stands.State) {
			return r.replay(ctx, stands) // the true answer came late, just now
		}
		if err != nil && !errors.Is(err, ledger.ErrFenced) {
			return r.ledgerDown(ctx, standing, err)
		}
	}
	return a
}

// call fetches credentials and makes the upstream call, once more with fresh credentials if they were rejected. It
// returns a time after which it has sent nothing.
func (r *execution[In]) call(ctx context.Context, t ledger.Transaction) (Outcome, time.Time) {
	p, partner := r.h.p, r.h.partner()
	now := p.Now()
	limit := deadline(ctx, now).Add(-recordReserve)
	if !now.Before(limit) {
		return Outcome{Class: Unavailable, Code: "no_time_left"}, time.Time{}
	}
	ctx, cancel := context.WithTimeout(ctx, limit.Sub(now))
	defer cancel()

	var secret []byte
	var err error
	secret, r.ownAccount, err = p.Secrets.Account(ctx, t.Tenant, partner)
	if err != nil {
		p.Log.ErrorContext(ctx, "credentials not read", "operation", t.Operation, "tenant", t.Tenant, "cause", err)
		if errors.Is(err, secrets.ErrNotFound) {
			return Outcome{Class: Credentials, Code: "credentials_missing"}, time.Time{}
		}
		return Outcome{Class: Unavailable, Code: "credentials_unavailable"}, time.Time{}
	}
	r.secret = secret
	outcome := r.withCredentials(ctx, r.newCall(t, secret), func(call Call) Outcome { return r.attempt(ctx, call) })
	return outcome, p.Now() // nothing was sent after this
}

// withCredentials makes an attempt, once more with fresh credentials if they were rejected.
func (r *execution[In]) withCredentials(ctx context.Context, call Call, attempt func(Call) Outcome) Outcome {
	outcome := attempt(call)
	if outcome.Class == Credentials {
		if fresh, err := r.h.p.Secrets.RefreshPartner(ctx, call.Tenant, r.h.partner(), call.Secret); err == nil {
			call.Secret, call.Renew, r.rejected = fresh, true, r.used
			outcome = attempt(call)
		}
	}
	return outcome
}

// attempt survives a fault of our own in the middle of a call: what the partner did is unknown then.
func (r *execution[In]) attempt(ctx context.Context, call Call) (outcome Outcome) {
	defer func() {
		if recover() != nil { // the value may hold what the caller sent
			r.h.p.Log.ErrorContext(ctx, "panic in call", "transaction_id", call.ID, "operation", r.h.op.Name)
			outcome = Outcome{Class: Unknown, Code: "panic"}
		}
	}()
	outcome = r.h.op.Call(ctx, call, r.in)
	outcome.Code = printableCode(outcome.Code)
	return outcome
}

// printableCode keeps a partner's text out of logs and records: what does not look like a code is "other".
func printableCode(code string) string {
	for _, c := range []byte(code) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_.-", c) >= 0) {
			return "other"
		}
	}
	if len(code) > maxCode {
		return "other"
	}
	return code
}

const maxCode = 64

func (r *execution[In]) lookup(ctx context.Context, t ledger.Transaction) (outcome Outcome, finding Finding) {
	defer func() {
		if recover() != nil {
			r.h.p.Log.ErrorContext(ctx, "panic in lookup", "transaction_id", t.ID, "operation", r.h.op.Name)
			outcome, finding = Outcome{}, Undetermined
		}
	}()
	now := r.h.p.Now()
	limit := deadline(ctx, now).Add(-recordReserve)
	var secret []byte
	var err error
	secret, r.ownAccount, err = r.h.p.Secrets.Account(ctx, t.Tenant, r.h.partner())
	if err != nil || !now.Before(limit) {
		return Outcome{}, Undetermined
	}
	r.secret = secret
	ctx, cancel := context.WithTimeout(ctx, limit.Sub(now))
	defer cancel()
	outcome = r.withCredentials(ctx, r.newCall(t, secret), func(call Call) (outcome Outcome) {
		outcome, finding = r.h.op.Lookup(ctx, call, r.in)
		return outcome
	})
	outcome.Code, outcome.Found = printableCode(outcome.Code), true
	return outcome, finding
}

func (r *execution[In]) newCall(t ledger.Transaction, secret []byte) Call {
	return Call{Tenant: t.Tenant, ID: t.ID, Fingerprint: t.Fingerprint, Generation: t.Generation, Again: t.TakeOvers > 0,
		Before: r.before, FirstSent: t.ClaimedAt,
		Secret: secret, Reference: r.ring.Reference, execution: r, maxAnswer: r.h.op.MaxAnswer, client: r.h.p.Upstream}
}

func (r *execution[In]) token(ctx context.Context, c Call, issue token.Issue) (access string, err error) {
	rejected := ""
	if c.Renew {
		rejected = r.rejected
	}
	if r.h.p.Tokens == nil {
		var grant token.Grant
		grant, err = issue(ctx, "")
		access = grant.Access
	} else {
		id := r.ring.Reference("token", r.h.partner(), string(c.Secret))
		access, err = r.h.p.Tokens.Get(ctx, id, rejected, issue)
	}
	r.used = access
	return access, err
}

func (r *execution[In]) mint(
	ctx context.Context, kind gateway.TokenKind, ttl time.Duration, s gateway.Session,
) (string, error) {
	return r.h.p.Auth.Mint(ctx, r.caller, kind, r.h.partner(), ttl, s)
}

// session uses a refresh token up and returns the session for the next one, or begins a session where there is none;
// and how long tokens of that lifetime live within it. gateway.ErrBadKey: the token has been used, or its session is
// over.
func (r *execution[In]) session(
	ctx context.Context, refresh string, lifetime time.Duration,
) (gateway.Session, time.Duration, error) {
	now := r.h.p.Now()
	s := gateway.Session{ID: r.h.p.NewID(), Use: 1, End: now.Add(gateway.SessionLifetime)}
	if refresh == "" {
		return s, lifetime, nil
	}
	s, err := r.h.p.Auth.SessionOf(ctx, refresh)
	if err == nil && r.h.p.Tokens != nil {
		err = r.h.p.Tokens.Use(ctx, r.ring.Reference("refresh token", s.ID), s.Use, s.End)
	}
	lifetime = min(lifetime, s.End.Sub(now).Truncate(time.Second))
	if errors.Is(err, token.ErrUsed) || err == nil && lifetime <= 0 {
		err = gateway.ErrBadKey
	}
	s.Use++
	return s, lifetime, err
}

func (r *execution[In]) redeem(ctx context.Context, kind gateway.TokenKind, text string) error {
	caller, err := r.h.p.Auth.Redeem(ctx, kind, text)
	if err == nil && (caller.Tenant != r.caller.Tenant || !caller.May(r.h.partner())) {
		return gateway.ErrBadKey
	}
	return err
}

func (p *Pipeline) quietPeriod() time.Duration {
	if p.QuietPeriod > 0 {
		return p.QuietPeriod
	}
	return QuietPeriod
}

// checkOwnership refuses a request for a partner's record that the tenant may not see.
func (r *execution[In]) checkOwnership(ctx context.Context, t ledger.Transaction) (result, bool) {
	visible, err := r.owner.wait()
	switch {
	case err != nil:
		return r.ledgerDown(ctx, t, err), true
	case visible:
		return result{}, false
	}
	return result{class: Invalid, condition: NoSuchRecord, code: string(NoSuchRecord), transaction: t.ID}, true
}

// settle writes the outcome into the record.
func (r *execution[In]) settle(t *ledger.Transaction, outcome Outcome, sentAt time.Time) {
	now := r.h.p.Now()
	switch outcome.Class {
	case Done:
		t.State = ledger.Done
	case Refused:
		t.State = ledger.Refused
	case Unknown:
		t.State = ledger.Unknown
	default:
		t.State = ledger.Released
	}
	t.Code, t.Refs = outcome.Code, ledger.CapRefs(outcome.Refs)
	t.Owns, t.Aliases = r.named(outcome.Creates), nil
	for _, alias := range outcome.Aliases {
		t.Aliases = append(t.Aliases, r.named(alias))
	}
	t.Lease, t.SentAt, t.EndedAt, t.ExpiresAt = time.Time{}, sentAt, now, now.Add(ledger.Retention)
}

// complete writes the outcome down under the attempt that holds the record, and answers with it; or with what another
// has found out about the same attempt meanwhile, which is what every replay will say.
func (r *execution[In]) complete(ctx context.Context, t ledger.Transaction, outcome Outcome, sentAt time.Time) result {
	r.settle(&t, outcome, sentAt)
	a := r.toResult(t, outcome)
	var unstored error
	if r.keyed && final(t.State) {
		// The answer first: a record says that there is one to replay. The claim names it meanwhile.
		var put func(context.Context) error
		if put, unstored = r.stored(&t, outcome.Reply); unstored == nil {
			unstored = put(ctx)
		}
		if unstored != nil {
			t.Reply = nil // that it was done matters more than with which words
		}
	}
	stands, err := r.record(ctx, t)
	switch {
	case errors.Is(err, ledger.ErrOwned):
		return r.ownedByAnother(ctx, t, outcome, sentAt)
	case err != nil:
		a.unowned = t.Owns != "" && !r.ownAccount && !sharesUnowned(r.secret)
		return r.notRecorded(ctx, t, a, err)
	case unstored != nil:
		return r.notRecorded(ctx, t, a, unstored)
	case r.keyed && final(stands.State) && !stands.EndedAt.Equal(t.EndedAt):
		return r.replay(ctx, stands)
	}
	return a
}

// record writes the end of a call down, and tries again while there is time: else whoever repeats the key has to find
// out what has happened.
func (r *execution[In]) record(ctx context.Context, t ledger.Transaction) (stands ledger.Transaction, err error) {
	after := r.h.p.After
	if after == nil {
		after = time.After
	}
	for pause := firstPause; ; pause *= 3 {
		stands, err = r.h.p.Ledger.Complete(ctx, t)
		if err == nil || errors.Is(err, ledger.ErrFenced) || errors.Is(err, ledger.ErrOwned) || pause > maxPause {
			return stands, err
		}
		select {
		case <-ctx.Done():
			return stands, err
		case <-after(pause):
		}
	}
}

// ownedByAnother ends a call whose outcome names a record of another tenant's. What the partner has answered was done,
// and the record stays the other's, unless the answer disproves an operator who has given it away beforehand; what only
// a lookup has found is the other's work.
func (r *execution[In]) ownedByAnother(
	ctx context.Context, t ledger.Transaction, outcome Outcome, sentAt time.Time,
) result {
	r.h.p.Log.ErrorContext(ctx, "record is another tenant's", "transaction_id", t.ID, "operation", t.Operation)
	switch {
	case outcome.Found:
		return r.complete(ctx, t, Outcome{Class: Unknown, Code: "record_not_yours"}, sentAt)
	case outcome.Fresh && !t.Overrules:
		t.Overrules = true
	default:
		outcome.Creates, outcome.Aliases = "", nil
	}
	a := r.complete(ctx, t, outcome, sentAt)
	a.ownerConflict = true
	return a
}

// final reports whether a state's answer is replayed.
func final(s ledger.State) bool { return s == ledger.Done || s == ledger.Refused }

// errTooLarge: the record has no place for the answer.
var errTooLarge = errors.New("operation: the answer is too large for its record")

// stored makes the reply part of the record, sealed, and returns what puts the body into the vault where it is large.
// Generation and take-overs name the attempt there, so that a record names the answers of all its attempts, those that
// died among them: they expire before it does.
func (r *execution[In]) stored(
	t *ledger.Transaction, reply gateway.Reply,
) (put func(context.Context) error, err error) {
	t.Reply = &ledger.Reply{Status: reply.Status, ContentType: reply.ContentType}
	if len(reply.Body) > inlineBody && r.h.p.Vault != nil {
		t.Reply.VaultRef = vaultRef(*t)
		tenant, expires := t.Tenant, t.ExpiresAt
		ref := t.Reply.VaultRef
		return func(ctx context.Context) error { return r.h.p.Vault.Put(ctx, tenant, ref, reply.Body, expires) }, nil
	}
	if len(reply.Body) > maxInline {
		return nil, errTooLarge
	}
	t.Reply.Body = r.ring.Seal(replyRecord(*t), reply.Body)
	return func(context.Context) error { return nil }, nil
}

// vaultRef is where the vault keeps the answer of the attempt that holds the record.
func vaultRef(t ledger.Transaction) string {
	return "transaction/" + t.ID + "/" + strconv.Itoa(t.Generation) + "." + strconv.Itoa(t.TakeOvers)
}

// replay answers with what is stored.
func (r *execution[In]) replay(ctx context.Context, t ledger.Transaction) result {
	reply, err := StoredReply(ctx, r.ring, r.h.p.Vault, t)
	if errors.Is(err, ErrNoReply) || errors.Is(err, vault.ErrNotFound) {
		return result{condition: AnswerGone, code: t.Code, transaction: t.ID}
	}
	if err != nil {
		r.h.p.Log.ErrorContext(
			ctx, "stored answer not readable", "transaction_id", t.ID, "operation", t.Operation, "cause", err,
		)
		return result{condition: LedgerDown, code: "reply_unreadable", transaction: t.ID}
	}
	class := Done
	if t.State == ledger.Refused {
		class = Refused
	}
	return result{class: class, code: t.Code, transaction: t.ID, replayed: true, reply: reply, refs: t.Refs}
}

// ErrNoReply: the record keeps no answer.
var ErrNoReply = errors.New("operation: the record keeps no answer")

// StoredReply opens the answer that a record keeps. Errors: ErrNoReply, seal.ErrOpen, vault.ErrNotFound.
func StoredReply(
	ctx context.Context, ring *seal.Ring, v *vault.Vault, t ledger.Transaction,
) (reply gateway.Reply, err error) {
	if t.Reply == nil {
		return reply, ErrNoReply
	}
	reply = gateway.Reply{Status: t.Reply.Status, ContentType: t.Reply.ContentType}
	if t.Reply.VaultRef != "" && v != nil {
		reply.Body, err = v.Get(ctx, t.Tenant, t.Reply.VaultRef)
	} else {
		reply.Body, err = ring.Open(replyRecord(t), t.Reply.Body)
	}
	return reply, err
}

// replyRecord is what a stored answer is sealed for.
func replyRecord(t ledger.Transaction) string { return "transaction/" + t.ID }

// toResult turns an outcome into what the caller learns: the partner's own answer where there is one, and the gateway's
// word where the caller must know more, or where there is none.
func (r *execution[In]) toResult(t ledger.Transaction, outcome Outcome) result {
	a := result{reply: outcome.Reply, refs: outcome.Refs, class: outcome.Class, code: outcome.Code, transaction: t.ID}
	if outcome.Reply.Status == 0 {
		a.condition = InvalidRequest // the partner's answer was none that can be passed on
	}
	switch outcome.Class {
	case Conflict:
		if a.condition != "" && r.h.op.ConflictIsResult && r.h.op.OnUnknown == nil { // a result may still come
			a.condition, a.retryAfter = PartnerDown, time.Second
		}
	case Unknown:
		a.condition = OutcomeUnknown
		resolution := r.resolution(t)
		a.resolvable = resolution == SafeRetry || resolution == Lookup && r.keyed
		if a.resolvable {
			a.retryAfter = time.Second
		}
	case Throttled:
		a.condition, a.retryAfter = PartnerThrottled, time.Second
	case Unavailable:
		a.condition, a.retryAfter = PartnerDown, time.Second
	case Credentials:
		a.condition, a.reply = CredentialsRejected, gateway.Reply{} // never the partner's 401: the caller's key was right
	}
	return a
}

// notRecorded keeps the partner's true answer for a caller although the ledger did not take it.
func (r *execution[In]) notRecorded(ctx context.Context, t ledger.Transaction, a result, err error) result {
	r.h.p.Log.ErrorContext(
		ctx, "outcome not recorded", "transaction_id", t.ID, "operation", t.Operation, "state", string(t.State), "cause", err,
	)
	if a.condition == "" {
		a.condition = NotRecorded
	}
	return a
}

func (r *execution[In]) ledgerDown(ctx context.Context, t ledger.Transaction, err error) result {
	r.h.p.Log.ErrorContext(ctx, "ledger did not answer", "transaction_id", t.ID, "operation", t.Operation, "cause", err)
	return result{condition: LedgerDown, code: string(LedgerDown), transaction: t.ID, retryAfter: time.Second}
}

// fingerprint tells two requests apart without keeping what they say: a plain hash of an identity number could be
// searched.
func (h *Handler[In]) fingerprint(ring *seal.Ring, in In) (string, error) {
	canonical, err := json.Marshal(h.op.Fingerprint(in), json.Deterministic(true))
	if err != nil {
		return "", err
	}
	return ring.Reference("fingerprint", h.op.Name, string(bytes.TrimSpace(canonical))), nil
}

func (h *Handler[In]) partner() string {
	partner, _, _ := strings.Cut(h.op.Name, "/")
	return partner
}

// withDeadline gives an invocation its deadline: InvocationTimeout from now, or a second before Lambda's own.
func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := time.Now().Add(InvocationTimeout)
	if d, ok := ctx.Deadline(); ok && d.Add(-answerReserve).Before(limit) {
		limit = d.Add(-answerReserve)
	}
	return context.WithDeadline(ctx, limit)
}

// deadline is the invocation's own, by the pipeline's clock.
func deadline(ctx context.Context, now time.Time) time.Time {
	if d, ok := ctx.Deadline(); ok {
		return now.Add(time.Until(d))
	}
	return now.Add(InvocationTimeout)
}
