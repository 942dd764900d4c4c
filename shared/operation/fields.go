package operation

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Fields is a JSON object of members in their order, given as names and values in turn, for Operation.Fingerprint.
func Fields(namesAndValues ...any) any { return fields(namesAndValues) }

type fields []any

// MarshalJSONTo implements json.MarshalerTo.
func (f fields) MarshalJSONTo(e *jsontext.Encoder) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, nameOrValue := range f {
		if err := json.MarshalEncode(e, nameOrValue, json.Deterministic(true)); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}
