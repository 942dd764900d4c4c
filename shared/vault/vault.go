// Package vault keeps what must not lie in a state machine, an event or a log, by reference: it seals every blob for
// its own reference before an adapter (vault/bolt) stores it.
package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
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
	// Expires returns when a blob expires, or ErrNotFound.
	Expires(ctx context.Context, key string) (time.Time, error)
	// Extend lets a blob expire later than it would, and never sooner; or returns ErrNotFound.
	Extend(ctx context.Context, key string, expires time.Time) error
	// Delete removes a blob; that it is absent is fine.
	Delete(ctx context.Context, key string) error
}

// Uploads lets whoever has a document put it into the store by itself, past the size of a function's payload.
type Uploads interface {
	// Upload permits one PUT of so many bytes under a key until permitted; what was put counts as absent from expires on.
	Upload(ctx context.Context, key string, size int64, permitted, expires time.Time) (Upload, error)
}

// Upload is a request that the holder of a document makes: a PUT to the URL with the headers.
type Upload struct {
	URL    string            `json:"url"`
	Header map[string]string `json:"headers"`
}

// Vault seals what it stores. References name the tenant, and no other tenant's reference opens. What was uploaded past
// it is not sealed by it: the store's own encryption has to do.
type Vault struct {
	Blobs   Blobs
	Uploads Uploads // nil where nobody uploads
	Ring    func(ctx context.Context) (*seal.Ring, error)
}

// uploaded marks the references and the keys of uploads.
const uploaded = "upload-"

// Upload permits a document of so many bytes to be put under the reference id, which Vault makes of the given one. Get
// returns it as JSON: the base64 text that partners take files as.
func (v *Vault) Upload(
	ctx context.Context, tenant, id string, size int64, permitted, expires time.Time,
) (reference string, upload Upload, err error) {
	ring, err := v.Ring(ctx)
	if err != nil {
		return "", upload, err
	}
	reference = uploaded + id
	upload, err = v.Uploads.Upload(ctx, blobKey(ring, tenant, reference), size, permitted, expires)
	return reference, upload, err
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
	d, err := v.read(ctx, tenant, id)
	if err != nil || !d.file {
		return d.bytes, err
	}
	return d.append(make([]byte, 0, d.size())), nil
}

// Expires returns when a document expires, or ErrNotFound.
func (v *Vault) Expires(ctx context.Context, tenant, id string) (time.Time, error) {
	ring, err := v.Ring(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return v.Blobs.Expires(ctx, blobKey(ring, tenant, id))
}

// Extend lets a document expire later than it would, and never sooner; or returns ErrNotFound.
func (v *Vault) Extend(ctx context.Context, tenant, id string, expires time.Time) error {
	ring, err := v.Ring(ctx)
	if err != nil {
		return err
	}
	return v.Blobs.Extend(ctx, blobKey(ring, tenant, id), expires)
}

// Copy puts a document under another id of its kind, which CopyID made, until expires; or returns ErrNotFound.
func (v *Vault) Copy(ctx context.Context, tenant, from, to string, expires time.Time) error {
	d, err := v.read(ctx, tenant, from)
	if err != nil {
		return err
	}
	if !d.file {
		return v.Put(ctx, tenant, to, d.bytes, expires)
	}
	ring, err := v.Ring(ctx)
	if err != nil {
		return err
	}
	return v.Blobs.Put(ctx, blobKey(ring, tenant, to), d.bytes, expires)
}

// CopyID makes the id of a document's copy: that of an upload's is an upload's.
func CopyID(of, id string) string {
	if strings.HasPrefix(of, uploaded) {
		return uploaded + id
	}
	return id
}

// document is a JSON text, or a file that stands for the JSON string of its base64 text.
type document struct {
	bytes []byte
	file  bool
}

func (v *Vault) read(ctx context.Context, tenant, id string) (d document, err error) {
	ring, err := v.Ring(ctx)
	if err != nil {
		return d, err
	}
	key := blobKey(ring, tenant, id)
	box, err := v.Blobs.Get(ctx, key)
	if err != nil {
		return d, err
	}
	if strings.HasPrefix(id, uploaded) {
		return document{box, true}, nil
	}
	text, err := ring.OpenInPlace(key, box)
	return document{text, false}, err
}

// size is how long the JSON text is.
func (d document) size() int {
	if d.file {
		return base64.StdEncoding.EncodedLen(len(d.bytes)) + len(`""`)
	}
	return len(d.bytes)
}

// append appends the JSON text.
func (d document) append(text []byte) []byte {
	if !d.file {
		return append(text, d.bytes...)
	}
	text = base64.StdEncoding.AppendEncode(append(text, '"'), d.bytes)
	return append(text, '"')
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
	key := ring.Reference("vault", tenant, id)
	if strings.HasPrefix(id, uploaded) {
		return uploaded + key
	}
	return key
}
