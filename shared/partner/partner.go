// Package partner is the value in which a partner says what the rest of Sallyport must know of it. The local stack is
// wired by it; the partner's part of template.yaml, its sample events and its rows in documents are generated from it.
package partner

import (
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/operation"
)

// Partner describes one partner. A package returns it from a function named Partner, never from a variable, so that a
// Lambda main links its own operation alone.
type Partner struct {
	Name    string // lower case: its folder, the prefix of its routes, its scope and its secret: "ezto"
	Title   string // as the partner writes it: "EZTO"
	BaseURL BaseURL

	// Alias is what the paths of routes may begin with as well, beside "/" and the name: "/iron/api". Empty for none. It
	// takes one more route of each, of which an HTTP API has 300, and one more resource, of which a stack has 500.
	Alias string

	// Credentials is an example of the partner's secret, of which it has the JSON form. The simulated partner accepts it.
	Credentials any

	// Endpoints are the partner's functions, in the order in which people read of them.
	Endpoints []Endpoint

	// Examples are events to try the functions with, by the last part of their names: for each exactly one request, and at
	// most one task of a state machine.
	Examples map[string][]Example

	// Records returns how the ledger names the partner's records that tenants own, by kind; ok tells which ids are some.
	Records func() map[string]func(id string) (name string, ok bool)

	// Journeys returns the types of its journeys; nil for none. A Lambda that starts journeys links the package's Journeys
	// alone, not its Partner.
	Journeys func(now func() time.Time) []journey.Type
}

// Variable is the environment's variable that holds the partner's base URL: "EZTO_BASE_URL".
func (p Partner) Variable() string { return strings.ToUpper(p.Name) + "_BASE_URL" }

// BaseURL is where a deployment reaches the partner when it is live.
type BaseURL struct {
	Default string // https, no slash at the end; empty where whoever deploys must say it
	Note    string // a sentence for whoever deploys; empty for none
}

// Endpoint is one function of a partner's, and what its deployment needs.
type Endpoint struct {
	Function

	// Routes are its methods and paths at the HTTP API: "GET /iron/customers/{customerId}". A path begins with the
	// partner's name, that of a callback with "/callbacks/" and the name.
	Routes []string

	Summary string // what a call does, for people: "opens an exchange transaction"
	Vault   Vault
	Memory  int // MB; zero for what functions have unless they say otherwise

	// CallsBack says of a callback that its function calls the partner, and needs its base URL.
	CallsBack bool

	// Hook says, of a callback, what its URL is for: a sentence for whoever enters it at the partner.
	Hook string

	// Key says, of an effect, what it takes for an idempotency key; empty where an Idempotency-Key is optional.
	Key string

	// Unknown says, of an effect, what becomes of an outcome that nobody knows: "stays unknown".
	Unknown string
}

// Vault is how a function uses the vault.
type Vault int

const (
	NoVault   Vault = iota
	VaultPut        // an answer that is too large for its record goes there
	VaultBoth       // likewise, and what a state machine hands over by reference is read there
)

// Example is an event to try a function with.
type Example struct {
	Target string            // of a request: path and query, as in "/mbanq/v1/clients/8801?command=verify"
	Header map[string]string // of a request, in lower case, beside the usual ones; an empty value leaves a usual one out
	State  string            // of a task: the state of a state machine that sends it; empty for a request
	Run    string            // of a task: the name of its execution
	Body   string            // of a request, whose JSON loses its white space; of a task, its members beside "task"
}

// Kind is what a function does.
type Kind string

const (
	Effect   Kind = "effect"   // acts at the partner
	Read     Kind = "read"     // changes nothing at the partner
	Callback Kind = "callback" // takes what the partner posts
)

// Function is what serves an endpoint. Make it with Operation or Receiver.
type Function struct {
	Name string // its folder below functions: "iron/get-customer"
	Kind Kind
	New  func(Config) lambda.Handler

	// Fingerprint returns, of a request for an effect, the JSON by which its repeat is known; nil for other kinds.
	Fingerprint func(gateway.Request) (string, error)
}

// Config is what a process that runs every function makes them of. A Lambda's main doesn't need it.
type Config struct {
	Pipeline  *operation.Pipeline
	BaseURL   string  // where the partner is reached, without a slash at the end
	TimeScale float64 // how many seconds pass at the partner in a real one

	// Receive serves what a partner posts.
	Receive func(callback.Receiver) lambda.Handler
}

// described is a Config that serves nothing, with which a function still says what it is.
func described() Config { return Config{Pipeline: &operation.Pipeline{}, TimeScale: 1} }

// Operation is the function of an operation, which the partner's own config makes.
func Operation[C, In any](config func(Config) C, describe func(C) operation.Operation[In]) Function {
	op := describe(config(described()))
	f := Function{Name: op.Name, Kind: Read, New: func(c Config) lambda.Handler {
		return operation.New(c.Pipeline, describe(config(c)))
	}}
	if op.OnUnknown == nil {
		return f
	}
	f.Kind, f.Fingerprint = Effect, func(req gateway.Request) (string, error) {
		in, err := op.Decode(req)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(op.Fingerprint(in), json.Deterministic(true))
		return string(text), err
	}
	return f
}

// Receiver is the function that takes a partner's callbacks, made likewise.
func Receiver[C any](config func(Config) C, describe func(C) callback.Receiver) Function {
	return Function{Name: describe(config(described())).Name, Kind: Callback, New: func(c Config) lambda.Handler {
		return c.Receive(describe(config(c)))
	}}
}
