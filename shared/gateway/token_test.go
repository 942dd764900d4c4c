package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/seal"
)

func MustRing(t testing.TB) *seal.Ring {
	t.Helper()
	ring, err := seal.NewRing(seal.GenerateKeys())
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// tokens is an Authenticator with a key ring, a clock and one caller, who holds "key".
type tokens struct {
	*gateway.Authenticator
	t       *testing.T
	callers *callers
	caller  ledger.Caller
	now     time.Time
}

func newTokens(t *testing.T, scopes ...string) *tokens {
	t.Helper()
	hash := gateway.HashKey("key")
	tk := &tokens{
		t: t, caller: ledger.Caller{KeyHash: hash, Tenant: "acme", Name: "n", Scopes: scopes},
		now: time.Date(2026, 1, 1, 0, 0, 0, 500, time.UTC),
	}
	tk.callers = &callers{byHash: map[string]ledger.Caller{hash: tk.caller}}
	tk.Authenticator = gateway.NewAuthenticator(tk.callers, func() time.Time { return tk.now })
	ring := MustRing(t)
	tk.Ring = func(context.Context) (*seal.Ring, error) { return ring, nil }
	return tk
}

func (tk *tokens) mint(kind gateway.TokenKind, scope string, ttl time.Duration) string {
	tk.t.Helper()
	text, err := tk.Mint(tk.t.Context(), tk.caller, kind, scope, ttl, gateway.Session{})
	if err != nil {
		tk.t.Fatal(err)
	}
	return text
}

func (tk *tokens) wantBad(what string, err error) {
	tk.t.Helper()
	if !errors.Is(err, gateway.ErrBadKey) {
		tk.t.Errorf("%s: got %v", what, err)
	}
}

func TestToken(t *testing.T) {
	tk := newTokens(t, "a", "b")
	access, refresh := tk.mint(gateway.AccessToken, "a", time.Hour), tk.mint(gateway.RefreshToken, "b", time.Hour)
	for name, text := range map[string]string{"access": access, "refresh": refresh} {
		if len(text) >= 600 || !strings.HasPrefix(text, "sgt_") ||
			strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("the %s token is %q", name, text)
		}
		box, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "sgt_"))
		if err != nil || bytes.Contains(box, []byte(tk.caller.KeyHash)) {
			t.Errorf("the %s token shows %q, %v", name, box, err)
		}
	}
	caller, err := tk.Authenticate(t.Context(), access)
	if err != nil || caller.Tenant != "acme" || !slices.Equal(caller.Scopes, []string{"a"}) || !caller.May("a") ||
		caller.May("b") {
		t.Errorf("got %+v, %v", caller, err)
	}
	caller, err = tk.Redeem(t.Context(), gateway.RefreshToken, refresh)
	if err != nil || caller.Tenant != "acme" || !slices.Equal(caller.Scopes, []string{"b"}) {
		t.Errorf("got %+v, %v", caller, err)
	}
	if caller, err := tk.Authenticate(t.Context(), "key"); err != nil || !slices.Equal(caller.Scopes, []string{"a", "b"}) {
		t.Errorf("the key's own scopes became %+v, %v", caller, err)
	}

	_, err = tk.Authenticate(t.Context(), refresh)
	tk.wantBad("a refresh token as a key", err)
	_, err = tk.Redeem(t.Context(), gateway.AccessToken, refresh)
	tk.wantBad("a refresh token as an access token", err)
	_, err = tk.Redeem(t.Context(), gateway.RefreshToken, access)
	tk.wantBad("an access token as a refresh token", err)
	for _, text := range []string{
		"", "key", "sgt_", "sgt_key", "SGT_" + access[4:], access[4:], access + "=", " " + access, "sgt_" + access,
		strings.Repeat("A", 700),
	} {
		_, err = tk.Redeem(t.Context(), gateway.AccessToken, text)
		tk.wantBad(text, err)
	}
	if tk.mint(gateway.AccessToken, "a", time.Hour) == access {
		t.Error("two tokens are the same")
	}
}

func TestTokenThatWasAltered(t *testing.T) {
	tk := newTokens(t, "*")
	access := tk.mint(gateway.AccessToken, "a", time.Hour)
	box, err := base64.RawURLEncoding.DecodeString(access[4:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range box {
		altered := bytes.Clone(box)
		altered[i] ^= 1
		_, err := tk.Authenticate(t.Context(), "sgt_"+base64.RawURLEncoding.EncodeToString(altered))
		tk.wantBad("altered", err)
	}
	for i := range access {
		_, err := tk.Redeem(t.Context(), gateway.AccessToken, access[:i])
		tk.wantBad("cut", err)
	}
	// What the ring has sealed for something else is no token.
	ring, err := tk.Ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ring.Open("gateway token access", box)
	if err != nil {
		t.Fatal(err)
	}
	for record, valid := range map[string]bool{
		"gateway token access": true, "gateway token refresh": false, "token/x": false,
	} {
		_, err := tk.Authenticate(t.Context(), "sgt_"+base64.RawURLEncoding.EncodeToString(ring.Seal(record, plain)))
		if (err == nil) != valid {
			t.Errorf("sealed for %s: %v", record, err)
		}
	}
	// Nor is one that is longer than what a partner documents for its own.
	long := append([]byte(`{"more":"`+strings.Repeat("x", 300)+`",`), plain[1:]...)
	_, err = tk.Authenticate(
		t.Context(), "sgt_"+base64.RawURLEncoding.EncodeToString(ring.Seal("gateway token access", long)),
	)
	tk.wantBad("a long one", err)
}

func TestTokenExpires(t *testing.T) {
	tk := newTokens(t, "a")
	access, refresh := tk.mint(gateway.AccessToken, "a", time.Minute), tk.mint(gateway.RefreshToken, "a", time.Hour)
	began := tk.now
	tk.now = began.Add(59 * time.Second)
	if _, err := tk.Authenticate(t.Context(), access); err != nil {
		t.Error(err)
	}
	tk.now = began.Add(time.Minute)
	_, err := tk.Authenticate(t.Context(), access)
	tk.wantBad("expired", err)
	if _, err := tk.Redeem(t.Context(), gateway.RefreshToken, refresh); err != nil {
		t.Error(err)
	}
	tk.now = began.Add(time.Hour)
	_, err = tk.Redeem(t.Context(), gateway.RefreshToken, refresh)
	tk.wantBad("expired", err)
	tk.now = began.Add(-time.Hour)
	if _, err := tk.Authenticate(t.Context(), access); err != nil {
		t.Errorf("a clock that was set back: %v", err)
	}
}

// A token stands for its caller: who loses the key, or the scope, loses the tokens within a minute.
func TestTokenOfACallerWhoIsGone(t *testing.T) {
	for name, change := range map[string]func(*tokens){
		"Removed": func(tk *tokens) { clear(tk.callers.byHash) },
		"LostScope": func(tk *tokens) {
			tk.callers.byHash[tk.caller.KeyHash] = ledger.Caller{
				KeyHash: tk.caller.KeyHash, Tenant: "acme", Scopes: []string{"b"},
			}
		},
		"KeyExpired": func(tk *tokens) {
			tk.callers.byHash[tk.caller.KeyHash] = ledger.Caller{
				KeyHash: tk.caller.KeyHash, Tenant: "acme", Scopes: []string{"a"}, ExpiresAt: tk.now,
			}
		},
		"Misfiled": func(tk *tokens) {
			tk.callers.byHash[tk.caller.KeyHash] = ledger.Caller{KeyHash: "another", Tenant: "acme", Scopes: []string{"a"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			tk := newTokens(t, "a")
			access, refresh := tk.mint(gateway.AccessToken, "a", time.Hour), tk.mint(gateway.RefreshToken, "a", time.Hour)
			if _, err := tk.Authenticate(t.Context(), access); err != nil {
				t.Fatal(err)
			}
			change(tk)
			tk.now = tk.now.Add(time.Minute)
			_, err := tk.Authenticate(t.Context(), access)
			tk.wantBad("access", err)
			_, err = tk.Redeem(t.Context(), gateway.RefreshToken, refresh)
			tk.wantBad("refresh", err)
		})
	}
	t.Run("NewScopesDoNotCount", func(t *testing.T) {
		tk := newTokens(t, "a")
		access := tk.mint(gateway.AccessToken, "a", time.Hour)
		tk.callers.byHash[tk.caller.KeyHash] = ledger.Caller{
			KeyHash: tk.caller.KeyHash, Tenant: "acme", Scopes: []string{"*"},
		}
		if caller, err := tk.Authenticate(t.Context(), access); err != nil || caller.May("b") {
			t.Errorf("got %+v, %v", caller, err)
		}
	})
	t.Run("ScopeItNeverHad", func(t *testing.T) {
		tk := newTokens(t, "a")
		_, err := tk.Authenticate(t.Context(), tk.mint(gateway.AccessToken, "b", time.Hour))
		tk.wantBad("another scope", err)
		_, err = tk.Authenticate(t.Context(), tk.mint(gateway.AccessToken, "*", time.Hour))
		tk.wantBad("all scopes", err)
	})
	t.Run("LedgerDown", func(t *testing.T) {
		tk := newTokens(t, "a")
		tk.callers.err = errors.New("down")
		if _, err := tk.Authenticate(t.Context(), tk.mint(gateway.AccessToken, "a", time.Hour)); err == nil ||
			errors.Is(err, gateway.ErrBadKey) {
			t.Errorf("got %v", err)
		}
	})
}

func TestTokenNeedsTheKeyRing(t *testing.T) {
	tk := newTokens(t, "a")
	access := tk.mint(gateway.AccessToken, "a", time.Hour)
	ring := tk.Ring
	tk.Ring = nil
	_, err := tk.Authenticate(t.Context(), access)
	tk.wantBad("without a ring", err)
	if caller, err := tk.Authenticate(t.Context(), "key"); err != nil || caller.Tenant != "acme" {
		t.Errorf("a key needs none: %+v, %v", caller, err)
	}
	tk.Ring = func(context.Context) (*seal.Ring, error) { return nil, errors.New("down") }
	if _, err := tk.Authenticate(t.Context(), access); err == nil || errors.Is(err, gateway.ErrBadKey) {
		t.Errorf("a ring that is not read: %v", err)
	}
	if _, err := tk.Mint(t.Context(), tk.caller, gateway.AccessToken, "a", time.Hour, gateway.Session{}); err == nil {
		t.Error("a ring that is not read: no error")
	}
	other := MustRing(t)
	tk.Ring = func(context.Context) (*seal.Ring, error) { return other, nil }
	_, err = tk.Authenticate(t.Context(), access)
	tk.wantBad("another ring", err)
	tk.Ring = ring
	if _, err := tk.Authenticate(t.Context(), access); err != nil {
		t.Error(err)
	}
}

// The longest that there may be is no longer than what clients make room for.
func TestTokenLength(t *testing.T) {
	tk := newTokens(t, "*")
	kid := strings.Repeat("k", 32)
	ring, err := seal.NewRing(
		seal.Keys{ID: strings.Repeat("i", 32), Seal: []seal.Key{{KID: kid, Secret: strings.Repeat("s", 32)}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	tk.Ring = func(context.Context) (*seal.Ring, error) { return ring, nil }
	text := tk.mint(gateway.RefreshToken, strings.Repeat("s", 40), 10_000*24*time.Hour)
	if len(text) >= 600 {
		t.Errorf("has %d characters", len(text))
	}
	if _, err := tk.Redeem(t.Context(), gateway.RefreshToken, text); err != nil {
		t.Error(err)
	}
}

// FuzzToken: no text but a token is taken for one.
func FuzzToken(f *testing.F) {
	hash := gateway.HashKey("key")
	c := &callers{byHash: map[string]ledger.Caller{hash: {KeyHash: hash, Tenant: "acme", Scopes: []string{"a"}}}}
	a, ring := gateway.NewAuthenticator(c, time.Now), MustRing(f)
	a.Ring = func(context.Context) (*seal.Ring, error) { return ring, nil }
	text, err := a.Mint(f.Context(), c.byHash[hash], gateway.AccessToken, "a", time.Hour, gateway.Session{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text[:len(text)-1])
	f.Add("sgt_AAAA")
	f.Add("sgt_")
	f.Fuzz(func(t *testing.T, got string) {
		if _, err := a.Authenticate(t.Context(), got); err == nil && got != text && got != "key" && !sameBox(got, text) {
			t.Errorf("%q is taken", got)
		}
	})
}

// sameBox: the last character of base64 has bits that mean nothing.
func sameBox(a, b string) bool {
	x, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(a, "sgt_"))
	y, err2 := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(b, "sgt_"))
	return err == nil && err2 == nil && bytes.Equal(x, y)
}
