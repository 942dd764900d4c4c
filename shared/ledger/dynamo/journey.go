package dynamo

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
)

// keyRetention is how long a key leads to its journey: longer than a state machine can run, which is a year, with its
// journey's retention. A journey that has expired sooner frees its key by itself.
const keyRetention = 400 * 24 * time.Hour

// CreateJourney writes a journey and the key that leads to it, unless the key leads to one that has not expired. It is
// one call, and where the key is taken two reads more.
func (l *Ledger) CreateJourney(ctx context.Context, key string, j ledger.Journey) (ledger.Journey, error) {
	j.Version = 1
	it := encodeJourney(j)
	expiredID := "" // the expired journey to which the key leads
	for {
		err := l.create(ctx, key, j, it, expiredID)
		var cancelled *types.TransactionCanceledException
		if err == nil {
			return read(it, journeyFields)
		}
		if !errors.As(err, &cancelled) {
			return ledger.Journey{}, err
		}
		// Either the key is taken, or another one was about to take it for longer than the client tries.
		id, standing, getErr := l.ledTo(ctx, key)
		switch {
		case getErr == ledger.ErrNotFound:
			return ledger.Journey{}, err
		case getErr != nil:
			return ledger.Journey{}, getErr
		case standing.ID != "" && !ledger.Expired(standing.ExpiresAt, j.CreatedAt):
			if standing.ID != j.ID {
				return standing, ledger.ErrTaken
			}
			return standing, nil
		case id == expiredID: // and still the write failed
			return ledger.Journey{}, err
		}
		expiredID = id
	}
}

// create writes a journey and its key, where the key does not exist or leads to the expired journey.
func (l *Ledger) create(ctx context.Context, key string, j ledger.Journey, it item, expiredID string) error {
	lead := leadKey(key)
	lead["journey"], lead["ttl"] = text(j.ID), sweep(j.CreatedAt.Add(keyRetention))
	var free, absent expression
	free.condition = "attribute_not_exists(pk) OR " + free.name("journey") + " = " + free.value("expired", text(expiredID))
	absent.condition = "attribute_not_exists(pk) OR " + absent.name("expires_at") + " <= " +
		absent.value("now", instant(j.CreatedAt))
	put := func(it item, e expression) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &l.table, Item: it, ConditionExpression: &e.condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		}}
	}
	_, err := l.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{put(lead, free), put(it, absent)},
	}, retryConflicts)
	return err
}

// JourneyOf returns the journey to which a key leads, or ledger.ErrNotFound.
func (l *Ledger) JourneyOf(ctx context.Context, key string) (ledger.Journey, error) {
	_, j, err := l.ledTo(ctx, key)
	if err == nil && (j.ID == "" || ledger.Expired(j.ExpiresAt, l.Now())) {
		return ledger.Journey{}, ledger.ErrNotFound
	}
	return j, err
}

// ledTo returns the id to which a key leads, or ledger.ErrNotFound, and the journey, the zero one if it has been swept.
func (l *Ledger) ledTo(ctx context.Context, key string) (id string, j ledger.Journey, err error) {
	lead, err := l.get(ctx, leadKey(key))
	if err != nil {
		return "", ledger.Journey{}, err
	}
	c := codec{item: lead}
	if c.text("journey", &id); c.err != nil {
		return "", ledger.Journey{}, c.err
	}
	it, err := l.get(ctx, journeyKey(id))
	if err != nil && err != ledger.ErrNotFound {
		return "", ledger.Journey{}, err
	}
	j, err = read(it, journeyFields)
	return id, j, err
}

// UpdateJourney writes the next version of a journey, or returns ledger.ErrStale. The record as it stands may show
// that an earlier sending of the same write, whose answer was lost, had succeeded.
func (l *Ledger) UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error) {
	var e expression
	e.condition = e.name("listed") + "." + e.name("version") + " = " + e.value("version", number(j.Version))
	j.Version++
	it := encodeJourney(j)
	written, err := read(it, journeyFields)
	if err != nil {
		return ledger.Journey{}, err
	}
	standing, err := l.put(ctx, it, e, retryConflicts)
	return held(standing, err, journeyFields, func(j ledger.Journey) bool { return reflect.DeepEqual(j, written) },
		ledger.ErrStale)
}

// Journey returns a tenant's journey, or ledger.ErrNotFound when it is absent, expired or another tenant's.
func (l *Ledger) Journey(ctx context.Context, tenant, id string) (ledger.Journey, error) {
	return record(ctx, l, journeyKey(id), journeyFields, func(j ledger.Journey) bool {
		return j.Tenant == tenant && !ledger.Expired(j.ExpiresAt, l.Now())
	})
}

// Journeys returns one page of a tenant's journeys as Transactions does of its transactions.
func (l *Ledger) Journeys(ctx context.Context, q ledger.JourneyQuery) (ledger.JourneyPage, error) {
	from, err := ledger.ReadJourneyCursor(q)
	if err != nil {
		return ledger.JourneyPage{}, err
	}
	var e expression
	e.unexpired(l.Now())
	e.where(q.Type, "listed", "type")
	e.where(string(q.Status), "listed", "status")
	var page ledger.JourneyPage
	var last string
	page.Journeys, last, err = list(
		ctx, l, e, listing{journeysPrefix + q.Tenant, from, journeyKey, q.Limit}, journeyFields,
	)
	if last != "" {
		page.Next = ledger.JourneyCursor(q, last)
	}
	return page, err
}

// JourneyTransactions returns a journey's transactions, the oldest first and at most ledger.MaxSteps of them. It
// reads an index, which may miss what was written a moment ago.
func (l *Ledger) JourneyTransactions(ctx context.Context, tenant, journey string) ([]ledger.Transaction, error) {
	var e expression
	e.unexpired(l.Now())
	e.filters = append(e.filters, e.name("tenant")+" = "+e.value("tenant", text(tenant)))
	items, _, err := l.query(ctx, &dynamodb.QueryInput{
		TableName: &l.table, IndexName: aws.String(JourneyIndex),
		KeyConditionExpression:   aws.String("gsi2pk = " + e.value("journey", text(journeyPrefix+journey))),
		FilterExpression:         aws.String(strings.Join(e.filters, " AND ")),
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}, ledger.MaxSteps)
	if err != nil {
		return nil, err
	}
	return readAll(items, transactionFields)
}

func encodeJourney(j ledger.Journey) item {
	it := journeyKey(j.ID)
	it["gsi1pk"], it["gsi1sk"] = text(journeysPrefix+j.Tenant), text(ledger.JourneyPosition(j))
	return write(it, j, journeyFields)
}

// journeyFields puts what a listing shows, and what it filters by, into one attribute: an index may name 20 of them.
func journeyFields(c *codec, j *ledger.Journey) {
	c.id(journeyPrefix, &j.ID)
	c.text("tenant", &j.Tenant)
	c.expiry(&j.ExpiresAt)
	c.bytes("input", &j.Input)
	c.bytes("outcome", &j.Outcome)
	c.texts("heard", &j.Delivered)
	members(c, "inputs", &j.Inputs, func(c *codec, name string, in *ledger.AcceptedInput) {
		c.group(name, func(c *codec) {
			c.text("fingerprint", &in.Fingerprint)
			c.text("token", &in.Token)
			c.bytes("output", &in.Output)
		})
	})
	c.group("listed", func(c *codec) {
		if c.writes { // the id once more, and the reason even where it is empty: events are made of this map alone
			c.item["id"], c.item["reason"] = text(j.ID), text(j.Reason)
		}
		c.text("type", &j.Type)
		c.text("status", (*string)(&j.Status))
		c.text("reason", &j.Reason)
		c.number("version", &j.Version)
		c.text("fingerprint", &j.Fingerprint)
		c.instant("created_at", &j.CreatedAt)
		c.instant("updated_at", &j.UpdatedAt)
		c.instant("ended_at", &j.EndedAt)
		members(c, "refs", &j.Refs, (*codec).text)
		c.texts("documents", &j.Documents)
		if j.Wakes > 0 || !c.writes {
			c.number("wakes", &j.Wakes)
		}
		c.nanoseconds("woken_at", &j.WokenAt)
		optional(c, "awaiting", &j.Awaiting, awaitingFields)
	})
}

func awaitingFields(c *codec, a *ledger.Awaiting) {
	c.text("id", &a.ID)
	c.text("kind", &a.Kind)
	c.texts("accepts", &a.Accepts)
	c.text("token", &a.Token)
	c.text("record", &a.Record)
	c.nanoseconds("as_of", &a.AsOf)
	c.instant("since", &a.Since)
	c.instant("expires_at", &a.ExpiresAt)
	members(c, "details", &a.Details, (*codec).text)
	c.bytes("sealed", &a.Sealed)
}
