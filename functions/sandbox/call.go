package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Call is one request inside its transaction: all that a simulated partner has to do with the frame.
//
// No method returns an error of the store. After the first one nothing is found any more and nothing is written, and
// the frame undoes the transaction whatever the partner answers.
type Call struct {
	Request   *http.Request // its body has been read; nil while a callback is sent
	Body      []byte
	Now       time.Time // of arrival, real
	Operation string    // its name; empty for what is done by hand

	tx        Tx
	err       error // the first of the transaction
	sandbox   *Sandbox
	simulator *Simulator
	endpoint  *Endpoint // nil for what is done by hand
	queued    int       // callbacks that the transaction leaves to send
}

// begin starts a transaction, as Store.Update may do several times for one call.
func (c *Call) begin(tx Tx) { c.tx, c.err, c.queued = tx, nil, 0 }

// NewID returns a new UUID in its text form.
func (c *Call) NewID() string { return c.sandbox.opts.NewID() }

// NewHexID returns 32 hexadecimal digits, those of a new UUID.
func (c *Call) NewHexID() string { return strings.ReplaceAll(c.NewID(), "-", "") }

// Since returns how much sandbox time has passed since a real time.
func (c *Call) Since(t time.Time) time.Duration { return c.sandbox.clock.elapsed(t, c.Now) }

// Real returns how long a sandbox duration really takes.
func (c *Call) Real(d time.Duration) time.Duration { return c.sandbox.clock.real(d) }

// do runs one step of the transaction unless one before it failed.
func (c *Call) do(step func() error) {
	if c.err == nil {
		c.err = step()
	}
}

// Get returns the value of a key, or nil where there is none.
func (c *Call) Get(key string) (value []byte) {
	c.do(func() (err error) { value, err = c.tx.Get(key); return err })
	return value
}

// Put sets the value of a key.
func (c *Call) Put(key string, value []byte) { c.do(func() error { return c.tx.Put(key, value) }) }

// Delete removes a key.
func (c *Call) Delete(key string) { c.do(func() error { return c.tx.Delete(key) }) }

// Load reads a JSON record into v and reports whether there is one.
func (c *Call) Load(key string, v any) (found bool) {
	c.do(func() (err error) { found, err = load(c.tx, key, v); return err })
	return found && c.err == nil
}

// Save writes v as a JSON record.
func (c *Call) Save(key string, v any) { c.Put(key, Encode(v)) }

// List returns the JSON records whose key begins with prefix, in the order of their keys.
func List[T any](c *Call, prefix string) (all []T) {
	c.do(func() error { return list(c.tx, prefix, func(_ string, v T) { all = append(all, v) }) })
	return all
}

// Fail undoes the transaction for an error that is the sandbox's own; nil is none.
func (c *Call) Fail(err error) { c.do(func() error { return err }) }

// Decode reads JSON that must be right by now into v.
func (c *Call) Decode(text []byte, v any) { c.Fail(json.Unmarshal(text, v)) }

// Setting returns the value of one of the partner's own settings.
func (c *Call) Setting(name string) string {
	value := string(c.Get(settingKey(c.simulator.Name, name)))
	for _, def := range c.simulator.Settings {
		if def.Name == name && !slices.Contains(def.Values, value) {
			return def.Values[0]
		}
	}
	return value
}

// Failures returns what the operation answers in the place of its own answer.
func (c *Call) Failures() Failures {
	if c.endpoint != nil && c.endpoint.Failures != nil {
		return c.endpoint.Failures(c)
	}
	return c.simulator.Failures
}

// Form returns the values of the body's form by their names: of a repeated one the last, of what is no form none.
func (c *Call) Form() func(name string) string {
	var form url.Values
	media, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err == nil && media == "application/x-www-form-urlencoded" {
		if parsed, err := url.ParseQuery(string(c.Body)); err == nil {
			form = parsed
		}
	}
	return func(name string) string {
		values := form[name]
		if len(values) == 0 {
			return ""
		}
		return values[len(values)-1]
	}
}

// DecodeObject decodes the body as one JSON object with the given names and no others, none of them twice. Its errors
// are problems.
func (c *Call) DecodeObject(v any, names ...string) error { return decodeObject(c.Body, v, names...) }

// Bearer returns the token that the request presents, or "".
func (c *Call) Bearer() string {
	scheme, token, _ := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// HasCallerKey reports whether the request carries a caller's key, as the admin routes ask for.
func (c *Call) HasCallerKey() bool { return c.sandbox.opts.Authenticate(c.Request) == nil }

// Origin returns how the sandbox was reached, without a slash at the end: what the url of a page begins with.
func (c *Call) Origin() string {
	scheme := c.Request.Header.Get("X-Forwarded-Proto")
	if scheme != "http" && scheme != "https" {
		scheme = "http"
		if c.Request.TLS != nil {
			scheme = "https"
		}
	}
	return scheme + "://" + c.Request.Host
}

// Same compares pairs of what was given and what is right, in a time that doesn't tell where they differ.
func Same(pairs ...string) bool {
	equal := 1
	for i := 0; i < len(pairs); i += 2 {
		got, want := sha256.Sum256([]byte(pairs[i])), sha256.Sum256([]byte(pairs[i+1]))
		equal &= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return equal == 1
}

// Digest stands for values of the caller's making, which may be long or private, and in a header any bytes.
func Digest(parts ...string) string {
	for i, part := range parts {
		parts[i] = strings.ToValidUTF8(part, "\uFFFD")
	}
	sum := sha256.Sum256(Encode(parts))
	return hex.EncodeToString(sum[:])
}
