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
// names of the attributes that hold them. Others hold when those arrived; an earlier release wrote none.
const (
	waiters       = "waiters"
	events        = "events"
	eventPrefix   = "event#"
	arrivedPrefix = "arrived#"
)

// AddWaiter adds who waits for a partner's record, or returns ledger.ErrFull.
func (l *Ledger) AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error) {
	return l.add(ctx, record, waiters, encodeWaiter(w), nil)
}

// RemoveWaiter removes a waiter if it is there.
func (l *Ledger) RemoveWaiter(ctx context.Context, record string, w ledger.Waiter) error {
	return l.remove(ctx, record, waiters, encodeWaiter(w), func(*expression) {})
}

// AddEvent adds what a partner has told about its record. The oldest event makes room for it.
func (l *Ledger) AddEvent(
	ctx context.Context, record string, event ledger.Event, once bool,
) (ledger.Correlation, error) {
	for {
		known, err := l.add(ctx, record, events, eventPrefix+event.ID, &arrival{event, once})
		if err != ledger.ErrFull {
			return known, err
		}
		if err := l.makeRoom(ctx, record, known.Events[0]); err != nil {
			return ledger.Correlation{}, err
		}
	}
}

// makeRoom removes an event, unless it has arrived again meanwhile.
func (l *Ledger) makeRoom(ctx context.Context, record string, oldest ledger.Event) error {
	return l.remove(ctx, record, events, eventPrefix+oldest.ID, func(e *expression) {
		e.names["#event"], e.names["#arrived"] = eventPrefix+oldest.ID, arrivedPrefix+oldest.ID
		e.removes = append(e.removes, "#event", "#arrived")
		if oldest.ArrivedAt.IsZero() {
			e.condition += " AND attribute_not_exists(#arrived)"
		} else {
			e.condition += " AND #arrived = " + e.value("arrived", nanoseconds(oldest.ArrivedAt))
		}
	})
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

// arrival is an event that arrives, of which the first arrival alone counts where once.
type arrival struct {
	ledger.Event
	once bool
}

// update adds the attributes of the event to an update. A later time of arrival is not replaced by an earlier one.
func (a *arrival) update(e *expression) {
	e.names["#event"], e.names["#arrived"] = eventPrefix+a.ID, arrivedPrefix+a.ID
	sealed := e.value("event", &types.AttributeValueMemberB{Value: a.Sealed})
	arrived := e.value("arrived", nanoseconds(a.ArrivedAt))
	e.sets = append(e.sets, "#event = if_not_exists(#event, "+sealed+")")
	if a.once {
		e.sets = append(e.sets, "#arrived = if_not_exists(#arrived, "+arrived+")")
		return
	}
	e.sets = append(e.sets, "#arrived = "+arrived)
	e.condition += " AND (attribute_not_exists(#arrived) OR #arrived < " + arrived + ")"
}

// put adds the attributes of the event to an item.
func (a *arrival) put(it item) {
	it[eventPrefix+a.ID] = &types.AttributeValueMemberB{Value: a.Sealed}
	it[arrivedPrefix+a.ID] = nanoseconds(a.ArrivedAt)
}

// add puts a member into one of a correlation's sets, with the attributes of an event that arrives. It is one call,
// unless what is there has expired and must be replaced.
func (l *Ledger) add(
	ctx context.Context, record, set, member string, event *arrival,
) (ledger.Correlation, error) {
	now := l.Now()
	expires := now.Add(ledger.CorrelationRetention)
	for {
		e := lasting(expires)
		e.names["#set"] = set
		e.condition = "attribute_not_exists(#expires_at) OR #expires_at > " + e.value("now", instant(now)) +
			" AND (attribute_not_exists(#set) OR contains(#set, " + e.value("text", text(member)) + ") OR size(#set) < " +
			e.value("cap", number(ledger.CorrelationCap)) + ")"
		if event != nil {
			event.update(&e)
		}
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
			there := codec{item: standing}
			if slices.Contains(there.set(set), member) { // and has arrived later still
				return c, cmp.Or(unread, err)
			}
			return c, cmp.Or(unread, err, ledger.ErrFull)
		}

		it := correlationKey(record)
		it["expires_at"], it["ttl"], it[set] = instant(expires), sweep(expires), only(member)
		if event != nil {
			event.put(it)
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

// remove takes a member out of one of a correlation's sets; more says what else the update does.
func (l *Ledger) remove(ctx context.Context, record, set, member string, more func(*expression)) error {
	now := l.Now()
	e := lasting(now.Add(ledger.CorrelationRetention))
	e.names["#set"] = set
	e.condition = "contains(#set, " + e.value("text", text(member)) + ") AND #expires_at > " + e.value("now", instant(now))
	e.members = "DELETE #set " + e.value("member", only(member))
	more(&e)
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
			e := ledger.Event{ID: id}
			c.bytes(name, &e.Sealed)
			c.nanoseconds(arrivedPrefix+id, &e.ArrivedAt)
			found.Events = append(found.Events, e)
		}
	}
	slices.SortFunc(found.Events, ledger.Event.Compare)
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
