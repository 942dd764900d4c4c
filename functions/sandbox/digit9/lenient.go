package digit9

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// readLenient reads a JSON object as lenient systems do: numbers as text and text as numbers, and what is of no use as
// absent. Text is cut to what a record can keep.
func readLenient(body []byte, v any) error {
	return json.Unmarshal(body, v, json.WithUnmarshalers(json.JoinUnmarshalers(
		scalar(func(s *string, text string) {
			r := []rune(text)
			*s = string(r[:min(len(r), 255)])
		}),
		scalar(func(n *int64, text string) {
			if f, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil && f > -1e18 && f < 1e18 {
				*n = int64(f)
			}
		}),
		scalar(func(b *bool, text string) { *b = strings.EqualFold(text, "true") }),
		only[[]document]('['), only[[]idDetail]('['), only[document]('{'), only[idDetail]('{'),
	)))
}

// scalar reads what a text, a number or a truth value says; anything else says nothing.
func scalar[T any](set func(v *T, text string)) *json.Unmarshalers {
	return json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *T) error {
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		switch value.Kind() {
		case '"':
			text, err := jsontext.AppendUnquote(nil, value)
			set(v, string(text))
			return err
		case '0', 't', 'f':
			set(v, string(value))
		}
		return nil
	})
}

// only reads values of one kind, and leaves out others.
func only[T any](kind jsontext.Kind) *json.Unmarshalers {
	return json.UnmarshalFromFunc(func(d *jsontext.Decoder, _ *T) error {
		if d.PeekKind() == kind {
			return errors.ErrUnsupported // read it as usual
		}
		return d.SkipValue()
	})
}
