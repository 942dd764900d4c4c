package dynamo

import (
	"context"
	"reflect"

	"sallyport/shared/ledger"
)

const tokenPrefix = "token#"

func tokenKey(id string) item { return key(tokenPrefix+id, "token") }

// Token returns the record of an access token, or ledger.ErrNotFound when it is absent or expired.
func (l *Ledger) Token(ctx context.Context, id string) (ledger.Token, error) {
	return record(ctx, l, tokenKey(id), tokenFields, func(t ledger.Token) bool {
		return !ledger.Expired(t.ExpiresAt, l.Now())
	})
}

// PutToken writes the next version of an access token's record, or returns ledger.ErrStale. The record as it stands
// may show that an earlier sending of the same write, whose answer was lost, had succeeded.
func (l *Ledger) PutToken(ctx context.Context, t ledger.Token) (ledger.Token, error) {
	now := l.Now()
	var e expression
	expiry, at := e.name("expires_at"), e.value("now", instant(now))
	if t.Version == 1 {
		e.condition = "attribute_not_exists(pk) OR " + expiry + " <= " + at
	} else {
		e.condition = e.name("version") + " = " + e.value("before", number(t.Version-1)) +
			" AND (attribute_not_exists(" + expiry + ") OR " + expiry + " > " + at + ")"
	}
	it := write(tokenKey(t.ID), t, tokenFields)
	written, err := read(it, tokenFields)
	if err != nil {
		return ledger.Token{}, err
	}
	it, err = l.put(ctx, it, e)
	standing, err := held(it, err, tokenFields, func(t ledger.Token) bool {
		return !ledger.Expired(t.ExpiresAt, now) && reflect.DeepEqual(t, written)
	}, ledger.ErrStale)
	if err == ledger.ErrStale && ledger.Expired(standing.ExpiresAt, now) {
		return ledger.Token{}, err
	}
	return standing, err
}

func tokenFields(c *codec, t *ledger.Token) {
	c.id(tokenPrefix, &t.ID)
	c.number("version", &t.Version)
	c.bytes("sealed", &t.Sealed)
	c.text("holder", &t.Holder)
	c.instant("lease", &t.Lease)
	c.expiry(&t.ExpiresAt)
}
