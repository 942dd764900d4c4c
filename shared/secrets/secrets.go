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

// TTL is how long a value is served without asking the source again.
const TTL = 10 * time.Minute

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

// Partner returns a tenant's credentials for a partner: its own where "tenants/<tenant>/<partner>" exists, otherwise
// the deployment's "partners/<partner>". ErrNotFound where there are neither.
func (c *Cache) Partner(ctx context.Context, tenant, partner string) ([]byte, error) {
	own, shared := c.partnerNames(tenant, partner)
	value, err := c.get(ctx, own)
	if errors.Is(err, ErrNotFound) {
		return c.get(ctx, shared)
	}
	return value, err
}

// RefreshPartner forgets a tenant's credentials for a partner and reads them again. Unless the value differs from
// rejected, whoever calls this at the same time shares one reading.
func (c *Cache) RefreshPartner(ctx context.Context, tenant, partner string, rejected []byte) ([]byte, error) {
	value, err := c.Partner(ctx, tenant, partner)
	if err == nil && string(value) != string(rejected) {
		return value, nil // somebody else has refreshed it already
	}
	own, shared := c.partnerNames(tenant, partner)
	c.mu.Lock()
	for _, name := range []string{own, shared} {
		delete(c.entries, name)
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
		e = &entry{}
		c.entries[name] = e
	}
	c.mu.Unlock()

	e.once.Do(func() {
		e.value, e.err = c.source.Secret(ctx, name)
		c.mu.Lock()
		defer c.mu.Unlock()
		if e.err != nil && !errors.Is(e.err, ErrNotFound) {
			if c.entries[name] == e {
				delete(c.entries, name) // a failure is not remembered
			}
			return
		}
		e.readAt = c.now()
	})
	return e.value, e.err
}
