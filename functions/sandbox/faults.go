package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Fault is a failure that can be armed for an operation with POST /sandbox/faults.
type Fault struct {
	Name           string // as in the request
	Description    string // one line
	Effect         bool   // whether the request still has the effect that it would have had
	NeedsHijacking bool   // can only be expressed by taking the connection over
	NeedsCallbacks bool   // armed for a partner's callback instead of one of its operations; see Applicable
}

// Faults returns every fault, in a fixed order.
func Faults() []Fault {
	var all []Fault
	for _, f := range faults() {
		all = append(all, f.Fault)
	}
	return all
}

// Applicable returns nil where a fault can be armed for an operation, else an error that says what is wrong and what is
// allowed. A fault that NeedsCallbacks is for the operation "callback", which is no route and not in Operations, of a
// partner that calls back; the others are for the routes. Whether the sandbox's connections are hijackable is for POST
// /sandbox/faults to check.
func Applicable(all []Simulator, partner, operation, fault string) error {
	p := find(all, partner)
	if p == nil {
		return Unprocessable("/partner", "is not a simulated partner", partnerNames(all)...)
	}
	if names := operationNames(*p); !slices.Contains(names, operation) {
		return Unprocessable("/operation", "is not an operation of "+p.Name, names...)
	}
	f, ok := faultNamed(fault)
	switch {
	case !ok:
		return Unprocessable("/fault", "is not a fault", faultNames(nil)...)
	case f.NeedsCallbacks && p.Callbacks == nil:
		return Unprocessable("/fault", p.Name+" sends no callbacks")
	case f.NeedsCallbacks && operation != p.Callbacks.Name:
		return Unprocessable("/operation", "takes no "+f.Name, p.Callbacks.Name)
	case !f.NeedsCallbacks && p.Callbacks != nil && operation == p.Callbacks.Name:
		of := faultNames(func(g Fault) bool { return g.NeedsCallbacks })
		return Unprocessable("/fault", "is not for what "+p.Name+" sends", of...)
	}
	return nil
}

// fault is a Fault and how it is expressed: when the operation has its effect, what is answered, and how that is
// delivered.
type fault struct {
	Fault
	timing  effectTiming
	answer  func(Failures) Answer // in place of the operation's own answer; nil: its own
	revokes bool                  // the token that was presented is good for nothing afterwards
	deliver delivery
}

// effectTiming is when the operation has its effect.
type effectTiming int

const (
	effectFirst effectTiming = iota // before anything goes wrong
	effectNever
	effectLate // after the client has gone
)

// delivery is what becomes of the answer.
type delivery int

const (
	send     delivery = iota
	delay             // send it after slowAnswer
	hold              // never send it, keep the connection until the client has gone
	reset             // TCP reset instead of an answer
	truncate          // announce the whole body, send half, close
	refuse            // the connection never came about: see RefuseConnection
)

// slowAnswer is how long the fault "slow" takes, and lateEffect how long after its client has gone the fault
// "late_effect" acts: a lookup straight after a timeout does not see it yet. Both in sandbox time.
const (
	slowAnswer = 20 * time.Second
	lateEffect = 2 * time.Second
)

// faults is the one list of faults: the registry, the admin route and the request path all read it.
func faults() []fault {
	unauthorized := func(f Failures) Answer { return f.Unauthorized }
	throttled := func(f Failures) Answer { return f.Throttled }
	internal := func(f Failures) Answer { return f.Internal }
	unavailable := func(f Failures) Answer { return f.Unavailable }
	malformed := func(Failures) Answer {
		return Answer{Status: http.StatusOK, Body: []byte("<html><body>it works</body></html>")}
	}
	connection := func(name, description string, timing effectTiming, deliver delivery) fault {
		about := Fault{Name: name, Description: description, Effect: timing != effectNever, NeedsHijacking: true}
		return fault{Fault: about, timing: timing, deliver: deliver}
	}
	answered := func(name, description string, timing effectTiming, answer func(Failures) Answer) fault {
		about := Fault{Name: name, Description: description, Effect: timing != effectNever}
		return fault{Fault: about, timing: timing, answer: answer}
	}
	callback := func(name, description string) fault {
		return fault{Fault: Fault{Name: name, Description: description, Effect: true, NeedsCallbacks: true}}
	}
	expired := answered("expired_token",
		"401 whatever the credentials, and a token that was presented is revoked; nothing happens", effectNever, unauthorized)
	expired.revokes = true
	return []fault{
		connection("refuse_connection", "the connection is refused; nothing arrives", effectNever, refuse),
		connection("timeout_before_effect", "nothing happens and no answer comes", effectNever, hold),
		connection("timeout_after_effect", "it happens but no answer comes", effectFirst, hold),
		connection("late_effect", "no answer comes, and it happens after the client has gone", effectLate, hold),
		connection("reset_before_effect", "nothing happens and the connection is reset", effectNever, reset),
		connection("reset_after_effect", "it happens and the connection is reset", effectFirst, reset),
		answered("status_429", "throttled; nothing happens", effectNever, throttled),
		answered("status_500_before_effect", "nothing happens and the answer is 500", effectNever, internal),
		answered("status_500_after_effect", "it happens but the answer is 500", effectFirst, internal),
		answered("status_503_before_effect", "nothing happens and the answer is 503", effectNever, unavailable),
		answered("status_503_after_effect", "it happens but the answer is 503", effectFirst, unavailable),
		answered("malformed", "it happens; 200 with a body that is not JSON", effectFirst, malformed),
		connection("truncated", "it happens; the connection closes in the middle of the body", effectFirst, truncate),
		{
			Fault:   Fault{Name: "slow", Description: "it happens at once; the answer comes after 20 seconds", Effect: true},
			deliver: delay,
		},
		expired,
		callback("duplicate_callback", "the callback is sent twice"),
		callback("late_callback", "the callback is sent 90 minutes late"),
		callback("forged_callback", "the callback is sent once, with wrong credentials"),
	}
}

func faultNamed(name string) (fault, bool) {
	all := faults()
	i := slices.IndexFunc(all, func(f fault) bool { return f.Name == name })
	if i < 0 {
		return fault{}, false
	}
	return all[i], true
}

// faultNames returns the names of the faults that are meant; nil means all.
func faultNames(which func(Fault) bool) []string {
	var names []string
	for _, f := range faults() {
		if which == nil || which(f.Fault) {
			names = append(names, f.Name)
		}
	}
	return names
}

// armed is one entry of an operation's queue of faults: the first entry applies until its times are used up.
type armed struct {
	Fault string `json:"fault"`
	Times int    `json:"times"`
}

// Limits of POST /sandbox/faults: the times of one entry, and the entries of one operation.
const (
	maxTimes = 1000
	maxArmed = 100
)

func faultsKey(partner, operation string) string {
	return "faults/" + partner + "/" + operation
}

// arm appends a fault to an operation's queue and returns the queue.
func arm(tx Tx, partner, operation string, a armed) ([]armed, error) {
	var queue []armed
	if _, err := load(tx, faultsKey(partner, operation), &queue); err != nil {
		return nil, err
	}
	if len(queue) >= maxArmed {
		return nil, Unprocessable("/operation", fmt.Sprintf("has %d faults armed already, which is the most", maxArmed))
	}
	queue = append(queue, a)
	return queue, save(tx, faultsKey(partner, operation), queue)
}

// take consumes the next fault of an operation if it is one of those that apply here, and returns the zero fault,
// which changes nothing, if it isn't.
func take(tx Tx, partner, operation string, here func(fault) bool) (fault, error) {
	key := faultsKey(partner, operation)
	var queue []armed
	if ok, err := load(tx, key, &queue); err != nil || !ok || len(queue) == 0 {
		return fault{}, err
	}
	f, known := faultNamed(queue[0].Fault)
	if !known || !here(f) {
		return fault{}, nil
	}
	if queue[0].Times--; queue[0].Times <= 0 {
		queue = queue[1:]
	}
	if len(queue) == 0 {
		return f, tx.Delete(key)
	}
	return f, save(tx, key, queue)
}

// arrived says which faults a request that has arrived can meet.
func (s *Sandbox) arrived(f fault) bool {
	return f.deliver != refuse && (s.opts.Hijackable || !f.NeedsHijacking)
}

// RefuseConnection reports whether the connection for a request is to be refused, which uses up one count of the fault
// "refuse_connection" armed for the operation that it would reach. Whoever dials for the gateway asks it first; r needs
// its method and URL only, the path beginning with /sandbox/. No request is logged, as none arrives. A fault that is
// armed before it in the queue comes first.
func (s *Sandbox) RefuseConnection(ctx context.Context, r *http.Request) (bool, error) {
	op := s.route(r)
	if op == nil || !s.opts.Hijackable {
		return false, nil
	}
	refused := func(f fault) bool { return f.deliver == refuse }

	// Most of the time nothing is armed: look before writing.
	var queue []armed
	err := s.store.View(ctx, func(tx Tx) error {
		_, err := load(tx, faultsKey(op.Partner, op.Name), &queue)
		return err
	})
	if err != nil || len(queue) == 0 || queue[0].Fault != "refuse_connection" {
		return false, err
	}
	var f fault
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		f, err = take(tx, op.Partner, op.Name, refused)
		return err
	})
	return err == nil && f.deliver == refuse, err
}
