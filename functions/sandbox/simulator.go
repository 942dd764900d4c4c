package sandbox

import (
	"net/http"
	"reflect"
	"slices"
	"time"
)

// Simulator is one simulated partner, as its package's New returns it. The frame does routing, size caps, throttling,
// faults, the transaction and the log; the partner answers in its contract's words. It keeps its records in the store
// under keys that begin with its name, and nothing elsewhere: one value can serve several sandboxes.
type Simulator struct {
	Name      string // as in the URL: "equal"
	Endpoints []Endpoint
	Manual    []Manual
	Settings  []Setting
	Callbacks *Callbacks  // nil: it never calls back
	Failures  Failures    // what any operation may answer
	Revoke    func(*Call) // ends the token that a request presents; nil: there are no tokens

	// Client says whose quota a request uses up; RequestsPerSecond is the quota of each, in sandbox time. nil, or not
	// above 0: nothing is throttled.
	Client            func(*http.Request) string
	RequestsPerSecond float64
}

// Endpoint is one operation of a partner and what it does.
type Endpoint struct {
	Name     string               // the folder of the gateway's function for it: "execute-journey"
	Method   string               // "POST"
	Path     string               // the partner's own, as in http.ServeMux patterns; served under /sandbox/<partner>
	Effect   bool                 // whether a request can change something at the partner
	MaxBody  int64                // largest body that is read, in bytes; 0 for 1 MiB
	Failures func(*Call) Failures // where they are the operation's own; nil: the simulator's

	Handle Handler
}

// Handler answers one request inside its transaction. It may run more than once, so it changes nothing but the call's
// transaction.
type Handler = func(*Call) Answer

// Manual is a route for what a partner's staff or a person does by hand. It needs no key and is not in the log of
// requests.
type Manual struct {
	Method, Path string // served under /sandbox/<partner>

	// Handle does it inside a transaction, as a Handler does. Its result is shown as JSON, an Answer as it
	// is; a *Problem undoes the transaction.
	Handle func(*Call) any
}

// Setting is a documented switch of a simulated partner.
type Setting struct {
	Name   string
	Values []string // allowed; the first is the default
}

// Callbacks are how a partner calls back.
type Callbacks struct {
	Name     string          // the folder of the gateway's function that takes them
	Schedule []time.Duration // pauses before the repeats of one that was not taken, in sandbox time

	// Sign authenticates a callback, or does so wrongly if it is to be forged.
	Sign func(c *Call, header http.Header, body []byte, forge bool)

	// Forge returns what one that is to be forged says in the place of body; nil: the same, as Sign is enough to tell
	// it apart.
	Forge func(c *Call, body []byte) []byte

	// Void reports whether what a callback tells has been called off since; it is then not sent any more. It is asked
	// about those with a ref only. nil: never.
	Void func(c *Call, ref string) bool

	// Taken says what the gateway's answer means: whether it acknowledges, and whether it ends the repeats. nil: any
	// 2xx does both.
	Taken func(status int, body []byte) (acknowledged, final bool)
}

// Failures are the answers that don't depend on the operation, in the partner's documented words.
type Failures struct {
	Unauthorized Answer // credentials or token not accepted
	Throttled    Answer
	Internal     Answer // 500
	Unavailable  Answer // 503
}

// Answer is what a partner sends back, and whether the request changed something there.
type Answer struct {
	Status int
	Body   []byte      // nil for none
	Media  string      // content type; empty: JSON
	Effect bool        // the request changed something
	Header http.Header // beside the content type; nil for none
}

// JSON answers with v as JSON.
func JSON(status int, v any) Answer { return Answer{Status: status, Body: Encode(v)} }

// OK answers 200 with a JSON object: see Object.
func OK(members ...any) Answer { return JSON(http.StatusOK, Object(members...)) }

// WithEffect marks an answer as that of a request with an effect.
func (a Answer) WithEffect() Answer {
	a.Effect = true
	return a
}

// Completed returns a partner's options with its defaults in the place of zero fields.
func Completed[Options any](o, defaults Options) Options {
	fields, def := reflect.ValueOf(&o).Elem(), reflect.ValueOf(defaults)
	for i := range fields.NumField() {
		if fields.Field(i).IsZero() {
			fields.Field(i).Set(def.Field(i))
		}
	}
	return o
}

// Operation is one operation of a simulated partner: what there is to be called, and to arm a fault for.
type Operation struct {
	Partner string // as in the URL: "equal"
	Name    string // the folder of the gateway's function for it: "execute-journey"
	Method  string // "POST"
	Path    string // the partner's own, as in http.ServeMux patterns; served under /sandbox/<partner>
	Effect  bool   // whether a request can change something at the partner
}

// Operations returns every operation of some simulated partners, in their order.
func Operations(all []Simulator) []Operation {
	var operations []Operation
	for _, p := range all {
		for _, e := range p.Endpoints {
			operations = append(operations, p.operation(e))
		}
	}
	return operations
}

// operation describes an endpoint.
func (p *Simulator) operation(e Endpoint) Operation {
	return Operation{Partner: p.Name, Name: e.Name, Method: e.Method, Path: e.Path, Effect: e.Effect}
}

// find returns a partner by name, or nil.
func find(all []Simulator, name string) *Simulator {
	i := slices.IndexFunc(all, func(p Simulator) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// partnerNames returns the names that a "partner" may have.
func partnerNames(all []Simulator) []string {
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	return names
}

// operationNames returns the names that an "operation" of these partners may have, the callback's among them.
func operationNames(all ...Simulator) []string {
	var names []string
	for _, p := range all {
		for _, e := range p.Endpoints {
			if !slices.Contains(names, e.Name) {
				names = append(names, e.Name)
			}
		}
		if p.Callbacks != nil && !slices.Contains(names, p.Callbacks.Name) {
			names = append(names, p.Callbacks.Name)
		}
	}
	return names
}
