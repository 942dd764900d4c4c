package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// ironKeyLifetime is how long an idempotency key is remembered, in sandbox time (iron §9).
const ironKeyLifetime = 24 * time.Hour

// ironKept is what was answered to an idempotency key.
type ironKept struct {
	At          time.Time `json:"at"` // real
	Fingerprint string    `json:"fingerprint"`
	Status      int       `json:"status"`
	Body        []byte    `json:"body"`
}

// ironOnce wraps an operation with the rules of the IDEMPOTENCY-KEY (iron §9): a repeat gets the first answer, a failure too,
// and does nothing; what asks for something else is refused. Not kept are 401, 429 and 5xx. Without the partner's key
// nobody needs one.
func ironOnce(handle func(*ironCall) (answer, error)) func(*ironCall) (answer, error) {
	return func(x *ironCall) (answer, error) {
		given := x.request.Header.Get("IDEMPOTENCY-KEY")
		if given == "" && x.byHand {
			return handle(x)
		}
		if given == "" {
			return ironInvalid("missing IDEMPOTENCY-KEY"), nil
		}
		given, ok := ironUUID(given)
		if !ok {
			return ironInvalid("IDEMPOTENCY-KEY is not a UUID"), nil
		}
		key := func() string { return x.space + "answer/" + digest(x.key, x.request.Method, x.request.URL.Path, given) }
		body := sha256.Sum256(x.body)
		fingerprint := digest(x.subPartner, hex.EncodeToString(body[:]))

		var before ironKept
		switch found, err := load(x, key(), &before); {
		case err != nil:
			return answer{}, err
		case !found, x.clock.elapsed(before.At, x.now) >= ironKeyLifetime:
		case before.Fingerprint != fingerprint:
			return ironError(http.StatusConflict, "idempotency key reused with a different request"), nil
		default:
			return answer{status: before.Status, body: before.Body}, nil
		}
		out, err := handle(x)
		if err != nil || out.status == http.StatusUnauthorized || out.status == http.StatusTooManyRequests || out.status >= 500 {
			return out, err
		}
		return out, save(x, key(), ironKept{x.now.UTC(), fingerprint, out.status, out.body}) // after a reset, in the new space
	}
}
