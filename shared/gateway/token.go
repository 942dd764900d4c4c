package gateway

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/ledger"
)

// TokenKind is what a gateway token is good for.
type TokenKind string

const (
	AccessToken  TokenKind = "access"  // stands for its caller's key
	RefreshToken TokenKind = "refresh" // buys new tokens
)

// tokenPrefix tells a gateway token from a key.
const tokenPrefix = "sgt_"

// gatewayToken is what a gateway token holds, sealed: nothing of it is stored.
type gatewayToken struct {
	Kind    TokenKind `json:"kind"`
	KeyHash string    `json:"key"`   // the caller's: who loses the key loses its tokens
	Scope   string    `json:"scope"` // the only one
	Expires int64     `json:"exp"`   // Unix time
}

// Mint makes a gateway token for clients that insist on fetching one: it stands for the caller's key, for one scope and
// so long.
func (a *Authenticator) Mint(
	ctx context.Context, caller ledger.Caller, kind TokenKind, scope string, ttl time.Duration,
) (string, error) {
	if a.Ring == nil {
		return "", errors.New("gateway: no key ring to mint tokens with")
	}
	ring, err := a.Ring(ctx)
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(gatewayToken{kind, caller.KeyHash, scope, a.now().Add(ttl).Unix()})
	if err != nil {
		return "", err
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(ring.Seal(string("gateway token "+kind), plain)), nil
}

// IsToken tells a gateway token from a key.
func IsToken(key string) bool { return strings.HasPrefix(key, tokenPrefix) }

// Redeem returns the caller for whom a gateway token of this kind was made, with the token's scope alone. Errors are
// those of Authenticate.
func (a *Authenticator) Redeem(ctx context.Context, kind TokenKind, text string) (ledger.Caller, error) {
	sealed, isToken := strings.CutPrefix(text, tokenPrefix)
	if !isToken || a.Ring == nil || len(text) > maxToken {
		return ledger.Caller{}, ErrBadKey
	}
	ring, err := a.Ring(ctx)
	if err != nil {
		return ledger.Caller{}, err
	}
	box, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return ledger.Caller{}, ErrBadKey
	}
	plain, err := ring.Open(string("gateway token "+kind), box)
	var t gatewayToken
	if err != nil || json.Unmarshal(plain, &t) != nil || a.now().Unix() >= t.Expires {
		return ledger.Caller{}, ErrBadKey
	}
	caller, err := a.holder(ctx, t.KeyHash)
	if err != nil {
		return ledger.Caller{}, err
	}
	if !caller.May(t.Scope) {
		return ledger.Caller{}, ErrBadKey
	}
	caller.Scopes = []string{t.Scope}
	return caller, nil
}

const maxToken = 600 // characters; what Digit9 documents for its own
