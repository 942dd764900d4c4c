package equal

import (
	"bytes"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// request is the body of a request. It goes on as it came, whatever stands in it beside what the pages name.
type request struct {
	body    jsontext.Value
	members tolerant.Object // nil where the body is no object
}

// readRequest reads one, also with commas after last members, as the page's own sample has them (§5.3).
func readRequest(req gateway.Request) (request, error) {
	strict := tolerant.WithoutTrailingCommas(req.Body)
	if err := gateway.CheckJSON(strict); err != nil {
		return request{}, err
	}
	return request{req.Body, tolerant.ReadObject(strict)}, nil
}

// transaction returns the exchange transaction that a request names, by either of its names (§5.1, §5.2). Its owner is
// checked, so a request that names another one beside it, in whatever spelling, is refused.
func (r request) transaction() (id string, err error) {
	if id = r.members.Text("transaction_id", "exchange_txn_id"); id == "" {
		return "", required("transaction_id", "/transaction_id", source.Published("§5.1"))
	}
	for name, value := range r.members {
		if namesTransaction(name) && !isBlank(value) && tolerant.Text(value) != id {
			return "", &gateway.InputError{
				Pointer: "/transaction_id", Reason: "must be the only transaction that is named",
				Source: source.Safety("one transaction, whose owner is checked"),
			}
		}
	}
	return id, nil
}

// namesTransaction reports whether a member may be taken for a transaction's id.
func namesTransaction(name string) bool {
	if len(name) < len("exchangeTxnId") {
		return false
	}
	return slices.Contains([]string{"transactionid", "exchangetxnid", "exchangetransactionid"}, tolerant.Fold(name))
}

// inOrder is what an object says: its members, those of some names first, in their order, and then the others. Parts
// are members that have been brought into order already.
func inOrder(members tolerant.Object, parts map[string]any, first ...string) any {
	fields := make([]any, 0, 2*len(members))
	for _, name := range first {
		if part := parts[name]; part != nil {
			fields = append(fields, name, part)
		} else if value := members[name]; value != nil {
			fields = append(fields, name, canonical(value))
		}
	}
	if len(fields) < 2*len(members) {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if !slices.Contains(first, name) {
				fields = append(fields, name, canonical(members[name]))
			}
		}
	}
	return operation.Fields(fields...)
}

// canonical is a value in the one form that all its spellings have in JSON. Numbers stay as they are written.
func canonical(value jsontext.Value) jsontext.Value {
	if value.Kind() == '"' && !bytes.Contains(value, []byte(`\`)) {
		return value
	}
	text, err := jsontext.AppendFormat(nil, value, jsontext.ReorderRawObjects(true))
	if err != nil {
		return value
	}
	return text
}

// replaced returns an object with another text for a value in it, and every other byte as it was.
func replaced(object jsontext.Value, at jsontext.Pointer, text string) jsontext.Value {
	quoted, err := jsontext.AppendQuote(nil, text)
	decoder := jsontext.NewDecoder(bytes.NewBuffer(tolerant.WithoutTrailingCommas(object)))
	for err == nil {
		if kind := decoder.PeekKind(); kind == '{' || kind == '}' || kind == '[' || kind == ']' {
			_, err = decoder.ReadToken()
			continue
		}
		var value jsontext.Value
		value, err = decoder.ReadValue()
		container, read := decoder.StackIndex(decoder.StackDepth())
		if err == nil && container == '{' && read%2 == 0 && decoder.StackPointer() == at {
			end := int(decoder.InputOffset())
			return slices.Concat(object[:end-len(value)], quoted, object[end:])
		}
	}
	return object
}

// isBlank reports whether a value counts as missing: absent, null or text of blanks.
func isBlank(value jsontext.Value) bool {
	switch value.Kind() {
	case '"':
		return tolerant.Word(value) == ""
	case 0, 'n':
		return true
	}
	return false
}

// key is an id as it is written, which tells requests apart; empty where it is missing.
func key(value jsontext.Value) string {
	if isBlank(value) {
		return ""
	}
	if text := tolerant.String(value); text != "" {
		return text
	}
	return tolerant.Text(value)
}
