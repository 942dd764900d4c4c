// Package vault keeps what must not lie in a state machine, an event or a log, by reference: it seals every blob for
// its own reference before an adapter (vault/bolt) stores it.
package vault

import (
	"context"
	"errors"
	"time"

	"sallyport/shared/seal"
)

// ErrNotFound: no blob has this reference, or it has expired or been erased.
var ErrNotFound = errors.New("vault: not found")

// Blobs stores bytes by key until they expire.
type Blobs interface {
	// Put stores or replaces a blob; from expires on it counts as absent.
	Put(ctx context.Context, key string, blob []byte, expires time.Time) error
	// Get returns a blob, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)
	// Delete removes a blob; that it is absent is fine.
	Delete(ctx context.Context, key string) error
}

// Vault seals what it stores. References name the tenant, and no other tenant's reference opens.
type Vault struct {
	Blobs Blobs
	Ring  func(ctx context.Context) (*seal.Ring, error)
}

// Put seals plain under the reference id of a tenant until expires.
func (v *Vault) Put(ctx context.Context, tenant, id string, plain []byte, expires time.Time) error {
	ring, err := v.Ring(ctx)
	if err != nil {
		return err
	}
	key := blobKey(ring, tenant, id)
	return v.Blobs.Put(ctx, key, ring.Seal(key, plain), expires)
}

// Get opens what Put stored for the same tenant, or ErrNotFound; seal.ErrOpen where it was altered.
func (v *Vault) Get(ctx context.Context, tenant, id string) ([]byte, error) {
	ring, err := v.Ring(ctx)
	if err != nil {
		return nil, err
	}
	key := blobKey(ring, tenant, id)
	box, err := v.Blobs.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return ring.Open(key, box)
}

// Delete erases a blob; that it is absent is fine.
func (v *Vault) Delete(ctx context.Context, tenant, id string) error {
	ring, err := v.Ring(ctx)
	if err != nil {
		return err
	}
	return v.Blobs.Delete(ctx, blobKey(ring, tenant, id))
}

func blobKey(ring *seal.Ring, tenant, id string) string {
	return ring.Reference("vault", tenant, id)
}
