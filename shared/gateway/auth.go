package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/seal"
	"sallyport/shared/tolerant"
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

// Authenticate returns the caller who holds the first of some keys that anybody holds, or for whom it was made as a
// gateway token: ErrNoKey without a key, ErrBadKey where nobody holds one. Empty keys are passed over.
func (a *Authenticator) Authenticate(ctx context.Context, keys ...string) (caller ledger.Caller, err error) {
	err = ErrNoKey
	for _, key := range keys {
		switch {
		case key == "":
			continue
		case IsToken(key):
			caller, err = a.Redeem(ctx, AccessToken, key)
		default:
			caller, err = a.holder(ctx, HashKey(key))
		}
		if !errors.Is(err, ErrBadKey) {
			return caller, err
		}
	}
	return ledger.Caller{}, err
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

// KeyPrefix begins the keys of callers, and tells them from gateway tokens.
const KeyPrefix = "spk_"

// Keys returns the keys that a request may mean, in the order in which they are to be tried; body are those that a
// partner's contract has in the body. An X-API-Key of our making is the only one. Any other may be meant for somebody
// else, and comes after the Bearer token or the password of Basic.
func Keys(header map[string]string, body ...string) (keys []string) {
	key := strings.TrimSpace(header["x-api-key"])
	if strings.HasPrefix(key, KeyPrefix) || IsToken(key) {
		return []string{key}
	}
	if scheme, token := authorization(header); strings.EqualFold(scheme, "bearer") {
		keys = append(keys, token)
	}
	if _, password := Basic(header); password != "" {
		keys = append(keys, password)
		if plain := Unescape(password); plain != password {
			keys = append(keys, plain)
		}
	}
	return append(append(keys, key), body...)
}

// Basic returns the user and the password of Basic authentication (RFC 7617), as they stand there; both are empty where
// there is none. Its base64 may lack its padding.
func Basic(header map[string]string) (user, password string) {
	if scheme, text := authorization(header); strings.EqualFold(scheme, "basic") {
		user, password, _ = strings.Cut(string(tolerant.Base64(text)), ":")
	}
	return user, password
}

// Unescape returns a half of Basic without the encoding of forms that OAuth has in it (RFC 6749 §2.3.1) and not all
// clients use; the half itself where there is none.
func Unescape(half string) string {
	plain, err := url.QueryUnescape(half)
	if err != nil {
		return half
	}
	return plain
}

func authorization(header map[string]string) (scheme, rest string) {
	scheme, rest, _ = strings.Cut(strings.TrimSpace(header["authorization"]), " ")
	return scheme, strings.TrimSpace(rest)
}

// HashKey returns the form in which the ledger keeps a key.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
