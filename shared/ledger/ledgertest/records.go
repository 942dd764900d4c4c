package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"sallyport/shared/ledger"
)

// Epoch is where the suite's clock starts. It has nanoseconds, since a ledger keeps them.
var Epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// Claimable returns a record as a caller hands it to Claim at Epoch.
func Claimable(id, attempt string) ledger.Transaction {
	return ledger.Transaction{
		ID:          id,
		Tenant:      "acme",
		Operation:   "equal/execute-journey",
		Fingerprint: "fingerprint-" + id,
		Attempt:     attempt,
		ClaimedAt:   Epoch,
		Lease:       Epoch.Add(30 * time.Second),
	}
}

// Ended returns a claimed record with its end: with every field set that such an end may have.
func Ended(t ledger.Transaction, state ledger.State) ledger.Transaction {
	t.State, t.Code, t.Lease = state, "code-"+string(state), time.Time{}
	t.SentAt, t.EndedAt = t.ClaimedAt.Add(time.Second), t.ClaimedAt.Add(2*time.Second+1)
	t.ExpiresAt = t.EndedAt.Add(ledger.Retention)
	t.Refs = map[string]string{"transaction_id": "eq-1", "aadhaar_last4": "1234", "empty": ""}
	t.Reply = &ledger.Reply{Status: 200, ContentType: "application/json", Body: []byte(`{"ok":true}`)}
	return t
}

// arbitrary returns a record with every field set at random, including those that a later version may add, and with
// an expiry that does not come during a test.
func arbitrary(r *rand.Rand) ledger.Transaction {
	var t ledger.Transaction
	fill(r, reflect.ValueOf(&t).Elem())
	t.ExpiresAt = Epoch.Add(ledger.Retention + t.ExpiresAt.Sub(Epoch).Abs())
	return t
}

func fill(r *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(Epoch.Add(time.Duration(r.Int64N(int64(100 * 365 * 24 * time.Hour))))))
		return
	case []byte:
		v.SetBytes(randomBytes(r, 1+r.IntN(100)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(randomText(r))
	case reflect.Int:
		v.SetInt(1 + r.Int64N(1<<31))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + r.IntN(4) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key)
			fill(r, value)
			v.SetMapIndex(key, value)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(4), 4))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	default:
		panic(fmt.Sprintf("ledgertest: cannot fill a %s", v.Type()))
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func randomText(r *rand.Rand) string {
	alphabet := []rune("abcXYZ019 #/:.\"\\<&>\n\x00äßहिन्दी漢字🚪")
	text := make([]rune, 1+r.IntN(24))
	for i := range text {
		text[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(text)
}
