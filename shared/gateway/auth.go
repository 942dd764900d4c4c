package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/seal"
)

// Errors of authentication. Any other error means that the ledger did not answer.
var (
	ErrNoKey  = errors.New("gateway: no key")
	ErrBadKey = errors.New("gateway: key is not known or has expired")
)

// Callers looks callers up by the hash of their key; ledger.ErrNotFound where there is none.
type Callers interface {
	Caller(ctx context.Context, keyHash string) (ledger.Caller, error)
}

// callerTTL is how long a caller is remembered, and so how long a revoked key may still work.
const callerTTL = 60 * time.Second

const maxCachedCallers = 10_000

// Authenticator tells who is calling.
type Authenticator struct {
	// Ring opens gateway tokens; without one, none is accepted.
	Ring func(context.Context) (*seal.Ring, error)

	callers Callers
	now     func() time.Time

	mu    sync.Mutex
	known map[string]knownCaller
}

type knownCaller struct {
	caller ledger.Caller
	until  time.Time
}

// NewAuthenticator makes an Authenticator that remembers callers for a minute.
func NewAuthenticator(callers Callers, now func() time.Time) *Authenticator {
	return &Authenticator{callers: callers, now: now, known: map[string]knownCaller{}}
}

// Authenticate returns the caller who holds a key, or for whom a gateway token was made: ErrNoKey for an empty one,
// ErrBadKey for one that nobody holds.
func (a *Authenticator) Authenticate(ctx context.Context, key string) (ledger.Caller, error) {
	if key == "" {
		return ledger.Caller{}, ErrNoKey
	}
	if IsToken(key) {
		return a.Redeem(ctx, AccessToken, key)
	}
	return a.holder(ctx, HashKey(key))
}

// holder returns the caller whose key has this hash.
func (a *Authenticator) holder(ctx context.Context, hash string) (ledger.Caller, error) {
	now := a.now()
	a.mu.Lock()
	known, ok := a.known[hash]
	a.mu.Unlock()
	if !ok || !now.Before(known.until) {
		caller, err := a.callers.Caller(ctx, hash)
		if errors.Is(err, ledger.ErrNotFound) {
			return ledger.Caller{}, ErrBadKey
		}
		if err != nil {
			return ledger.Caller{}, err
		}
		known = knownCaller{caller, now.Add(callerTTL)}
		a.mu.Lock()
		if len(a.known) >= maxCachedCallers {
			clear(a.known)
		}
		a.known[hash] = known
		a.mu.Unlock()
	}
	caller := known.caller
	expired := !caller.ExpiresAt.IsZero() && !now.Before(caller.ExpiresAt)
	if expired || subtle.ConstantTimeCompare([]byte(caller.KeyHash), []byte(hash)) != 1 {
		return ledger.Caller{}, ErrBadKey
	}
	return caller, nil
}

// Key returns the key that a request carries: X-API-Key, else the Bearer token, else the password of Basic; empty
// where there is none.
func Key(header map[string]string) string {
	if key, ok := header["x-api-key"]; ok {
		return strings.TrimSpace(key)
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header["authorization"]), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "bearer":
		return rest
	case "basic":
		pair, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return ""
		}
		_, password, _ := strings.Cut(string(pair), ":")
		return password
	}
	return ""
}

// HashKey returns the form in which the ledger keeps a key.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
