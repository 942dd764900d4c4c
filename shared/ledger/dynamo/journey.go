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
			return decodeJourney(it)
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
		case standing.ID != "" && !expired(standing.ExpiresAt, j.CreatedAt):
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
	if err == nil && (j.ID == "" || expired(j.ExpiresAt, l.Now())) {
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
	r := reader{item: lead}
	if id = r.text("journey"); r.err != nil {
		return "", ledger.Journey{}, r.err
	}
	it, err := l.get(ctx, journeyKey(id))
	if err != nil && err != ledger.ErrNotFound {
		return "", ledger.Journey{}, err
	}
	j, err = decodeJourney(it)
	return id, j, err
}

// UpdateJourney writes the next version of a journey, or returns ledger.ErrStale. The record as it stands may show
// that an earlier sending of the same write, whose answer was lost, had succeeded.
func (l *Ledger) UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error) {
	var e expression
	e.condition = e.name("listed") + "." + e.name("version") + " = " + e.value("version", number(j.Version))
	j.Version++
	it := encodeJourney(j)
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &l.table, Item: it, ConditionExpression: &e.condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, retryConflicts)
	var failed *types.ConditionalCheckFailedException
	if err != nil && !errors.As(err, &failed) {
		return ledger.Journey{}, err
	}
	written, err := decodeJourney(it)
	if failed == nil || err != nil {
		return written, err
	}
	standing, err := decodeJourney(failed.Item)
	if err == nil && !reflect.DeepEqual(standing, written) {
		err = ledger.ErrStale
	}
	return standing, err
}

// Journey returns a tenant's journey, or ledger.ErrNotFound when it is absent, expired or another tenant's.
func (l *Ledger) Journey(ctx context.Context, tenant, id string) (ledger.Journey, error) {
	it, err := l.get(ctx, journeyKey(id))
	if err != nil {
		return ledger.Journey{}, err
	}
	j, err := decodeJourney(it)
	if err != nil {
		return ledger.Journey{}, err
	}
	if j.Tenant != tenant || expired(j.ExpiresAt, l.Now()) {
		return ledger.Journey{}, ledger.ErrNotFound
	}
	return j, nil
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
		ctx, l, e, listing{journeysPrefix + q.Tenant, from, journeyKey, q.Limit}, decodeJourney,
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
	return decodeAll(items, decode)
}

// encodeJourney puts what a listing shows, and what it filters by, into one attribute: an index may name 20 of them.
func encodeJourney(j ledger.Journey) item {
	// The id stands once more, and the reason even where it is empty: events are made of this map alone.
	listed := item{"version": number(j.Version), "id": text(j.ID), "reason": text(j.Reason)}
	putTexts(listed, map[string]string{
		"type": j.Type, "status": string(j.Status), "reason": j.Reason, "fingerprint": j.Fingerprint,
	})
	putInstants(listed, map[string]time.Time{"created_at": j.CreatedAt, "updated_at": j.UpdatedAt, "ended_at": j.EndedAt})
	putGroup(listed, "refs", j.Refs, text)
	putList(listed, "documents", j.Documents)
	if a := j.Awaiting; a != nil {
		awaiting := item{}
		putTexts(awaiting, map[string]string{"id": a.ID, "kind": a.Kind, "token": a.Token, "record": a.Record})
		putInstants(awaiting, map[string]time.Time{"since": a.Since, "expires_at": a.ExpiresAt})
		putList(awaiting, "accepts", a.Accepts)
		putGroup(awaiting, "details", a.Details, text)
		putBytes(awaiting, "sealed", a.Sealed)
		listed["awaiting"] = &types.AttributeValueMemberM{Value: awaiting}
	}

	it := journeyKey(j.ID)
	it["gsi1pk"], it["gsi1sk"] = text(journeysPrefix+j.Tenant), text(ledger.JourneyPosition(j))
	it["listed"] = &types.AttributeValueMemberM{Value: listed}
	putTexts(it, map[string]string{"tenant": j.Tenant})
	putInstants(it, map[string]time.Time{"expires_at": j.ExpiresAt})
	if !j.ExpiresAt.IsZero() {
		it["ttl"] = sweep(j.ExpiresAt)
	}
	putBytes(it, "input", j.Input)
	putBytes(it, "outcome", j.Outcome)
	putList(it, "heard", j.Delivered)
	putGroup(it, "inputs", j.Inputs, func(in ledger.AcceptedInput) types.AttributeValue {
		accepted := item{}
		putTexts(accepted, map[string]string{"fingerprint": in.Fingerprint, "token": in.Token})
		putBytes(accepted, "output", in.Output)
		return &types.AttributeValueMemberM{Value: accepted}
	})
	return it
}

// decodeJourney returns the zero journey for an item that does not exist.
func decodeJourney(it item) (ledger.Journey, error) {
	if len(it) == 0 {
		return ledger.Journey{}, nil
	}
	r := reader{item: it}
	listed := reader{item: r.group("listed")}
	j := ledger.Journey{
		ID:          strings.TrimPrefix(r.text("pk"), journeyPrefix),
		Tenant:      r.text("tenant"),
		Type:        listed.text("type"),
		Status:      ledger.JourneyStatus(listed.text("status")),
		Reason:      listed.text("reason"),
		Version:     listed.number("version"),
		Fingerprint: listed.text("fingerprint"),
		CreatedAt:   listed.instant("created_at"),
		UpdatedAt:   listed.instant("updated_at"),
		EndedAt:     listed.instant("ended_at"),
		ExpiresAt:   r.instant("expires_at"),
		Input:       r.bytes("input"),
		Refs:        group(&listed, "refs", (*reader).text),
		Outcome:     r.bytes("outcome"),
		Documents:   listed.texts("documents"),
		Delivered:   r.texts("heard"),
		Inputs: group(&r, "inputs", func(r *reader, name string) ledger.AcceptedInput {
			in := reader{item: r.group(name)}
			defer func() { r.fail(in.err) }()
			return ledger.AcceptedInput{Fingerprint: in.text("fingerprint"), Token: in.text("token"), Output: in.bytes("output")}
		}),
	}
	awaiting := reader{item: listed.group("awaiting")}
	if awaiting.item != nil {
		j.Awaiting = &ledger.Awaiting{
			ID:        awaiting.text("id"),
			Kind:      awaiting.text("kind"),
			Accepts:   awaiting.texts("accepts"),
			Token:     awaiting.text("token"),
			Record:    awaiting.text("record"),
			Since:     awaiting.instant("since"),
			ExpiresAt: awaiting.instant("expires_at"),
			Details:   group(&awaiting, "details", (*reader).text),
			Sealed:    awaiting.bytes("sealed"),
		}
	}
	for _, err := range []error{r.err, listed.err, awaiting.err} {
		if err != nil {
			return ledger.Journey{}, err
		}
	}
	return j, nil
}
