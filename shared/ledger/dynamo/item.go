package dynamo

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
)

// item is a DynamoDB item, a part of one, or the values of an expression.
type item = map[string]types.AttributeValue

// attributes are all that a transaction's item may have beside its key; what is empty or zero is not stored.
var attributes = []string{
	"tenant", "operation", "journey", "step", "state", "code", "fingerprint", "attempt", "generation", "take_overs",
	"claimed_at", "lease", "sent_at", "ended_at", "expires_at", "refs", "owns", "reply",
	"gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk", "ttl",
}

const (
	transactionPrefix = "transaction#"
	journeyPrefix     = "journey#"
	tenantPrefix      = "tenant#"   // of a tenant's transactions in Index
	journeysPrefix    = "journeys#" // of a tenant's journeys in Index
	callerPrefix      = "caller#"
)

func transactionKey(id string) item     { return key(transactionPrefix+id, "transaction") }
func journeyKey(id string) item         { return key(journeyPrefix+id, "journey") }
func leadKey(lead string) item          { return key("journey-key#"+lead, "journey-key") }
func correlationKey(record string) item { return key("correlation#"+record, "correlation") }
func ownerKey(record string) item       { return key("owner#"+record, "owner") }
func callerKey(hash string) item        { return key(callerPrefix+hash, "caller") }
func key(partition, sort string) item   { return item{"pk": text(partition), "sk": text(sort)} }

func encode(t ledger.Transaction) item {
	it := transactionKey(t.ID)
	it["gsi1pk"], it["gsi1sk"] = text(tenantPrefix+t.Tenant), sortKey(ledger.Position(t))
	if t.Journey != "" {
		it["gsi2pk"], it["gsi2sk"] = text(journeyPrefix+t.Journey), sortKey(ledger.Position(t))
	}
	return write(it, t, transactionFields)
}

func transactionFields(c *codec, t *ledger.Transaction) {
	c.id(transactionPrefix, &t.ID)
	c.text("tenant", &t.Tenant)
	c.text("operation", &t.Operation)
	c.text("journey", &t.Journey)
	c.text("step", &t.Step)
	c.text("state", (*string)(&t.State))
	c.text("code", &t.Code)
	c.digest("fingerprint", &t.Fingerprint)
	c.text("attempt", &t.Attempt)
	c.number("generation", &t.Generation)
	if !c.writes || t.TakeOvers > 0 {
		c.number("take_overs", &t.TakeOvers)
	}
	c.nanoseconds("claimed_at", &t.ClaimedAt)
	c.nanoseconds("lease", &t.Lease)
	c.nanoseconds("sent_at", &t.SentAt)
	c.nanoseconds("ended_at", &t.EndedAt)
	c.expiry(&t.ExpiresAt)
	members(c, "refs", &t.Refs, (*codec).digest)
	c.text("owns", &t.Owns)
	optional(c, "reply", &t.Reply, func(c *codec, r *ledger.Reply) {
		c.number("status", &r.Status)
		c.text("content_type", &r.ContentType)
		c.bytes("body", &r.Body)
		c.text("vault_ref", &r.VaultRef)
	})
}

func callerFields(c *codec, caller *ledger.Caller) {
	c.id(callerPrefix, &caller.KeyHash)
	c.text("tenant", &caller.Tenant)
	c.text("name", &caller.Name)
	c.texts("scopes", &caller.Scopes)
	c.expiry(&caller.ExpiresAt)
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

// nanoseconds is a time since 1970, which conditions compare as a number.
func nanoseconds(at time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(at.UnixNano(), 10)}
}

// sortKey is a position with only the first 16 characters of a digest, which tell records of one nanosecond apart. It
// sorts among positions written whole as the position itself does.
func sortKey(position string) types.AttributeValue {
	id := ledger.PositionID(position)
	if _, ok := undigested(id); ok {
		position = position[:len(position)-len(id)+16]
	}
	return text(position)
}

// undigested returns the bytes that a SHA-256 in lower-case hex stands for.
func undigested(s string) (sum []byte, ok bool) {
	sum, err := hex.DecodeString(s)
	return sum, err == nil && len(sum) == sha256.Size && s == strings.ToLower(s)
}

// instant is text of a fixed width, which conditions and filters compare as the times themselves.
func instant(at time.Time) types.AttributeValue { return text(at.UTC().Format(ledger.TimeLayout)) }

// sweep is the first full second at which DynamoDB may delete an item that expires at the given time.
func sweep(at time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(at.Add(time.Second-1).Unix(), 10)}
}
