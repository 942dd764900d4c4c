// Package secrets reads partner credentials and the key ring, at most once per container while they are warm.
// Adapters: secrets/awssm (AWS Secrets Manager), secrets/file (local development).
package secrets

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrNotFound: there is no secret of that name.
var ErrNotFound = errors.New("secrets: not found")

// Source reads a secret's current value by its full name, or ErrNotFound.
type Source interface {
	Secret(ctx context.Context, name string) ([]byte, error)
}

const (
	// TTL is how long a value is served without asking the source again.
	TTL = 10 * time.Minute
	// pause is how long a value that was just read is not read again, however often it is rejected, and how long an old
	// value is served while the source fails.
	pause = 30 * time.Second
)

// Cache serves secrets of one stage. Concurrent readers of a cold name share one call to the source, and that a name
// does not exist is remembered too.
type Cache struct {
	source Source
	stage  string
	now    func() time.Time

	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	once   sync.Once
	old    *entry // what it replaces, until it is read
	value  []byte
	err    error
	readAt time.Time
}

// NewCache makes a Cache for secrets named "sallyport/<stage>/…".
func NewCache(source Source, stage string, now func() time.Time) *Cache {
	return &Cache{source: source, stage: stage, now: now, entries: map[string]*entry{}}
}

// Keys returns the document of the key ring.
func (c *Cache) Keys(ctx context.Context) ([]byte, error) { return c.get(ctx, c.prefix()+"keys") }

// Sandbox returns what the simulated partners are told of the deployment that they are part of.
func (c *Cache) Sandbox(ctx context.Context) ([]byte, error) { return c.get(ctx, c.prefix()+"sandbox") }

// Partner returns a tenant's credentials for a partner: its own where "tenants/<tenant>/<partner>" exists, otherwise
// the deployment's "partners/<partner>", which an empty tenant always gets. ErrNotFound where there are neither.
func (c *Cache) Partner(ctx context.Context, tenant, partner string) ([]byte, error) {
	value, _, err := c.Account(ctx, tenant, partner)
	return value, err
}

// Account is Partner, and tells whether the credentials are the tenant's own: then so is all of the partner's account.
func (c *Cache) Account(ctx context.Context, tenant, partner string) (value []byte, own bool, err error) {
	ofTenant, shared := c.partnerNames(tenant, partner)
	if tenant != "" {
		if value, err = c.get(ctx, ofTenant); !errors.Is(err, ErrNotFound) {
			return value, true, err
		}
	}
	value, err = c.get(ctx, shared)
	return value, false, err
}

// RefreshPartner forgets a tenant's credentials for a partner and reads them again, unless they differ from the
// rejected ones already or were read within the last half minute.
func (c *Cache) RefreshPartner(ctx context.Context, tenant, partner string, rejected []byte) ([]byte, error) {
	value, err := c.Partner(ctx, tenant, partner)
	if err == nil && string(value) != string(rejected) {
		return value, nil // somebody else has refreshed it already
	}
	own, shared := c.partnerNames(tenant, partner)
	c.mu.Lock()
	for _, name := range []string{own, shared} {
		if e := c.entries[name]; e != nil && c.now().Sub(e.readAt) >= pause {
			delete(c.entries, name)
		}
	}
	c.mu.Unlock()
	return c.Partner(ctx, tenant, partner)
}

func (c *Cache) prefix() string { return "sallyport/" + c.stage + "/" }

func (c *Cache) partnerNames(tenant, partner string) (own, shared string) {
	return c.prefix() + "tenants/" + tenant + "/" + partner, c.prefix() + "partners/" + partner
}

func (c *Cache) get(ctx context.Context, name string) ([]byte, error) {
	c.mu.Lock()
	e := c.entries[name]
	if e == nil || (!e.readAt.IsZero() && c.now().Sub(e.readAt) >= TTL) {
		e = &entry{old: e, err: errors.New("secrets: not read")}
		c.entries[name] = e
	}
	c.mu.Unlock()
	e.once.Do(func() { c.read(ctx, name, e) })
	return e.value, e.err
}

// read asks the source. While it fails, an old value is better than none, for a while; a failure without one is not
// remembered.
func (c *Cache) read(ctx context.Context, name string, e *entry) {
	value, err := c.source.Secret(ctx, name)
	c.mu.Lock()
	defer c.mu.Unlock()
	old := e.old
	e.old, e.value, e.err, e.readAt = nil, value, err, c.now()
	if err == nil || errors.Is(err, ErrNotFound) {
		return
	}
	if old != nil {
		e.value, e.err, e.readAt = old.value, old.err, c.now().Add(pause-TTL)
		return
	}
	if c.entries[name] == e {
		delete(c.entries, name)
	}
}
