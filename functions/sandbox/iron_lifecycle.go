package sandbox

import (
	"slices"
	"time"
)

// ironStatus is the status of an identification, and of each of its steps (iron §6).
type ironStatus string

const (
	ironPending       ironStatus = "Pending"
	ironProcessed     ironStatus = "Processed"
	ironPendingReview ironStatus = "PendingReview"
	ironApproved      ironStatus = "Approved"
	ironDeclined      ironStatus = "Declined"
	ironExpired       ironStatus = "Expired"
	ironArchived      ironStatus = "Archived"
)

func ironStatuses() []ironStatus {
	return []ironStatus{ironPending, ironProcessed, ironPendingReview, ironApproved, ironDeclined, ironExpired, ironArchived}
}

// live reports whether an identification can still be decided.
func (s ironStatus) live() bool {
	return s == ironPending || s == ironProcessed || s == ironPendingReview
}

// Pauses between moves that come by themselves, in sandbox time.
const (
	ironStepTime   = 5 * time.Second  // to input that is finished, to its review, to the decision or to what is wanted once more
	ironExpireTime = 60 * time.Second // of the fixture
)

// ironMove is one change of an identification's status, past or to come. Its number is never given again, so that a webhook
// that tells of it knows whether it was called off.
type ironMove struct {
	Number int        `json:"number"`
	At     time.Time  `json:"at"` // real
	Status ironStatus `json:"status"`
	Wants  []string   `json:"wants,omitzero"` // steps whose input is awaited
	Again  bool       `json:"again,omitzero"` // it was there before
}

// stands returns the last move up to a time. What is to come is in the record from the start, so nothing needs to happen
// for it to be true.
func (d ironIdentification) stands(now time.Time) ironMove {
	return d.Moves[d.moved(now)-1]
}

// moved returns how many moves there were up to a time; the first is that it was created.
func (d ironIdentification) moved(now time.Time) int {
	n := 1
	for n < len(d.Moves) && !d.Moves[n].At.After(now) {
		n++
	}
	return n
}

// callOff forgets the moves to come and returns them.
func (d *ironIdentification) callOff(now time.Time) []ironMove {
	n := d.moved(now)
	off := slices.Clone(d.Moves[n:])
	d.Moves = d.Moves[:n]
	return off
}

// ironRules are what moves an identification by itself.
type ironRules struct {
	fixture   ironFixture
	automatic bool          // Processed is reviewed and approved
	lifetime  time.Duration // of Pending, in sandbox time
}

func (x *ironCall) rules(customer ironCustomer) (ironRules, error) {
	review, err := x.setting("review")
	if err != nil {
		return ironRules{}, err
	}
	lifetime, err := x.setting("pending_lifetime")
	if err != nil {
		return ironRules{}, err
	}
	d, err := time.ParseDuration(lifetime)
	return ironRules{ironFixtureOf(customer.Email), review == "automatic", d}, err
}

// next returns what follows the last move by itself, and after how much sandbox time.
func (r ironRules) next(d ironIdentification) (next ironMove, after time.Duration, ok bool) {
	last := d.Moves[len(d.Moves)-1]
	again := slices.ContainsFunc(d.Moves, func(m ironMove) bool { return m.Again })
	switch last.Status {
	case ironPending:
		switch {
		case r.fixture.finishes() && !again:
			return ironMove{Status: ironProcessed}, ironStepTime, true
		case r.fixture == ironExpire:
			return ironMove{Status: ironExpired}, min(ironExpireTime, r.lifetime), true
		}
		return ironMove{Status: ironExpired}, r.lifetime, true
	case ironProcessed:
		switch {
		case r.fixture == ironResubmit && !again:
			return ironMove{Status: ironPending, Wants: d.steps()[:1], Again: true}, ironStepTime, true
		case r.fixture.finishes(), r.automatic:
			return ironMove{Status: ironPendingReview}, ironStepTime, true
		}
	case ironPendingReview:
		switch {
		case r.fixture == ironDecline:
			return ironMove{Status: ironDeclined}, ironStepTime, true
		case r.fixture != ironReview && (r.fixture.finishes() || r.automatic):
			return ironMove{Status: ironApproved}, ironStepTime, true
		}
	}
	return ironMove{}, 0, false
}

// turn moves an identification now, calls off what was to come, plans what follows and has it all told.
func (i *iron) turn(x *ironCall, customer ironCustomer, d ironIdentification, move ironMove) error {
	rules, err := x.rules(customer)
	if err != nil {
		return err
	}
	d.callOff(x.now)
	from := len(d.Moves)
	move.At = x.now.UTC()
	d.add(move)
	d.plan(x.clock, rules)
	if err := save(x, x.identificationKey(d.ID), d); err != nil {
		return err
	}
	return i.tellMoves(x, customer, d, from)
}

// add appends a move under a number of its own.
func (d *ironIdentification) add(m ironMove) {
	d.Numbers++
	m.Number = d.Numbers
	d.Moves = append(d.Moves, m)
}

// plan appends what follows by itself.
func (d *ironIdentification) plan(c clock, rules ironRules) {
	for next, after, ok := rules.next(*d); ok; next, after, ok = rules.next(*d) {
		next.At = d.Moves[len(d.Moves)-1].At.Add(c.real(after))
		d.add(next)
	}
}
