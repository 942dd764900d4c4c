package sandbox

import (
	"net/http"
	"slices"
	"time"
)

// Operation is one endpoint of a simulated partner.
type Operation struct {
	Partner string // as in the URL: "equal"
	Name    string // the folder of the gateway's function for it: "execute-journey"
	Method  string // "POST"
	Path    string // the partner's own, as in http.ServeMux patterns; served under /sandbox/<partner>
	Effect  bool   // whether a request can change something at the partner
}

// Operations returns every operation of every simulated partner, grouped by partner, in a fixed order.
func Operations() []Operation {
	var all []Operation
	for _, p := range simulators(Options{}, clock{}) {
		for _, op := range p.operations {
			all = append(all, op.Operation)
		}
	}
	return all
}

// simulators builds every simulated partner. A further partner is a file of its own and one line here.
func simulators(opts Options, c clock) []*simulator {
	return []*simulator{
		newEqual(opts.Equal, c, opts.NewID),
		newDigit9(opts.Digit9, opts.NewID),
		newMbanq(opts.Mbanq, opts.NewID),
		newIron(opts.Iron, opts.Authenticate, opts.NewID),
		newEZTO(opts.EZTO, opts.NewID),
	}
}

// simulator is what the frame knows of one simulated partner. The frame does routing, size caps, throttling, faults, the
// transaction and the log; the partner answers in its contract's words.
type simulator struct {
	name       string
	operations []operation
	byHand     []byHand
	settings   []setting
	callbacks  *callbacks                 // nil: it never calls back
	failures   failures                   // what any operation may answer
	revoke     func(*call) error          // ends the token that a request presents; nil: there are no tokens
	limiter    *limiter                   // nil: never throttles
	client     func(*http.Request) string // whose bucket a request draws from; empty: nobody's
}

// failures are the answers that don't depend on the operation, in the partner's documented words.
type failures struct {
	unauthorized answer // credentials or token not accepted
	throttled    answer
	internal     answer // 500
	unavailable  answer // 503
}

// operation is an Operation and what it does.
type operation struct {
	Operation
	simulator *simulator
	maxBody   int64                // largest body that is read, in bytes; 0 for maxBody
	failures  func(*call) failures // where they are the operation's own; nil: the simulator's

	// handle answers one request inside its transaction. It may run more than once, so it changes nothing but c's
	// transaction. An error means that the store failed.
	handle func(c *call) (answer, error)
}

// call is one request inside its transaction.
type call struct {
	Tx
	request   *http.Request // its body has been read
	body      []byte
	now       time.Time // of arrival, real
	clock     clock
	simulator *simulator
	operation *operation // nil for what is done by hand
	queued    int        // callbacks that the transaction leaves to send
}

// failures returns what the operation answers in the place of its own answer.
func (c *call) failures() failures {
	if c.operation != nil && c.operation.failures != nil {
		return c.operation.failures(c)
	}
	return c.simulator.failures
}

// answer is what a partner sends back, and whether the request changed something there.
type answer struct {
	status int
	body   []byte // nil for none
	media  string // content type; empty: JSON
	effect bool
	header http.Header // beside the content type; nil for none
}

// find returns a partner by name, or nil.
func find(all []*simulator, name string) *simulator {
	for _, p := range all {
		if p.name == name {
			return p
		}
	}
	return nil
}

// partnerNames returns the names that a "partner" may have.
func partnerNames(all []*simulator) []string {
	var names []string
	for _, p := range all {
		names = append(names, p.name)
	}
	return names
}

// operationNames returns the names that an "operation" of these partners may have, the callback's among them.
func operationNames(all ...*simulator) []string {
	var names []string
	for _, p := range all {
		for _, op := range p.operations {
			if !slices.Contains(names, op.Name) {
				names = append(names, op.Name)
			}
		}
		if p.callbacks != nil && !slices.Contains(names, p.callbacks.name) {
			names = append(names, p.callbacks.name)
		}
	}
	return names
}
