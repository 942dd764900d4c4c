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

	// Of refresh tokens; see Session.
	Session string `json:"sid,omitzero"`
	Use     int    `json:"use,omitzero"`
	End     int64  `json:"end,omitzero"` // Unix time
}

// Session is what refresh tokens have in common that were bought with one another.
type Session struct {
	ID  string
	Use int       // the place of a token among them: 1 for the one that was bought with the key
	End time.Time // the last of them expires then, at the latest
}

// SessionLifetime is how long refresh tokens buy one another, before the key is needed again.
const SessionLifetime = 24 * time.Hour

// Mint makes a gateway token for clients that insist on fetching one: it stands for the caller's key, for one scope and
// so long. A refresh token has a session; an access token has none, the zero one.
func (a *Authenticator) Mint(
	ctx context.Context, caller ledger.Caller, kind TokenKind, scope string, ttl time.Duration, s Session,
) (string, error) {
	if a.Ring == nil {
		return "", errors.New("gateway: no key ring to mint tokens with")
	}
	ring, err := a.Ring(ctx)
	if err != nil {
		return "", err
	}
	t := gatewayToken{Kind: kind, KeyHash: caller.KeyHash, Scope: scope, Expires: a.now().Add(ttl).Unix()}
	if s.ID != "" {
		t.Session, t.Use, t.End = s.ID, s.Use, s.End.Unix()
	}
	plain, err := json.Marshal(t)
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
	t, err := a.open(ctx, kind, text)
	if err != nil {
		return ledger.Caller{}, err
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

// SessionOf returns the session of a valid refresh token. One that was made before there were sessions begins one.
func (a *Authenticator) SessionOf(ctx context.Context, text string) (Session, error) {
	t, err := a.open(ctx, RefreshToken, text)
	switch {
	case err != nil:
		return Session{}, err
	case t.Session == "":
		return Session{ID: HashKey(text), Use: 1, End: a.now().Add(SessionLifetime)}, nil
	}
	return Session{ID: t.Session, Use: t.Use, End: time.Unix(t.End, 0)}, nil
}

// open reads a gateway token of a kind that has not expired.
func (a *Authenticator) open(ctx context.Context, kind TokenKind, text string) (t gatewayToken, err error) {
	sealed, isToken := strings.CutPrefix(text, tokenPrefix)
	if !isToken || a.Ring == nil || len(text) > maxToken {
		return t, ErrBadKey
	}
	ring, err := a.Ring(ctx)
	if err != nil {
		return t, err
	}
	box, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return t, ErrBadKey
	}
	plain, err := ring.Open(string("gateway token "+kind), box)
	if err != nil || json.Unmarshal(plain, &t) != nil || a.now().Unix() >= t.Expires {
		return t, ErrBadKey
	}
	return t, nil
}

const maxToken = 600 // characters; what Digit9 documents for its own
