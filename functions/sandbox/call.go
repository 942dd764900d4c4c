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
)

// Call is one request inside its transaction: all that a simulated partner has to do with the frame.
type Call struct {
	Tx
	Request   *http.Request // its body has been read; nil while a callback is sent
	Body      []byte
	Now       time.Time // of arrival, real
	Operation string    // its name; empty for what is done by hand

	sandbox   *Sandbox
	simulator *Simulator
	endpoint  *Endpoint // nil for what is done by hand
	queued    int       // callbacks that the transaction leaves to send
}

// NewID returns a new UUID in its text form.
func (c *Call) NewID() string { return c.sandbox.newID() }

// NewHexID returns 32 hexadecimal digits, those of a new UUID.
func (c *Call) NewHexID() string { return strings.ReplaceAll(c.NewID(), "-", "") }

// Since returns how much sandbox time has passed since a real time.
func (c *Call) Since(t time.Time) time.Duration { return c.sandbox.clock.elapsed(t, c.Now) }

// Real returns how long a sandbox duration really takes.
func (c *Call) Real(d time.Duration) time.Duration { return c.sandbox.clock.real(d) }

// Load reads a JSON record into v and reports whether there is one.
func (c *Call) Load(key string, v any) (bool, error) { return load(c, key, v) }

// Save writes v as a JSON record.
func (c *Call) Save(key string, v any) error { return save(c, key, v) }

// Setting returns the value of one of the partner's own settings.
func (c *Call) Setting(name string) (string, error) {
	b, err := c.Get(settingKey(c.simulator.Name, name))
	if err != nil {
		return "", err
	}
	for _, def := range c.simulator.Settings {
		if def.Name == name && !slices.Contains(def.Values, string(b)) {
			return def.Values[0], nil
		}
	}
	return string(b), nil
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
func (c *Call) HasCallerKey() bool { return c.sandbox.authenticate(c.Request) == nil }

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
