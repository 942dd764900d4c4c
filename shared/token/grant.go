package token

import (
	"crypto/subtle"
	"encoding/json"
	"time"

	"sallyport/shared/seal"
)

// Grant is what a partner issued, as it said.
type Grant struct {
	Access           string        // never empty
	Refresh          string        // passed to the next Issue while it is valid; empty for none
	ExpiresIn        time.Duration // from when it was asked for; zero or less where the partner doesn't tell
	RefreshExpiresIn time.Duration // likewise; what isn't told is taken for as long as the access token's
}

const (
	// untold is how long a token counts of which nobody knows how long it lives (RFC 6749 §5.1 only recommends to say):
	// short enough to end soon after it does, long enough that calls don't log in one by one. One that ends before is
	// renewed when the partner refuses it.
	untold = 10 * time.Minute
	// longest is how long a token counts at most, whatever the partner says.
	longest = 24 * time.Hour
)

// early is how long before it expires a token is renewed, unless that were more than half of its lifetime.
const early = time.Minute

// issued is a Grant as it is kept. Its times are of the wall clock, since another one may stand still while a
// container is frozen.
type issued struct {
	Access       string    `json:"access"`
	FreshUntil   time.Time `json:"fresh_until"` // then it is to be renewed
	Refresh      string    `json:"refresh,omitempty"`
	RefreshUntil time.Time `json:"refresh_until,omitzero"`
}

func (g Grant) issued(asked time.Time) issued {
	asked = asked.UTC().Round(0)
	life := lifetime(g.ExpiresIn, untold)
	t := issued{Access: g.Access}
	if g.Refresh != "" {
		refreshLife := lifetime(g.RefreshExpiresIn, life)
		life = min(life, refreshLife) // while it is valid, renewing needs no password
		t.Refresh, t.RefreshUntil = g.Refresh, asked.Add(refreshLife)
	}
	t.FreshUntil = asked.Add(life - min(early, life/2))
	return t
}

// lifetime is what the partner told, within bounds; otherwise it is the one given.
func lifetime(told, otherwise time.Duration) time.Duration {
	if told <= 0 {
		return otherwise
	}
	return min(told, longest)
}

// usable reports whether the token is fresh, and another one than the partner has refused.
func (t issued) usable(rejected string, now time.Time) bool {
	return t.Access != "" && now.Before(t.FreshUntil) && !same(t.Access, rejected)
}

// useful is until when the token or its refresh token may serve.
func (t issued) useful() time.Time {
	if t.RefreshUntil.After(t.FreshUntil) {
		return t.RefreshUntil
	}
	return t.FreshUntil
}

func same(one, other string) bool { return subtle.ConstantTimeCompare([]byte(one), []byte(other)) == 1 }

// maxShared is the largest token that is shared, in bytes with its refresh token: the ledger takes 400 KB.
const maxShared = 64 << 10

// sealIssued returns nil for what is too large to be shared.
func sealIssued(ring *seal.Ring, id string, t issued) []byte {
	plain, _ := json.Marshal(t)
	if len(plain) > maxShared {
		return nil
	}
	return ring.Seal(record(id), plain)
}

// openIssued returns no token for what it cannot read, such as what a key sealed that the ring has no longer.
func openIssued(ring *seal.Ring, id string, sealed []byte) (t issued) {
	plain, err := ring.Open(record(id), sealed)
	if err != nil || json.Unmarshal(plain, &t) != nil {
		return issued{}
	}
	return t
}

// record is what a token is sealed for.
func record(id string) string { return "token/" + id }
