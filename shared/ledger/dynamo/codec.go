package dynamo

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
)

// codec reads an item's attributes into fields or writes them from fields, so that a record names each attribute once.
// It writes nothing of what is empty or zero, reads what is absent as that, and keeps the first error.
type codec struct {
	item   item
	writes bool
	zeros  bool // those are written, too
	err    error
}

// read returns what fields reads of an item: the zero record of one that does not exist.
func read[T any](it item, fields func(*codec, *T)) (record T, err error) {
	c := codec{item: it}
	if fields(&c, &record); c.err != nil {
		var none T
		return none, c.err
	}
	return record, nil
}

// write adds what fields writes of a record to an item that has its key.
func write[T any](it item, record T, fields func(*codec, *T)) item {
	fields(&codec{item: it, writes: true}, &record)
	return it
}

// attribute returns the zero value where there is no such attribute.
func attribute[T types.AttributeValue](c *codec, name string) (value T) {
	found, ok := c.item[name]
	if !ok {
		return value
	}
	value, ok = found.(T)
	if !ok {
		c.fail(fmt.Errorf("dynamo: attribute %s is a %T", name, found))
	}
	return value
}

func (c *codec) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// id reads an id from the item's key.
func (c *codec) id(prefix string, id *string) {
	if !c.writes {
		c.text("pk", id)
		*id = strings.TrimPrefix(*id, prefix)
	}
}

func (c *codec) text(name string, s *string) {
	if c.writes {
		if *s != "" || c.zeros {
			c.item[name] = text(*s)
		}
	} else if v := attribute[*types.AttributeValueMemberS](c, name); v != nil {
		*s = v.Value
	}
}

// digest is a text, a SHA-256 in hex as the 32 bytes that it stands for: an item is paid for by the KB. It reads one
// that was written as a text, too.
func (c *codec) digest(name string, s *string) {
	if sum, ok := undigested(*s); ok && c.writes {
		c.item[name] = &types.AttributeValueMemberB{Value: sum}
	} else if stored, ok := c.item[name].(*types.AttributeValueMemberB); ok && !c.writes {
		*s = hex.EncodeToString(stored.Value)
	} else {
		c.text(name, s)
	}
}

// number writes a zero, too.
func (c *codec) number(name string, n *int) {
	if c.writes {
		c.item[name] = number(*n)
		return
	}
	v := attribute[*types.AttributeValueMemberN](c, name)
	if v == nil {
		return
	}
	var err error
	if *n, err = strconv.Atoi(v.Value); err != nil {
		c.fail(fmt.Errorf("dynamo: attribute %s: %w", name, err))
	}
}

// instant is a time as text. It reads one that was written in nanoseconds, too.
func (c *codec) instant(name string, at *time.Time) {
	if c.writes {
		if !at.IsZero() {
			c.item[name] = instant(*at)
		}
		return
	}
	if _, ok := c.item[name].(*types.AttributeValueMemberN); ok {
		var n int
		c.number(name, &n)
		*at = time.Unix(0, int64(n)).UTC()
		return
	}
	var s string
	if c.text(name, &s); s == "" {
		return
	}
	var err error
	if *at, err = time.Parse(ledger.TimeLayout, s); err != nil {
		c.fail(fmt.Errorf("dynamo: attribute %s is not a time", name))
	}
}

// nanoseconds is a time that no condition compares, in nanoseconds since 1970.
func (c *codec) nanoseconds(name string, at *time.Time) {
	if !c.writes {
		c.instant(name, at)
	} else if !at.IsZero() {
		c.item[name] = nanoseconds(*at)
	}
}

// expiry is when the item counts as absent, and when DynamoDB may sweep it.
func (c *codec) expiry(at *time.Time) {
	c.instant("expires_at", at)
	if c.writes && !at.IsZero() {
		c.item["ttl"] = sweep(*at)
	}
}

func (c *codec) bytes(name string, b *[]byte) {
	if c.writes {
		if len(*b) > 0 {
			c.item[name] = &types.AttributeValueMemberB{Value: *b}
		}
	} else if v := attribute[*types.AttributeValueMemberB](c, name); v != nil && len(v.Value) > 0 {
		*b = v.Value
	}
}

func (c *codec) texts(name string, texts *[]string) {
	if !c.writes {
		if v := attribute[*types.AttributeValueMemberL](c, name); v != nil {
			for _, value := range v.Value {
				one := codec{item: item{name: value}}
				var s string
				one.text(name, &s)
				*texts = append(*texts, s)
				c.fail(one.err)
			}
		}
		return
	}
	var values []types.AttributeValue
	for _, s := range *texts {
		values = append(values, text(s))
	}
	if values != nil {
		c.item[name] = &types.AttributeValueMemberL{Value: values}
	}
}

// set returns the members of a set of texts.
func (c *codec) set(name string) []string {
	if v := attribute[*types.AttributeValueMemberSS](c, name); v != nil {
		return v.Value
	}
	return nil
}

// group reads or writes attributes that lie within one.
func (c *codec) group(name string, fields func(*codec)) {
	within := codec{item: item{}, writes: c.writes}
	if c.writes {
		c.item[name] = &types.AttributeValueMemberM{Value: within.item}
	} else if v := attribute[*types.AttributeValueMemberM](c, name); v != nil {
		within.item = v.Value
	}
	fields(&within)
	c.fail(within.err)
}

// optional reads or writes a record within an attribute; nil where there is none.
func optional[T any](c *codec, name string, record **T, fields func(*codec, *T)) {
	if !c.writes && c.item[name] != nil {
		*record = new(T)
	}
	if *record != nil {
		c.group(name, func(within *codec) { fields(within, *record) })
	}
}

// members reads or writes the members of a map within an attribute, each by its name; nil where there are none.
func members[V any](c *codec, name string, all *map[string]V, member func(*codec, string, *V)) {
	if c.writes && len(*all) == 0 {
		return
	}
	c.group(name, func(within *codec) {
		within.zeros = true
		for name, value := range *all { // written
			member(within, name, &value)
		}
		if c.writes || len(within.item) == 0 {
			return
		}
		*all = make(map[string]V, len(within.item))
		for name := range within.item {
			var value V
			member(within, name, &value)
			(*all)[name] = value
		}
	})
}
