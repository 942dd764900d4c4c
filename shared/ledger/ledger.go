// Package ledger is the record of every call that passes through the gateway, of the journeys that are made of such
// calls, of who may make one, of the access tokens that partners have given for them, and of how tenants want journeys
// to run. A transaction record is its own idempotency entry: the record id is derived from the caller's key, and one
// conditional write decides who may act. The adapters ledger/dynamo and ledger/bolt keep the same promises, which
// ledger/ledgertest proves on both.
package ledger

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// State is where a transaction stands.
type State string

// A transaction is claimed before its partner is called and ends in one of the others. From released and from an
// expired record it may be claimed again; an unknown one may only be settled by its own attempt or taken over.
const (
	Claimed  State = "claimed"  // an attempt may be running until the lease lapses
	Done     State = "done"     // the partner answered; the answer is final and replayed
	Refused  State = "refused"  // the partner decided against it; the answer is final and replayed
	Released State = "released" // known to have had no effect; the key may act again
	Unknown  State = "unknown"  // the partner may or may not have acted
)

// Retention is how long a record is kept after its end. DynamoDB's TTL only sweeps: readers check ExpiresAt.
const Retention = 30 * 24 * time.Hour

// Transaction is one recorded call of an operation. It holds no personal data in clear: the reply's body is
// sealed and Refs carries references, codes and last digits only.
type Transaction struct {
	ID          string // HMAC of tenant, operation and idempotency key, or a UUIDv7 where there is no key
	Tenant      string // who called
	Operation   string // the folder of its function, such as "equal/execute-journey"
	Journey     string // the journey whose state machine called; empty for a caller over HTTP
	Step        string // the state that called; empty for a caller over HTTP
	State       State  // where it stands
	Code        string // why it stands there, for machines: the partner's or the gateway's code, never a text
	Fingerprint string // HMAC of what was asked; empty for reads
	Attempt     string // id of the attempt that holds or held the record; fences every later write
	// raised by every Claim, kept by TakeOver: a definite answer lies between two generations
	Generation int
	TakeOvers  int       // how often this generation was taken over after an unknown outcome
	ClaimedAt  time.Time // when this generation was first claimed
	Lease      time.Time // until when the holding attempt may be running; zero once ended
	SentAt     time.Time // when the holding attempt began to send; zero if it never told
	EndedAt    time.Time // when it ended; zero while claimed
	// when the record counts as absent: Retention after its end, or after the lease while claimed
	ExpiresAt time.Time
	Refs      map[string]string // the partner's references and masked subject, such as "aadhaar_last4"
	// the partner's record that this call created, as "equal/transaction/<id>"; see operation.Ledger
	Owns string
	// further names of it, such as a reference of what identifies it. Owner items are made of them; they are not stored
	Aliases []string `json:"-"`
	// an operator's word, given before this call was claimed, that another tenant owns the record doesn't count, unless a
	// call is known to have made it; not stored
	Overrules bool   `json:"-"`
	Reply     *Reply // what is replayed; nil while claimed, after release, and where no key could ask for it
}

// Call names a call among all that were made by one id.
func (t Transaction) Call() string { return CallName(t.ID, t.Generation) }

// CallName is the Call of a transaction of this id and generation.
func CallName(id string, generation int) string { return id + "#" + strconv.Itoa(generation) }

// Owner says whose a partner's record is, and from where that is known.
type Owner struct {
	Tenants    []string  // in order; older records may have several: of each whose call was answered with it
	Call       string    // the last one that named the record as its own, see CallName; empty where none is known
	AssignedAt time.Time // when an operator last said whose it is; zero where none has
}

// Assigned reports whether only an operator has said whose the record is: which call has made it, nobody knows.
func (o Owner) Assigned() bool { return o.Call == "" && !o.AssignedAt.IsZero() }

// MayPassTo reports whether t, which names the record as its own, becomes its owner.
func (o Owner) MayPassTo(t Transaction) bool {
	return len(o.Tenants) == 0 || slices.Contains(o.Tenants, t.Tenant) ||
		t.Overrules && o.Assigned() && o.AssignedAt.Before(t.ClaimedAt)
}

// Reply is a stored answer.
type Reply struct {
	Status      int    // HTTP status
	ContentType string // empty for an empty body
	Body        []byte // sealed; nil when VaultRef is set
	VaultRef    string // reference of a sealed body too large for the record
}

// Running reports whether an attempt may still be at work at the given time.
func (t Transaction) Running(now time.Time) bool { return t.State == Claimed && now.Before(t.Lease) }

// Expired reports whether what was stored with this expiry counts as absent. The zero time never comes: a forgotten
// expiry must not let an effect happen twice.
func Expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// Errors of a ledger. Whatever else its methods return means that the ledger could not be reached or did not answer.
var (
	// ErrTaken: the record exists and may not be claimed; the method returns it as it stands.
	ErrTaken = errors.New("ledger: record is taken")
	// ErrFenced: another attempt holds the record by now; the method returns it as it stands.
	ErrFenced = errors.New("ledger: another attempt holds the record")
	// ErrOwned: another tenant owns the partner's record that the call would become the owner of; nothing was written.
	ErrOwned = errors.New("ledger: another tenant owns the record")
	// ErrNotFound: there is no such record, it has expired, or it belongs to another tenant.
	ErrNotFound = errors.New("ledger: not found")
	// ErrBadCursor: the cursor was not made by this ledger for this query.
	ErrBadCursor = errors.New("ledger: cursor is not valid")
)

// Query selects a tenant's transactions, the newest first (by ClaimedAt, then ID).
type Query struct {
	Tenant    string
	Operation string // exact name; empty for all
	State     State  // empty for all
	Limit     int    // 1 to 100
	Cursor    string // from the page before; empty for the first
}

// PageRows is how many rows a listing looks at for one page, at most. A rare match is found over several pages instead.
const PageRows = 2500

// Page is one page of a Query, whose rows carry no Reply. An empty Next says that there is no more; a page may hold
// fewer rows than its limit, even none, and still have one.
type Page struct {
	Transactions []Transaction
	Next         string
}

// Caller is who may call, by the SHA-256 of its key: the key itself is stored nowhere.
type Caller struct {
	KeyHash   string    // lower-case hex SHA-256 of the key
	Tenant    string    // whose records its calls are
	Name      string    // what people call it
	Scopes    []string  // partners and routes it may use ("equal", "transactions"); "*" for all but OperatorScope
	ExpiresAt time.Time // zero for never
}

// OperatorScope is the scope of those who run a deployment. "*" doesn't hold it: what it permits concerns all tenants.
const OperatorScope = "operator"

// May reports whether the caller holds a scope.
func (c Caller) May(scope string) bool {
	for _, s := range c.Scopes {
		if s == "*" && scope != OperatorScope || s == scope {
			return true
		}
	}
	return false
}

// maxTenant is how long a tenant's name may be, in bytes.
const maxTenant = 64

// CheckTenant says what is wrong with a tenant's name. It stands in ids that are given to partners, in names of secrets
// and in keys of records, so it holds nothing that separates their parts.
func CheckTenant(name string) error {
	switch {
	case name == "":
		return errors.New("is required")
	case len(name) > maxTenant:
		return errors.New("must have 64 characters at most")
	case strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "":
		return errors.New("must have letters, digits, hyphens, underscores and dots only")
	}
	return nil
}
