package iron

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
)

// Texts of the gateway's answers. The partner has no codes, and its own texts are not documented (§8).
const (
	messageUnauthorized     = "authorization error" // but this one
	messageKeyMissing       = "missing IDEMPOTENCY-KEY"
	messageKeyNotUUID       = "IDEMPOTENCY-KEY must be a UUID"
	messageKeyReused        = "idempotency key reused with a different request"
	messagePending          = "customer has a pending identification"
	messageNoCustomer       = "customer not found"
	messageNoIdentification = "identification not found"
	messageInternal         = "internal error"
)

// renderCustomerError puts what the gateway has to say into Iron's shape, where it is about a customer.
func renderCustomerError(condition operation.Condition, detail string) gateway.Reply {
	return render(messageNoCustomer, condition, detail)
}

// renderIdentificationError does so where it is about an identification.
func renderIdentificationError(condition operation.Condition, detail string) gateway.Reply {
	return render(messageNoIdentification, condition, detail)
}

// render renders a condition; missing is the text of a record that isn't there.
func render(missing string, condition operation.Condition, detail string) gateway.Reply {
	switch condition {
	case operation.NoKey, operation.BadKey:
		return unauthorized()
	case operation.Forbidden:
		return failure(http.StatusForbidden, "this key may not use Iron")
	case operation.TooLarge:
		return failure(http.StatusRequestEntityTooLarge, "the request is too large")
	case operation.InvalidRequest:
		if detail == "" {
			return failure(http.StatusBadRequest, "invalid request")
		}
		return failure(http.StatusBadRequest, "invalid request: "+detail)
	case operation.NoSuchRecord:
		return failure(http.StatusNotFound, missing)
	case operation.KeyReused:
		return failure(http.StatusConflict, messageKeyReused)
	case operation.InFlight:
		return failure(http.StatusConflict, "a request with this IDEMPOTENCY-KEY is in progress")
	case operation.AnswerGone:
		return failure(http.StatusGone, "the answer to this IDEMPOTENCY-KEY is not kept any more")
	case operation.OutcomeUnknown:
		return fault(http.StatusInternalServerError, "the outcome of this request is not known, it may have taken effect")
	case operation.PartnerThrottled:
		return failure(http.StatusTooManyRequests, "too many requests")
	case operation.LedgerDown, operation.PartnerDown:
		return fault(http.StatusServiceUnavailable, "the service is not available, try again later")
	}
	return fault(http.StatusInternalServerError, messageInternal)
}

// unauthorized is the one answer that is no JSON.
func unauthorized() gateway.Reply {
	return gateway.Reply{
		Status: http.StatusUnauthorized, ContentType: "text/plain; charset=utf-8", Body: []byte(messageUnauthorized),
	}
}

// failure is the documented shape of every other status below 500: a JSON string.
func failure(status int, message string) gateway.Reply { return encode(status, message) }

// fault is the documented shape of a server fault.
func fault(status int, message string) gateway.Reply {
	var id [6]byte
	_, _ = rand.Read(id[:])
	return encode(status, struct {
		Message string `json:"message"`
		TraceID string `json:"trace_id"`
	}{message, hex.EncodeToString(id[:])})
}

func encode(status int, body any) gateway.Reply {
	text, err := json.Marshal(body)
	if err != nil {
		return gateway.Empty(http.StatusInternalServerError)
	}
	return gateway.JSON(status, text)
}

// rejected refuses a request before any call, by a rule.
func rejected(status int, message, code, detail string, from source.Source) error {
	return &operation.Rejection{Reply: failure(status, message), Code: code, Detail: detail, Source: from}
}
