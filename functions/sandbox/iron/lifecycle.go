package iron

import (
	"slices"
	"time"
)

// identificationStatus is the status of an identification, and of each of its steps (§6).
type identificationStatus string

const (
	statusPending       identificationStatus = "Pending"
	statusProcessed     identificationStatus = "Processed"
	statusPendingReview identificationStatus = "PendingReview"
	statusApproved      identificationStatus = "Approved"
	statusDeclined      identificationStatus = "Declined"
	statusExpired       identificationStatus = "Expired"
	statusArchived      identificationStatus = "Archived"
)

func identificationStatuses() []identificationStatus {
	return []identificationStatus{
		statusPending, statusProcessed, statusPendingReview, statusApproved, statusDeclined, statusExpired, statusArchived,
	}
}

// live reports whether an identification can still be decided.
func (s identificationStatus) live() bool {
	return s == statusPending || s == statusProcessed || s == statusPendingReview
}

// Pauses between moves that come by themselves, in sandbox time.
const (
	// to input that is finished, to its review, to the decision or to what is wanted once more
	stepTime   = 5 * time.Second
	expireTime = 60 * time.Second // of the fixture
)

// move is one change of an identification's status, past or to come. Its number is never given again, so that a webhook
// that tells of it knows whether it was called off.
type move struct {
	Number int                  `json:"number"`
	At     time.Time            `json:"at"` // real
	Status identificationStatus `json:"status"`
	Wants  []string             `json:"wants,omitzero"` // steps whose input is awaited
	Again  bool                 `json:"again,omitzero"` // it was there before
}

// stands returns the last move up to a time. What is to come is in the record from the start, so nothing needs to
// happen for it to be true.
func (d identification) stands(now time.Time) move {
	return d.Moves[d.moved(now)-1]
}

// moved returns how many moves there were up to a time; the first is that it was created.
func (d identification) moved(now time.Time) int {
	n := 1
	for n < len(d.Moves) && !d.Moves[n].At.After(now) {
		n++
	}
	return n
}

// callOff forgets the moves to come and returns them.
func (d *identification) callOff(now time.Time) []move {
	n := d.moved(now)
	off := slices.Clone(d.Moves[n:])
	d.Moves = d.Moves[:n]
	return off
}

// moveRules are what moves an identification by itself.
type moveRules struct {
	fixture   fixture
	automatic bool          // Processed is reviewed and approved
	lifetime  time.Duration // of Pending, in sandbox time
}

func (x *call) rules(customer customerRecord) moveRules {
	lifetime, err := time.ParseDuration(x.Setting("pending_lifetime"))
	x.Fail(err)
	return moveRules{fixtureOf(customer.Email), x.Setting("review") == "automatic", lifetime}
}

// next returns what follows the last move by itself, and after how much sandbox time.
func (r moveRules) next(d identification) (next move, after time.Duration, ok bool) {
	last := d.Moves[len(d.Moves)-1]
	again := slices.ContainsFunc(d.Moves, func(m move) bool { return m.Again })
	switch last.Status {
	case statusPending:
		switch {
		case r.fixture.finishes() && !again:
			return move{Status: statusProcessed}, stepTime, true
		case r.fixture == fixtureExpire:
			return move{Status: statusExpired}, min(expireTime, r.lifetime), true
		}
		return move{Status: statusExpired}, r.lifetime, true
	case statusProcessed:
		switch {
		case r.fixture == fixtureResubmit && !again:
			return move{Status: statusPending, Wants: d.steps()[:1], Again: true}, stepTime, true
		case r.fixture.finishes(), r.automatic:
			return move{Status: statusPendingReview}, stepTime, true
		}
	case statusPendingReview:
		switch {
		case r.fixture == fixtureDecline:
			return move{Status: statusDeclined}, stepTime, true
		case r.fixture != fixtureReview && (r.fixture.finishes() || r.automatic):
			return move{Status: statusApproved}, stepTime, true
		}
	}
	return move{}, 0, false
}

// transition moves an identification now, calls off what was to come, plans what follows and has it all told. It
// returns the identification as it is then.
func (i *simulation) transition(x *call, customer customerRecord, d identification, to move) identification {
	d.callOff(x.Now)
	from := len(d.Moves)
	to.At = x.Now.UTC()
	d.add(to)
	d.plan(x, x.rules(customer))
	x.Save(x.identificationKey(d.ID), d)
	i.tellMoves(x, customer, d, from)
	return d
}

// add appends a move under a number of its own.
func (d *identification) add(m move) {
	d.Numbers++
	m.Number = d.Numbers
	d.Moves = append(d.Moves, m)
}

// plan appends what follows by itself.
func (d *identification) plan(x *call, rules moveRules) {
	for next, after, ok := rules.next(*d); ok; next, after, ok = rules.next(*d) {
		next.At = d.Moves[len(d.Moves)-1].At.Add(x.Real(after))
		d.add(next)
	}
}
