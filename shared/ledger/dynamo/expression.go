package dynamo

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
)

// expression collects the parts of an update. Every attribute is named by a placeholder, since many of the names are
// reserved words.
type expression struct {
	sets, removes []string
	members       string // what is added to sets, or deleted from them
	condition     string
	filters       []string
	names         map[string]string
	values        item
}

func (e *expression) name(attribute string) string {
	if e.names == nil {
		e.names = map[string]string{}
	}
	e.names["#"+attribute] = attribute
	return "#" + attribute
}

func (e *expression) value(name string, value types.AttributeValue) string {
	if e.values == nil {
		e.values = item{}
	}
	e.values[":"+name] = value
	return ":" + name
}

func (e *expression) set(attribute string, value types.AttributeValue) {
	e.sets = append(e.sets, e.name(attribute)+" = "+e.value(attribute, value))
}

func (e *expression) remove(attribute string) { e.removes = append(e.removes, e.name(attribute)) }

func (e *expression) increment(attribute string) {
	name := e.name(attribute)
	e.sets = append(e.sets, name+" = if_not_exists("+name+", "+e.value("none", number(0))+") + "+e.value("one", number(1)))
}

// unexpired filters out what has expired.
func (e *expression) unexpired(now time.Time) {
	e.filters = append(
		e.filters, "(attribute_not_exists("+e.name("expires_at")+") OR #expires_at > "+e.value("now", instant(now))+")",
	)
}

// where filters by the text of an attribute, or of one within it; nothing where want is empty.
func (e *expression) where(want string, path ...string) {
	if want == "" {
		return
	}
	value := e.value("want_"+path[len(path)-1], text(want))
	for i := range path {
		path[i] = e.name(path[i])
	}
	e.filters = append(e.filters, strings.Join(path, ".")+" = "+value)
}

// heldBy lets the write happen only where the attempt holds a record that is not settled.
func (e *expression) heldBy(attempt string) {
	claimed, unknown := e.value("claimed", text(string(ledger.Claimed))), e.value("unknown", text(string(ledger.Unknown)))
	e.condition = e.name("attempt") + " = " + e.value("holder", text(attempt)) + " AND " + e.name("state") +
		" IN (" + claimed + ", " + unknown + ")"
}

func (e *expression) update() string {
	update := "SET " + strings.Join(e.sets, ", ")
	if len(e.removes) > 0 {
		update += " REMOVE " + strings.Join(e.removes, ", ")
	}
	if e.members != "" {
		update += " " + e.members
	}
	return update
}

// conflicted is DynamoDB's code for a transaction that it cancelled because it met another one.
const conflicted = "TransactionConflict"

// retryConflicts lets the client send a write again that met a transaction at work on the same item, as happens when
// a journey is started twice at once. The SDK by itself gives up at once.
func retryConflicts(o *dynamodb.Options) {
	if r, ok := o.Retryer.(aws.RetryerV2); ok {
		o.Retryer = conflictRetryer{r}
	}
}

// conflictRetryer keeps the client's limit of attempts; a conflict lasts milliseconds, and so do the pauses.
type conflictRetryer struct{ aws.RetryerV2 }

func (r conflictRetryer) IsErrorRetryable(err error) bool {
	return conflict(err) || r.RetryerV2.IsErrorRetryable(err)
}

func (r conflictRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	if conflict(err) {
		return rand.N(time.Duration(attempt) * 50 * time.Millisecond), nil
	}
	return r.RetryerV2.RetryDelay(attempt, err)
}

func conflict(err error) bool {
	var single *types.TransactionConflictException
	if errors.As(err, &single) {
		return true
	}
	var cancelled *types.TransactionCanceledException
	return errors.As(err, &cancelled) && slices.ContainsFunc(cancelled.CancellationReasons,
		func(r types.CancellationReason) bool {
			return aws.ToString(r.Code) == conflicted
		})
}
