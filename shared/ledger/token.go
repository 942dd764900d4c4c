package ledger

import "time"

// Token is an access token that a partner issued to us, as the ledger keeps it, and the right to renew it.
type Token struct {
	ID        string    // which credentials it was issued for: an HMAC reference
	Version   int       // 1 where there was none, raised by every write
	Sealed    []byte    // nil while there is none
	Holder    string    // who may renew it until Lease; empty for nobody
	Lease     time.Time // zero where nobody holds it
	ExpiresAt time.Time // when the record counts as absent
}

// Held reports whether somebody may be renewing it at the given time.
func (t Token) Held(now time.Time) bool { return t.Holder != "" && now.Before(t.Lease) }
