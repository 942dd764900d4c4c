package dynamo

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
)

// A correlation's item has two sets of texts, whose sizes conditions can see: waiters, each as JSON, and events, the
// names of the attributes that hold them.
const (
	waiters     = "waiters"
	events      = "events"
	eventPrefix = "event#"
)

// AddWaiter adds who waits for a partner's record, or returns ledger.ErrFull.
func (l *Ledger) AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error) {
	return l.add(ctx, record, waiters, encodeWaiter(w), nil)
}

// RemoveWaiter removes a waiter if it is there.
func (l *Ledger) RemoveWaiter(ctx context.Context, record string, w ledger.Waiter) error {
	return l.remove(ctx, record, waiters, encodeWaiter(w))
}

// AddEvent adds what a partner has told about its record, or returns ledger.ErrFull.
func (l *Ledger) AddEvent(ctx context.Context, record, id string, sealed []byte) (ledger.Correlation, error) {
	return l.add(ctx, record, events, eventPrefix+id, &types.AttributeValueMemberB{Value: sealed})
}

// RemoveEvent removes an event if it is there.
func (l *Ledger) RemoveEvent(ctx context.Context, record, id string) error {
	return l.remove(ctx, record, events, eventPrefix+id)
}

// Correlation returns what is known about a partner's record, the zero correlation if nothing is.
func (l *Ledger) Correlation(ctx context.Context, record string) (ledger.Correlation, error) {
	it, err := l.get(ctx, correlationKey(record))
	if err == ledger.ErrNotFound {
		return ledger.Correlation{}, nil
	}
	if err != nil {
		return ledger.Correlation{}, err
	}
	if before, err := expiry(it); err != nil || ledger.Expired(before, l.Now()) {
		return ledger.Correlation{}, err
	}
	return read(it, correlationFields)
}

// add puts a member into one of a correlation's sets and, where it has a value, its attribute. It is one call, unless
// what is there has expired and must be replaced.
func (l *Ledger) add(
	ctx context.Context, record, set, member string, value types.AttributeValue,
) (ledger.Correlation, error) {
	now := l.Now()
	expires := now.Add(ledger.CorrelationRetention)
	for {
		e := lasting(expires)
		e.names["#set"] = set
		if value != nil {
			e.names["#member"] = member
			e.sets = append(e.sets, "#member = if_not_exists(#member, "+e.value("value", value)+")")
		}
		e.condition = "attribute_not_exists(#expires_at) OR #expires_at > " + e.value("now", instant(now)) +
			" AND (attribute_not_exists(#set) OR contains(#set, " + e.value("text", text(member)) + ") OR size(#set) < " +
			e.value("cap", number(ledger.CorrelationCap)) + ")"
		e.members = "ADD #set " + e.value("member", only(member))
		standing, err := l.update(ctx, correlationKey(record), e)
		if err == nil {
			return read(standing, correlationFields)
		}
		if err != errCondition {
			return ledger.Correlation{}, err
		}
		if before, unread := expiry(standing); unread != nil || !ledger.Expired(before, now) {
			c, err := read(standing, correlationFields)
			return c, cmp.Or(unread, err, ledger.ErrFull)
		}

		it := correlationKey(record)
		it["expires_at"], it["ttl"], it[set] = instant(expires), sweep(expires), only(member)
		if value != nil {
			it[member] = value
		}
		var before expression
		before.condition = before.name("expires_at") + " <= " + before.value("now", instant(now))
		if _, err = l.put(ctx, it, before); err == nil {
			return read(it, correlationFields)
		}
		if err != errCondition {
			return ledger.Correlation{}, err
		}
	}
}

// remove takes a member out of one of a correlation's sets, with its attribute if it has one.
func (l *Ledger) remove(ctx context.Context, record, set, member string) error {
	now := l.Now()
	expires := now.Add(ledger.CorrelationRetention)
	e := lasting(expires)
	e.names["#set"], e.names["#member"] = set, member
	e.removes = []string{"#member"}
	e.condition = "contains(#set, " + e.value("text", text(member)) + ") AND #expires_at > " + e.value("now", instant(now))
	e.members = "DELETE #set " + e.value("member", only(member))
	if _, err := l.update(ctx, correlationKey(record), e); err != errCondition {
		return err
	}
	return nil
}

// lasting begins an update of what expires at the given time.
func lasting(expires time.Time) (e expression) {
	e.set("expires_at", instant(expires))
	e.set("ttl", sweep(expires))
	return e
}

func only(member string) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: []string{member}}
}

// expiry is when a correlation counts as absent.
func expiry(it item) (at time.Time, err error) {
	c := codec{item: it}
	c.instant("expires_at", &at)
	return at, c.err
}

// correlationFields only reads.
func correlationFields(c *codec, found *ledger.Correlation) {
	for _, member := range c.set(waiters) {
		w, err := decodeWaiter(member)
		c.fail(err)
		found.Waiters = append(found.Waiters, w)
	}
	slices.SortFunc(found.Waiters, ledger.Waiter.Compare)
	for name := range c.item {
		if id, ok := strings.CutPrefix(name, eventPrefix); ok {
			if found.Events == nil {
				found.Events = map[string][]byte{}
			}
			var sealed []byte
			c.bytes(name, &sealed)
			found.Events[id] = sealed
		}
	}
}

func encodeWaiter(w ledger.Waiter) string {
	member, _ := json.Marshal([]string{w.Tenant, w.Journey})
	return string(member)
}

func decodeWaiter(member string) (ledger.Waiter, error) {
	var parts [2]string
	err := json.Unmarshal([]byte(member), &parts)
	return ledger.Waiter{Tenant: parts[0], Journey: parts[1]}, err
}
