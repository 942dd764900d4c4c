// Package seal keeps personal data unreadable where it is stored: AES-256-GCM under a ring of rotating keys, HMAC
// references that can be compared but not searched, and masks that show the last four digits.
package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json"
)

// Ring holds the keys of one deployment. The first sealing key seals, all of them open; the id key never rotates,
// since record ids and references are derived from it.
type Ring struct {
	current string
	sealing map[string]cipher.AEAD
	macs    sync.Pool // of *mac under the id key
}

// mac computes one HMAC-SHA256 after the other.
type mac struct {
	hash hash.Hash
	text []byte // of the last one
	sum  [sha256.Size]byte
}

// Keys is the document that a Ring is made of, as the secret "sallyport/<stage>/keys" holds it. {"id":"…"} is enough
// to begin with: a first sealing key, kid "0", is derived of it. To rotate, put a new entry in front of Seal; drop the
// last one when nothing that it sealed is kept any more.
type Keys struct {
	ID   string `json:"id"`            // 32 characters or more of random text; never changes
	Seal []Key  `json:"seal,omitzero"` // the first one seals; without any, kid "0" does
}

// Key is one sealing key. Its Secret is stretched by HKDF-SHA256, so any random text of 32 characters or more will do.
type Key struct {
	KID    string `json:"kid"` // 1 to 32 characters, unique, not "0"; stands in front of what it sealed
	Secret string `json:"secret"`
}

const firstKID = "0"

const minSecret = 32

// ErrOpen: the box was sealed for another purpose or record, by a key that the ring no longer has, or was altered.
var ErrOpen = errors.New("seal: cannot open")

// ParseRing makes a Ring of the JSON form of Keys.
func ParseRing(document []byte) (*Ring, error) {
	var keys Keys
	if err := json.Unmarshal(document, &keys, json.RejectUnknownMembers(true)); err != nil {
		return nil,
			errors.New("seal: the key document is not JSON of the form {\"id\":…,\"seal\":[{\"kid\":…,\"secret\":…}]}")
	}
	return NewRing(keys)
}

// NewRing makes a Ring.
func NewRing(keys Keys) (*Ring, error) {
	if len(keys.ID) < minSecret {
		return nil, fmt.Errorf("seal: id key has under %d characters", minSecret)
	}
	id, err := hkdf.Key(sha256.New, []byte(keys.ID), nil, "sallyport id", sha256.Size)
	if err != nil {
		return nil, err
	}
	ring := append(keys.Seal[:len(keys.Seal):len(keys.Seal)], Key{firstKID, keys.ID})
	r := &Ring{current: ring[0].KID, sealing: map[string]cipher.AEAD{}}
	r.macs.New = func() any { return &mac{hash: hmac.New(sha256.New, id)} }
	for i, k := range ring {
		if len(k.KID) == 0 || len(k.KID) > 32 || len(k.Secret) < minSecret || r.sealing[k.KID] != nil ||
			k.KID == firstKID && i < len(keys.Seal) {
			const reason = "seal: sealing key %d needs a unique kid of 1 to 32 characters and a secret of at least %d"
			return nil, fmt.Errorf(reason, i, minSecret)
		}
		raw, err := hkdf.Key(sha256.New, []byte(k.Secret), nil, "sallyport seal "+k.KID, 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, err
		}
		if r.sealing[k.KID], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// GenerateKeys makes keys for a new deployment or for local development.
func GenerateKeys() Keys {
	return Keys{ID: rand.Text() + rand.Text()}
}

// Seal encrypts plain for one record; only Open with the same record gets it back. The box is 1 + len(kid) + 28 bytes
// longer than plain.
func (r *Ring) Seal(record string, plain []byte) []byte {
	box := append([]byte{byte(len(r.current))}, r.current...)
	return r.sealing[r.current].Seal(box, nil, plain, []byte(record))
}

// Open decrypts what Seal made for the same record; ErrOpen otherwise.
func (r *Ring) Open(record string, box []byte) ([]byte, error) {
	return r.open(nil, record, box)
}

// OpenInPlace is Open for a large box: what it returns lies where the box was, which is gone.
func (r *Ring) OpenInPlace(record string, box []byte) ([]byte, error) {
	return r.open(box, record, box)
}

func (r *Ring) open(into []byte, record string, box []byte) ([]byte, error) {
	if len(box) == 0 || len(box) < 1+int(box[0]) {
		return nil, ErrOpen
	}
	kid, sealed := box[1:1+int(box[0])], box[1+int(box[0]):]
	aead := r.sealing[string(kid)]
	if aead == nil {
		return nil, ErrOpen
	}
	if into != nil {
		into = sealed[:0]
	}
	plain, err := aead.Open(into, nil, sealed, []byte(record))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Reference returns the HMAC-SHA256 of parts under the id key, in hex. The same parts for the same purpose give the
// same reference for ever; parts are delimited, so that ("ab","c") and ("a","bc") differ.
func (r *Ring) Reference(purpose string, parts ...string) string {
	m := r.macs.Get().(*mac)
	defer r.macs.Put(m)
	m.text = appendDelimited(m.text[:0], purpose)
	for _, part := range parts {
		m.text = appendDelimited(m.text, part)
	}
	m.hash.Reset()
	m.hash.Write(m.text)
	return hex.EncodeToString(m.hash.Sum(m.sum[:0]))
}

func appendDelimited(text []byte, part string) []byte {
	return append(append(strconv.AppendInt(text, int64(len(part)), 10), ':'), part...)
}

// Cached reads a ring's document at every call, which must be cheap, and makes the ring anew only when it changes.
func Cached(document func(context.Context) ([]byte, error)) func(context.Context) (*Ring, error) {
	var mu sync.Mutex
	var ring *Ring
	var of [sha256.Size]byte
	return func(ctx context.Context) (*Ring, error) {
		text, err := document(ctx)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		mu.Lock()
		defer mu.Unlock()
		if ring != nil && sum == of {
			return ring, nil
		}
		made, err := ParseRing(text)
		if err != nil {
			return nil, err
		}
		ring, of = made, sum
		return ring, nil
	}
}
