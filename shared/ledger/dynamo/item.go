package dynamo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	it["generation"] = number(t.Generation)
	if t.TakeOvers > 0 {
		it["take_overs"] = number(t.TakeOvers)
	}
	putTexts(it, map[string]string{
		"tenant": t.Tenant, "operation": t.Operation, "journey": t.Journey, "step": t.Step, "state": string(t.State),
		"code":    t.Code,
		"attempt": t.Attempt, "owns": t.Owns,
	})
	if t.Fingerprint != "" {
		it["fingerprint"] = digest(t.Fingerprint)
	}
	for name, at := range map[string]time.Time{
		"claimed_at": t.ClaimedAt, "lease": t.Lease, "sent_at": t.SentAt, "ended_at": t.EndedAt,
	} {
		if !at.IsZero() {
			it[name] = nanoseconds(at)
		}
	}
	if !t.ExpiresAt.IsZero() {
		it["expires_at"], it["ttl"] = instant(t.ExpiresAt), sweep(t.ExpiresAt)
	}
	putGroup(it, "refs", t.Refs, digest)
	if r := t.Reply; r != nil {
		reply := item{"status": number(r.Status)}
		putTexts(reply, map[string]string{"content_type": r.ContentType, "vault_ref": r.VaultRef})
		putBytes(reply, "body", r.Body)
		it["reply"] = &types.AttributeValueMemberM{Value: reply}
	}
	return it
}

// decode returns the zero transaction for an item that does not exist.
func decode(it item) (ledger.Transaction, error) {
	if len(it) == 0 {
		return ledger.Transaction{}, nil
	}
	r := reader{item: it}
	t := ledger.Transaction{
		ID:          strings.TrimPrefix(r.text("pk"), transactionPrefix),
		Tenant:      r.text("tenant"),
		Operation:   r.text("operation"),
		Journey:     r.text("journey"),
		Step:        r.text("step"),
		State:       ledger.State(r.text("state")),
		Code:        r.text("code"),
		Fingerprint: r.digest("fingerprint"),
		Attempt:     r.text("attempt"),
		Generation:  r.number("generation"),
		TakeOvers:   r.number("take_overs"),
		ClaimedAt:   r.instant("claimed_at"),
		Lease:       r.instant("lease"),
		SentAt:      r.instant("sent_at"),
		EndedAt:     r.instant("ended_at"),
		ExpiresAt:   r.instant("expires_at"),
		Refs:        group(&r, "refs", (*reader).digest),
		Owns:        r.text("owns"),
	}
	reply := reader{item: r.group("reply")}
	if reply.item != nil {
		t.Reply = &ledger.Reply{
			Status:      reply.number("status"),
			ContentType: reply.text("content_type"),
			Body:        reply.bytes("body"),
			VaultRef:    reply.text("vault_ref"),
		}
	}
	for _, err := range []error{r.err, reply.err} {
		if err != nil {
			return ledger.Transaction{}, err
		}
	}
	return t, nil
}

func encodeCaller(c ledger.Caller) item {
	it := callerKey(c.KeyHash)
	putTexts(it, map[string]string{"tenant": c.Tenant, "name": c.Name})
	putInstants(it, map[string]time.Time{"expires_at": c.ExpiresAt})
	if !c.ExpiresAt.IsZero() {
		it["ttl"] = sweep(c.ExpiresAt)
	}
	putList(it, "scopes", c.Scopes)
	return it
}

func decodeCaller(it item) (ledger.Caller, error) {
	r := reader{item: it}
	c := ledger.Caller{
		KeyHash:   strings.TrimPrefix(r.text("pk"), callerPrefix),
		Tenant:    r.text("tenant"),
		Name:      r.text("name"),
		Scopes:    r.texts("scopes"),
		ExpiresAt: r.instant("expires_at"),
	}
	if r.err != nil {
		return ledger.Caller{}, r.err
	}
	return c, nil
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
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

// digest is a text, a SHA-256 in hex as the 32 bytes that it stands for: an item is paid for by the KB.
func digest(s string) types.AttributeValue {
	if sum, ok := undigested(s); ok {
		return &types.AttributeValueMemberB{Value: sum}
	}
	return text(s)
}

// undigested returns the bytes that a SHA-256 in lower-case hex stands for.
func undigested(s string) (sum []byte, ok bool) {
	sum, err := hex.DecodeString(s)
	return sum, err == nil && len(sum) == sha256.Size && s == strings.ToLower(s)
}

// nanoseconds is a time that no condition compares, in nanoseconds since 1970.
func nanoseconds(at time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(at.UnixNano(), 10)}
}

// instant is text of a fixed width, which conditions and filters compare as the times themselves.
func instant(at time.Time) types.AttributeValue { return text(at.UTC().Format(ledger.TimeLayout)) }

// sweep is the first full second at which DynamoDB may delete an item that expires at the given time.
func sweep(at time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(at.Add(time.Second-1).Unix(), 10)}
}

func putTexts(it item, texts map[string]string) {
	for name, s := range texts {
		if s != "" {
			it[name] = text(s)
		}
	}
}

func putInstants(it item, instants map[string]time.Time) {
	for name, at := range instants {
		if !at.IsZero() {
			it[name] = instant(at)
		}
	}
}

func putBytes(it item, name string, b []byte) {
	if len(b) > 0 {
		it[name] = &types.AttributeValueMemberB{Value: b}
	}
}

func putList(it item, name string, texts []string) {
	if len(texts) == 0 {
		return
	}
	values := make([]types.AttributeValue, len(texts))
	for i, s := range texts {
		values[i] = text(s)
	}
	it[name] = &types.AttributeValueMemberL{Value: values}
}

func putGroup[V any](it item, name string, members map[string]V, encode func(V) types.AttributeValue) {
	if len(members) == 0 {
		return
	}
	values := item{}
	for member, value := range members {
		values[member] = encode(value)
	}
	it[name] = &types.AttributeValueMemberM{Value: values}
}

// reader reads attributes, absent ones as zero values, and keeps the first error.
type reader struct {
	item item
	err  error
}

// attribute returns the zero value where there is no such attribute.
func attribute[T types.AttributeValue](r *reader, name string) (value T) {
	found, ok := r.item[name]
	if !ok {
		return value
	}
	value, ok = found.(T)
	if !ok {
		r.fail(fmt.Errorf("dynamo: attribute %s is a %T", name, found))
	}
	return value
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) text(name string) string {
	if v := attribute[*types.AttributeValueMemberS](r, name); v != nil {
		return v.Value
	}
	return ""
}

// digest reads what digest wrote, or a text.
func (r *reader) digest(name string) string {
	if sum, ok := r.item[name].(*types.AttributeValueMemberB); ok {
		return hex.EncodeToString(sum.Value)
	}
	return r.text(name)
}

func (r *reader) number(name string) int {
	v := attribute[*types.AttributeValueMemberN](r, name)
	if v == nil {
		return 0
	}
	n, err := strconv.Atoi(v.Value)
	if err != nil {
		r.fail(fmt.Errorf("dynamo: attribute %s: %w", name, err))
	}
	return n
}

// instant reads a time that was written as text or in nanoseconds.
func (r *reader) instant(name string) time.Time {
	if _, ok := r.item[name].(*types.AttributeValueMemberN); ok {
		return time.Unix(0, int64(r.number(name))).UTC()
	}
	s := r.text(name)
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(ledger.TimeLayout, s)
	if err != nil {
		r.fail(fmt.Errorf("dynamo: attribute %s is not a time", name))
	}
	return at
}

func (r *reader) bytes(name string) []byte {
	if v := attribute[*types.AttributeValueMemberB](r, name); v != nil && len(v.Value) > 0 {
		return v.Value
	}
	return nil
}

func (r *reader) group(name string) item {
	if v := attribute[*types.AttributeValueMemberM](r, name); v != nil {
		return v.Value
	}
	return nil
}

// group reads the members of a group, each with read; nil where there is none.
func group[V any](r *reader, name string, read func(*reader, string) V) (members map[string]V) {
	within := reader{item: r.group(name)}
	for member := range within.item {
		if members == nil {
			members = make(map[string]V, len(within.item))
		}
		members[member] = read(&within, member)
	}
	r.fail(within.err)
	return members
}

func (r *reader) texts(name string) (texts []string) {
	if v := attribute[*types.AttributeValueMemberL](r, name); v != nil {
		for _, member := range v.Value {
			one := reader{item: item{name: member}}
			texts = append(texts, one.text(name))
			r.fail(one.err)
		}
	}
	return texts
}
