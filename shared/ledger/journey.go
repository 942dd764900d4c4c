package ledger

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
	"time"
)

// JourneyStatus is where a journey stands.
type JourneyStatus string

// A journey runs or waits, and ends in one of the others.
const (
	JourneyRunning   JourneyStatus = "RUNNING"
	JourneyWaiting   JourneyStatus = "WAITING"   // for what Awaiting says
	JourneySucceeded JourneyStatus = "SUCCEEDED" // the business outcome is positive
	JourneyRejected  JourneyStatus = "REJECTED"  // a definite no
	JourneyReview    JourneyStatus = "REVIEW"    // a person must decide
	JourneyFailed    JourneyStatus = "FAILED"    // it could not be determined
	JourneyExpired   JourneyStatus = "EXPIRED"
	JourneyCancelled JourneyStatus = "CANCELLED"
)

// Ended reports whether nothing can change the status any more.
func (s JourneyStatus) Ended() bool { return s != JourneyRunning && s != JourneyWaiting }

// Journey is a chain of operations that a state machine runs. It holds no personal data in clear.
type Journey struct {
	ID          string // UUIDv7; the execution's name
	Tenant      string
	Type        string // the state machine's name, such as "aadhaar-otp"
	Status      JourneyStatus
	Reason      string                   // why it stands there: a code, never a text
	Version     int                      // raised by every UpdateJourney
	Fingerprint string                   // HMAC of what was asked for
	CreatedAt   time.Time                //
	UpdatedAt   time.Time                // of the present version
	EndedAt     time.Time                // zero while it has not
	ExpiresAt   time.Time                // when the record counts as absent; zero while it has not ended
	Input       []byte                   // what the execution was started with; references only
	Awaiting    *Awaiting                // nil unless it waits
	Refs        map[string]string        // the partner's references
	Outcome     []byte                   // sealed; nil until it has ended
	Documents   []string                 // vault references to erase when it ends
	Inputs      map[string]AcceptedInput // by references of the Idempotency-Key and of the wait that they answered
	// Delivered are keys of events that the execution has got; see Event.Key. They are stored under their older name.
	Delivered []string  `json:"Heard"`
	Wakes     int       // how many waits of the execution events have ended
	WokenAt   time.Time // when the last of them ended; zero while none has
}

// AcceptedInput is an answer that was written down before it was handed to the execution, so that a repeat can hand it
// over again.
type AcceptedInput struct {
	Fingerprint string // HMAC of the input
	Token       string // of the task that waited
	Output      []byte // what it was answered; references only
}

// Awaiting is what a journey needs next from a person or a system.
type Awaiting struct {
	ID        string            // new for every wait
	Kind      string            // what it is, such as "otp"
	Accepts   []string          // kinds of input that answer it
	Token     string            // the task's; never shown
	Record    string            // the partner's record that it waits for events of; empty where a person answers
	AsOf      time.Time         // since when events of Record may tell something that the execution hasn't read
	Since     time.Time         //
	ExpiresAt time.Time         //
	Details   map[string]string // what the person needs to know: attempts left, the partner's ids
	Sealed    []byte            // more of that, as JSON: what only the person may see, such as a url
}

// MaxSteps is how many transactions of a journey are shown.
const MaxSteps = 200

// Errors of what is written by version, and of correlations.
var (
	// ErrStale: the record has another version by now; the method returns it as it stands.
	ErrStale = errors.New("ledger: record has changed")
	// ErrFull: the correlation holds CorrelationCap waiters; the method returns it as it stands.
	ErrFull = errors.New("ledger: correlation is full")
)

// JourneyQuery selects a tenant's journeys, the newest first (by CreatedAt, then ID).
type JourneyQuery struct {
	Tenant string
	Type   string        // empty for all
	Status JourneyStatus // empty for all
	Limit  int           // 1 to 100
	Cursor string
}

// JourneyPage is one page of a JourneyQuery, whose rows carry neither Input, Inputs, Delivered nor Outcome.
type JourneyPage struct {
	Journeys []Journey
	Next     string
}

// Correlation is what is known about a partner's record that journeys wait for: its waiters and its events. Each side
// adds itself with one write and reads what results, so that neither order loses.
type Correlation struct {
	Waiters []Waiter // ordered by journey id
	Events  []Event  // the oldest first; see Event.Compare
}

// Event is what a partner has told about its record.
type Event struct {
	ID     string // of what it says; the same words may arrive again
	Sealed []byte
	// ArrivedAt is when it arrived: the first time where the partner names it, else the last. Zero where an earlier
	// release has kept it.
	ArrivedAt time.Time
}

// Key tells an arrival of an event from others.
func (e Event) Key() string {
	if e.ArrivedAt.IsZero() {
		return e.ID
	}
	return e.ID + "@" + strconv.FormatInt(e.ArrivedAt.UnixNano(), 10)
}

// IsKey reports whether a key is that of an arrival of the event, be it another one.
func (e Event) IsKey(key string) bool {
	id, _, _ := strings.Cut(key, "@")
	return id == e.ID
}

// Compare orders events by their arrival.
func (e Event) Compare(other Event) int {
	return cmp.Or(e.ArrivedAt.Compare(other.ArrivedAt), cmp.Compare(e.ID, other.ID))
}

// A correlation is bounded in size and time. Its events are not taken back, as one that was delivered to one journey
// may still have to be delivered to another: the oldest makes room for a new one.
const (
	CorrelationCap       = 50                  // waiters, and events
	CorrelationRetention = 60 * 24 * time.Hour // after its last write it counts as absent
)

// Waiter is a journey that waits for a partner's record.
type Waiter struct {
	Tenant  string
	Journey string
}

// Compare orders waiters by journey.
func (w Waiter) Compare(other Waiter) int {
	return cmp.Or(cmp.Compare(w.Journey, other.Journey), cmp.Compare(w.Tenant, other.Tenant))
}
