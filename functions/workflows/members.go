package workflows

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// members is a JSON object whose numbers are as CEL takes JSON's: float64. Whole ones that a float64 does not tell from
// their neighbours, such as account numbers, are int64.
type members map[string]any

const exactInFloat = 1 << 53

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (m *members) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	numbers := json.UnmarshalFromFunc(func(d *jsontext.Decoder, value *any) error {
		if d.PeekKind() != '0' {
			return errors.ErrUnsupported // the usual way
		}
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		text := token.String()
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && (n > exactInFloat || n < -exactInFloat) {
			*value = n
			return nil
		}
		*value, err = strconv.ParseFloat(text, 64)
		return err
	})
	return json.UnmarshalDecode(d, (*map[string]any)(m), json.WithUnmarshalers(numbers))
}
