package gateway_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
)

// FuzzDecodeJSONAsChecked: a text is taken or refused, with the same words, as if it were checked as a whole before it
// is read.
func FuzzDecodeJSONAsChecked(f *testing.F) {
	type value struct {
		Text  string           `json:"text"`
		Count int              `json:"count"`
		List  []jsontext.Value `json:"list"`
		Any   any              `json:"any"`
		Inner *struct {
			Flag bool `json:"flag"`
		} `json:"inner"`
	}
	for _, text := range []string{
		`{"text":"a","count":1,"list":[1,"b",{}],"any":{"x":[null]},"inner":{"flag":true}}`,
		`{"other":1,"text":"a"`, `{"other":1,"text":"a"}`, `{"count":"1","text":}`,
		`{"count":"1","count":1}`, `{"text":"a","text":5}`, `{"text":"\u0000"}`,
		`{"any":"\\u0000","list":["\u0000"]}`, "{\"any\":\"\xff\",\"other\":1}", `{"inner":{"flag":1},"any":"\u0000"}`,
		`{} {}`, `{"text":"a"} x`, ` `, ``, `null`, `[]`,
		`{"any":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		`{"any":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `,"list":[[],[],[]]}`,
		`{"any":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `,"other":1}`, `{"count":1e400}`, "\ufeff{}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, want value
		err := gateway.DecodeJSON(text, &got)
		checked := gateway.CheckJSON(text)
		plain := json.Unmarshal(text, &want, json.RejectUnknownMembers(true))
		var input *gateway.InputError
		switch {
		case (err == nil) != (checked == nil && plain == nil), err != nil && !errors.As(err, &input):
			t.Errorf("%q: got %v, where the check says %v and the decoder %v", text, err, checked, plain)
		case checked != nil && err.Error() != checked.Error():
			t.Errorf("%q: got %v, want %v", text, err, checked)
		case err == nil && !reflect.DeepEqual(got, want):
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	})
}

// TestDecodeJSONReadsOnce: what is small and right costs one pass, which is that of the decoder alone.
func TestDecodeJSONReadsOnce(t *testing.T) {
	text := []byte(`{"a":"b","c":["d"],"e":1}`)
	var v map[string]any
	plain := testing.AllocsPerRun(100, func() { _ = json.Unmarshal(text, &v, json.RejectUnknownMembers(true)) })
	if strict := testing.AllocsPerRun(100, func() { _ = gateway.DecodeJSON(text, &v) }); strict > plain+1 {
		t.Errorf("takes %v allocations, the decoder alone %v", strict, plain)
	}
}
