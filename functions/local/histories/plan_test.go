package histories_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"sallyport/functions/sandbox"
)

// plan is what is done in a history.
type plan struct {
	seed   uint64 // of the order in which what is concurrent goes on
	oddity oddity
	steps  []step
}

// step is one request of a client, and what goes wrong meanwhile.
type step struct {
	client   int           // whose requests follow each other; negative when everything is settled
	wait     time.Duration // after the client's last answer
	tenant   string
	op       string // what is called
	key      int    // of an effect; which of the partner's records, of a read
	variant  variant
	fault    fault
	troubles [3]trouble
}

// variant tells the requests apart that are made under one key.
type variant int

const (
	first   variant = iota
	second          // asks for something else
	foreign         // names a record of the other tenant
	refused         // is decided against by the partner
)

// fault is one of the sandbox's, which the next request to an operation of a partner meets.
type fault struct{ partner, operation, name string }

// trouble is what the nth call of an invocation at a point meets.
type trouble struct {
	point  string
	nth    int
	effect string
	length time.Duration
}

// Points of an invocation. Each is followed by one access to what others share.
const (
	claim    = "claim"
	takeOver = "take over"
	complete = "complete"
	owner    = "owner"
	send     = "send"
	act      = "act" // of the partner, which goes on when the invocation is over
)

// What can happen at a point.
const (
	dieBefore  = "die before"  // the invocation ends without a word
	dieAfter   = "die after"   // likewise
	failBefore = "fail before" // the ledger fails, and has done nothing
	failAfter  = "fail after"  // the ledger fails, and has done it
	twice      = "twice"       // the same write is made twice
	copied     = "copied"      // a copy of the write comes later
	hold       = "hold"        // it takes long
)

// points are where most things can go wrong, as often as they do.
func points() []string {
	return []string{claim, claim, complete, complete, complete, owner, owner, send, act, act}
}

// troubles lists what can happen at each point.
func troubles() map[string][]string {
	write := []string{dieBefore, dieAfter, failBefore, failAfter, twice, copied, hold}
	return map[string][]string{
		claim: write, takeOver: write, complete: write, owner: {failBefore},
		send: {dieBefore, dieAfter, hold}, act: {hold},
	}
}

// effects are the operations whose histories are checked: one of each resolution.
func effects() []string {
	return []string{"equal/execute-journey", "iron/create-customer", "mbanq/add-address"}
}

// called lists the partners' operations that a call of ours leads to.
func called(op string) []string {
	return map[string][]string{
		"equal/execute-journey": {"execute-journey"},
		"iron/create-customer":  {"create-customer", "create-customer", "list-customers", "find-customer"},
		"mbanq/add-address":     {"add-address", "add-address", "add-address", "list-addresses", "issue-token"},
	}[op]
}

// reads are the operations that read one of a partner's records.
func reads() []string { return []string{"equal/fetch-data", "iron/get-customer", "mbanq/get-client"} }

func variants(op string) []variant {
	return map[string][]variant{
		"equal/execute-journey": {first, first, first, second, foreign, refused},
		"iron/create-customer":  {first, first, second},
		"mbanq/add-address":     {first, first, first, second, foreign},
	}[op]
}

func tenants() []string { return []string{"acme", "globex"} }

func other(tenant string) string {
	if tenant == "acme" {
		return "globex"
	}
	return "acme"
}

// newPlan makes the plan of a seed. Without an oddity it picks one of those that may occur, or none.
func newPlan(seed uint64, odd oddity, may []oddity) plan {
	r := rand.New(rand.NewPCG(seed, 0))
	p := plan{seed: seed, oddity: odd}
	if len(may) > 0 && r.IntN(2) == 0 {
		p.oddity = pick(r, may)
	}
	ops := effects()
	r.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	ops = ops[:1+r.IntN(2)]
	if p.oddity != "" {
		ops = []string{p.oddity.op()}
	}
	of := frame{
		ops: ops, tenants: tenants(), clients: 2 + r.IntN(3), keys: 1 + r.IntN(3)/2, alike: r.IntN(2) == 0, reads: 1,
	}
	if p.oddity == unownedRead {
		of.reads = 3
	} else if r.IntN(2) == 0 {
		of.tenants = []string{pick(r, tenants())}
	}
	for range 8 + r.IntN(16) {
		p.steps = append(p.steps, newStep(r, of))
	}
	for range r.IntN(3) {
		p.steps = append(p.steps, newMeeting(r, of)...)
		of.clients, of.keys = of.clients+2, of.keys+1
	}
	slices.SortStableFunc(p.steps, func(a, b step) int { return cmp.Compare(a.client, b.client) })
	return p
}

// frame is what the steps of a plan are chosen of.
type frame struct {
	ops, tenants  []string
	clients, keys int
	alike         bool // one request for each key
	reads         int  // of eight steps
}

func newStep(r *rand.Rand, of frame) step {
	op := pick(r, of.ops)
	s := step{client: r.IntN(of.clients), wait: pause(r), tenant: pick(r, of.tenants), op: op, key: r.IntN(of.keys)}
	if r.IntN(8) < of.reads {
		s.op, s.key = pick(r, reads()), r.IntN(100)
		return s
	}
	if !of.alike {
		s.variant = pick(r, variants(op))
	}
	partner, _, _ := strings.Cut(op, "/")
	if r.IntN(2) == 0 {
		s.fault = fault{partner, pick(r, called(op)), pick(r, faults())}
	}
	if r.IntN(2) == 0 {
		s.troubles[0] = newTrouble(r, pick(r, points()))
	}
	if r.IntN(2) == 0 {
		s.troubles[1] = newTrouble(r, takeOver)
	}
	return s
}

// newMeeting has a client come upon what another one's attempt has left undone. They mostly have the key for
// themselves.
func newMeeting(r *rand.Rand, of frame) []step {
	seconds := func(from, to int) time.Duration { return time.Duration(from+r.IntN(to-from)) * time.Second }
	op := pick(r, of.ops)
	partner, _, _ := strings.Cut(op, "/")
	attempt := step{client: of.clients, wait: seconds(0, 300), tenant: pick(r, of.tenants), op: op, key: of.keys}
	if r.IntN(4) == 0 {
		attempt.key = r.IntN(of.keys)
	}
	other := attempt
	other.client++
	nth := 0
	if partner == "mbanq" {
		nth = 1 // after the token
	}
	late := trouble{point: act, nth: nth, effect: hold, length: seconds(40, 51)}
	switch r.IntN(4) {
	case 0: // nobody waits for the effect any more
		attempt.troubles[0] = late
		other.wait += seconds(26, 40)
		return []step{attempt, other}
	case 1: // nor does anybody know when the request was sent
		attempt.troubles = [...]trouble{
			{point: claim, effect: hold, length: seconds(18, 24)}, {point: send, nth: nth, effect: dieAfter}, late,
		}
		other.wait += seconds(36, 70)
		return []step{attempt, other}
	case 2: // the partner has forgotten our key
		attempt.fault = fault{partner, called(op)[0], "reset_after_effect"}
		other.wait += seconds(22*60*60, 25*60*60)
		return []step{attempt, other}
	}
	// What has come of it is not written down yet.
	met := pick(r, []string{"refuse_connection", "status_429", "reset_after_effect"})
	attempt.fault = fault{partner, called(op)[0], met}
	attempt.troubles[0] = trouble{point: complete, effect: hold, length: seconds(100, 160)}
	other.wait += seconds(35, 105)
	again := other
	again.wait = seconds(20, 120)
	return []step{attempt, other, again, again}
}

func newTrouble(r *rand.Rand, point string) trouble {
	t := trouble{point: point, nth: max(0, r.IntN(4)-2), effect: pick(r, troubles()[point])}
	if point == send || point == act { // there are more of them
		t.nth = r.IntN(3)
	}
	switch {
	case point == act: // no later than an abandoned request may have its effect
		t.length = time.Duration(1+r.IntN(50)) * time.Second
	case t.effect == hold || t.effect == copied:
		t.length = time.Duration(1+r.IntN(150)) * time.Second
	}
	return t
}

// pause is how long a client waits: mostly less than an attempt takes, sometimes for the end of a lease, of the quiet
// period, or of the partner's memory for keys.
func pause(r *rand.Rand) time.Duration {
	between := func(from, to time.Duration) time.Duration { return from + time.Duration(r.Int64N(int64(to-from))) }
	switch n := r.IntN(100); {
	case n < 45:
		return between(0, 3*time.Second)
	case n < 60:
		return between(20*time.Second, 40*time.Second)
	case n < 88:
		return between(time.Minute, 3*time.Minute)
	case n < 97:
		return between(5*time.Minute, time.Hour)
	}
	return between(22*time.Hour, 25*time.Hour)
}

// faults lists those of a partner's answers, and those more often that free a key.
func faults() []string {
	names := []string{"refuse_connection", "status_429"}
	for _, f := range sandbox.Faults() {
		if !f.NeedsCallbacks {
			names = append(names, f.Name)
		}
	}
	return names
}

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

// String shows a step in a line.
func (s step) String() string {
	text := fmt.Sprintf("%s %s key %d", s.tenant, s.op, s.key)
	if s.client >= 0 {
		text = fmt.Sprintf("client %d after %v: ", s.client, s.wait.Round(time.Millisecond)) + text
	}
	if s.variant != first {
		text += " " + [...]string{"", "second", "foreign", "refused"}[s.variant]
	}
	if s.fault.name != "" {
		text += ", " + s.fault.operation + " meets " + s.fault.name
	}
	for _, t := range s.troubles {
		if t.point != "" {
			text += fmt.Sprintf(", %s at %s %d", t.effect, t.point, t.nth)
		}
		if t.length > 0 {
			text += " for " + t.length.String()
		}
	}
	return text
}

// shrink leaves out of a plan whatever it fails without.
func shrink(p plan, fails func(plan) bool) plan {
	try := func(change func(*plan)) bool {
		smaller := plan{p.seed, p.oddity, slices.Clone(p.steps)}
		change(&smaller)
		if !fails(smaller) {
			return false
		}
		p = smaller
		return true
	}
	for size := len(p.steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(p.steps); {
			if !try(func(p *plan) { p.steps = slices.Delete(p.steps, at, at+size) }) {
				at += size
			}
		}
	}
	for i := range p.steps {
		if p.steps[i].fault.name != "" {
			try(func(p *plan) { p.steps[i].fault = fault{} })
		}
		for j := range p.steps[i].troubles {
			if p.steps[i].troubles[j].point != "" {
				try(func(p *plan) { p.steps[i].troubles[j] = trouble{} })
			}
		}
	}
	return p
}
