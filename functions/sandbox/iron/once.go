package iron

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"sallyport/functions/sandbox"
)

// keyLifetime is how long an idempotency key is remembered, in sandbox time (§9).
const keyLifetime = 24 * time.Hour

// keptAnswer is what was answered to an idempotency key.
type keptAnswer struct {
	At          time.Time `json:"at"` // real
	Fingerprint string    `json:"fingerprint"`
	Status      int       `json:"status"`
	Body        []byte    `json:"body"`
}

// once wraps an operation with the rules of the IDEMPOTENCY-KEY (§9): a repeat gets the first answer, a failure
// too, and does nothing; what asks for something else is refused. Not kept are 401, 429 and 5xx. Without the partner's
// key nobody needs one.
func once(handle func(*call) sandbox.Answer) func(*call) sandbox.Answer {
	return func(x *call) sandbox.Answer {
		given := x.Request.Header.Get("IDEMPOTENCY-KEY")
		if given == "" && x.manual {
			return handle(x)
		}
		if given == "" {
			return invalid("missing IDEMPOTENCY-KEY")
		}
		given, ok := parseUUID(given)
		if !ok {
			return invalid("IDEMPOTENCY-KEY is not a UUID")
		}
		key := func() string {
			return x.space + "answer/" + sandbox.Digest(x.key, x.Request.Method, x.Request.URL.Path, given)
		}
		body := sha256.Sum256(x.Body)
		fingerprint := sandbox.Digest(x.subPartner, hex.EncodeToString(body[:]))

		var before keptAnswer
		switch found := x.Load(key(), &before); {
		case !found, x.Since(before.At) >= keyLifetime:
		case before.Fingerprint != fingerprint:
			return errorText(http.StatusConflict, "idempotency key reused with a different request")
		default:
			return sandbox.Answer{Status: before.Status, Body: before.Body}
		}
		out := handle(x)
		if s := out.Status; s != http.StatusUnauthorized && s != http.StatusTooManyRequests && s < 500 {
			// after a reset, in the new space
			x.Save(key(), keptAnswer{x.Now.UTC(), fingerprint, out.Status, out.Body})
		}
		return out
	}
}
