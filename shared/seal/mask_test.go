package seal_test

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/growthtest"
	"sallyport/shared/seal"
)

const number = "999900000016"

func TestMask(t *testing.T) {
	for number, want := range map[string]string{
		"999900000016": "XXXXXXXX0016", "9999 0000 0016": "XXXX XXXX 0016", "XXXXXXXX0016": "XXXXXXXX0016", "XXXX": "XXXX",
		"AB1234567": "XXXXX4567", "123456": "XXX456", "1": "X", "": "", "12": "X2",
	} {
		if got := seal.Mask(number); got != want {
			t.Errorf("%s became %s, want %s", number, got, want)
		}
	}
	for number, want := range map[string]string{"999900000016": "0016", "123456": "456", "1": "", "": ""} {
		if got := seal.Last4(number); got != want {
			t.Errorf("%s ends in %s, want %s", number, got, want)
		}
	}
}

func TestMaskJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"aadhaar_no":"999900000016","x" : [1, "y"]}`:         `{"aadhaar_no":"XXXXXXXX0016","x" : [1, "y"]}`,
		`{"aadhaar_no":999900000016}`:                          `{"aadhaar_no":"XXXXXXXX0016"}`,
		`{"a":{"aadhaar_no":["999900000028",{"b":"c"}]}}`:      `{"a":{"aadhaar_no":["XXXXXXXX0028",{"b":"c"}]}}`,
		`{"message":"no record of 999900000016."}`:             `{"message":"no record of XXXXXXXX0016."}`,
		`{"999900000016":"v"}`:                                 `{"XXXXXXXX0016":"v"}`,
		`{"aadhaar_no":"\u0039\u0039\u0039900000016"}`:         `{"aadhaar_no":"XXXXXXXX0016"}`,
		` {"other":"999900000028","n":null,"t":[true,false]}`:  ` {"other":"999900000028","n":null,"t":[true,false]}`,
		`{"a":"x","a":"y"}`:                                    `{"a":"x","a":"y"}`,
		`[9.99900000016E11,99990000001.6e+1,9999000000161e-1]`: `["X.XXXXXXXXXX6E11","XXXXXXXXXX1.6e+1","XXXXXXXXXXX61e-1"]`,
		`[9.9990000001E11,1e999999999999,1e99]`:                `[9.9990000001E11,1e999999999999,1e99]`,
		`not json`:                                             ``,
		`{"aadhaar_no":"9999`:                                  ``,
	} {
		if got := seal.MaskJSON([]byte(text), "aadhaar_no", "999900000016"); string(got) != want {
			t.Errorf("%s\nbecame %s\nwant   %s", text, got, want)
		}
	}
}

func FuzzMaskJSON(f *testing.F) {
	f.Add([]byte(`{"aadhaar_no":"999900000016","x":[{"aadhaar_no":1}]}`))
	f.Add([]byte(`["999900000016", 999900000016]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got := seal.MaskJSON(text, "aadhaar_no", "999900000016")
		if got == nil {
			return
		}
		if json.Valid(text) && !json.Valid(got) {
			t.Errorf("%q became %q, which is not JSON", text, got)
		}
		if again := seal.MaskJSON(got, "aadhaar_no", "999900000016"); string(again) != string(got) {
			t.Errorf("%q is masked to %q, and that to %q", text, got, again)
		}
	})
}

// reference is MaskJSON as one would say it, whatever it costs: the path of each scalar tells its name, and a regular
// expression finds the number.
func reference(text []byte, name, number string) []byte {
	decoder := jsontext.NewDecoder(
		bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true),
	)
	var out []byte
	copied := 0
	for {
		if kind := decoder.PeekKind(); kind != '"' && kind != '0' {
			if _, err := decoder.ReadToken(); err == io.EOF {
				return append(out, text[copied:]...)
			} else if err != nil {
				return nil
			}
			continue
		}
		raw, err := decoder.ReadValue()
		if err != nil {
			return nil
		}
		value := string(raw)
		if raw.Kind() == '"' {
			plain, _ := jsontext.AppendUnquote(nil, raw)
			value = string(plain)
		}
		masked := value
		mantissa, exponent, _ := strings.Cut(strings.ToLower(value), "e")
		if n, err := strconv.Atoi(exponent); raw.Kind() == '0' && number != "" && err == nil && n <= 100 {
			_, fraction, _ := strings.Cut(mantissa, ".")
			digits := strings.NewReplacer("-", "", ".", "").Replace(mantissa) + strings.Repeat("0", max(0, n-len(fraction)))
			if strings.Contains(digits, number) {
				masked = seal.Mask(value)
			}
		}
		if masked != value {
		} else if under(decoder, name) {
			masked = seal.Mask(value)
		} else if number != "" {
			spelled := regexp.MustCompile(strings.Join(strings.Split(number, ""), "[ -]?"))
			masked = spelled.ReplaceAllStringFunc(value, seal.Mask)
		}
		if masked == value {
			continue
		}
		quoted, err := jsontext.AppendQuote(nil, masked)
		if err != nil {
			quoted = []byte(`""`)
		}
		end := int(decoder.InputOffset())
		out = append(append(out, text[copied:end-len(raw)]...), quoted...)
		copied = end
	}
}

// under reports whether the scalar just read is the value of a member of that name, or an element of arrays there.
func under(d *jsontext.Decoder, name string) bool {
	path := slices.Collect(d.StackPointer().Tokens())
	for depth := d.StackDepth(); depth > 0; depth-- {
		if kind, length := d.StackIndex(depth); kind == '{' {
			isName := length%2 == 1 && depth == d.StackDepth()
			return !isName && path[depth-1] == name
		}
	}
	return false
}

// odd are texts in which a number is easily overlooked, or too much is masked.
var odd = []string{
	`{"a":"9999 0000 0016","b":"9999-0000-0016","c":"9-9 9-9 0-0 0-0 0-0 1-6","d":"9999  0000 0016","e":"9999--00000016"}`,
	`["99999900000016","9999 99990000 0016 9999","999900000016999900000016","999900000016 9999-00000016","99990000001"]`,
	`[999900000016, -999900000016, 999900000016e0, 9999000000160, 0.999900000016, 9.99900000016e11]`,
	`["\u0039999 0000\u00200016","999900000016\n\"\\\u0000","\ud83d\ude00999900000016\u00e9"]`,
	`{"aadhaar_no":[["1234567",12345678],{"x":"1234567","aadhaar_no":"7654321"},"abcdefgh"],"x":["1234567"]}`,
	`{"aadhaar_no":{"x":{"y":[1234567]},"z":"1234567"},"\u0061adhaar_no":"1234567","Aadhaar_no":"1234567"}`,
	`{"aadhaar_no":"1234567","aadhaar_no":"7654321","aadhaar_no":"aadhaar_no","x":"aadhaar_no","x":"1234567"}`,
	`{"aadhaar_no":null,"a":{"aadhaar_no":true},"b":{"aadhaar_no":-12.5e3},"c":{"aadhaar_no":""}}`,
	`{"aadhaar_no":"\u00e9","a":{"aadhaar_no":"\u00e9\u00e9\u00e9\u00e9\u00e9"},"b":{"aadhaar_no":"\ud800 1234"}}`,
	"{\"aadhaar_no\":\"\xff1234567\",\"\xff\":\"999900000016\xfe\",\"x\":\"\xe2\x82 999900000016\",\"y\":\"\xff\"}",
	`{"9999 0000 0016":{"999900000016":"aadhaar_no"},"a/b~c":{"aadhaar_no":"1234567"}}`,
	"[\"9999\t00000016\",\"9999\u00a000000016\",\"\uff19999 0000 0016\"]",
	` "999900000016" `, `999900000016`, `1 "999900000016" [999900000016]`, `[[[[["999900000016"]]]]`, `{"a":1,}`, ` `, ``,
}

func TestMaskJSONOfOddTexts(t *testing.T) {
	for _, text := range odd {
		masksLikeReference(t, []byte(text))
	}
	if got := string(
		seal.MaskJSON([]byte(odd[0]), "aadhaar_no", number),
	); got != `{"a":"XXXX XXXX 0016","b":"XXXX-XXXX-0016",`+
		`"c":"X-X X-X X-X X-X 0-0 1-6","d":"9999  0000 0016","e":"9999--00000016"}` {
		t.Errorf("became %s", got)
	}
}

func masksLikeReference(t *testing.T, text []byte) {
	t.Helper()
	given := bytes.Clone(text)
	for _, number := range []string{number, "11", "121", ""} {
		got, want := seal.MaskJSON(text, "aadhaar_no", number), reference(text, "aadhaar_no", number)
		if !bytes.Equal(got, want) || (len(text) > 0 && (got == nil) != (want == nil)) {
			t.Errorf("%q without %q\nbecame %q\nwant   %q", text, number, got, want)
		}
		if !bytes.Equal(text, given) {
			t.Fatalf("%q was changed into %q", given, text)
		}
	}
}

func FuzzMaskJSONAsReference(f *testing.F) {
	for _, text := range odd {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"aadhaar_no":[1,[11,"1 1-1"]],"x":"1-2-1 2 1","y":{"aadhaar_no":"121"}}`))
	f.Fuzz(func(t *testing.T, text []byte) { masksLikeReference(t, text) })
}

// TestMaskJSONDeep: what nests deeper than the decoder goes is not passed on, with or without a number in it.
func TestMaskJSONDeep(t *testing.T) {
	nested := func(depth int) []byte {
		return []byte(strings.Repeat(`[`, depth) + `"999900000016"` + strings.Repeat(`]`, depth))
	}
	if got := seal.MaskJSON(nested(10_000), "aadhaar_no", number); !bytes.Contains(got, []byte(`[["XXXXXXXX0016"]]`)) {
		t.Errorf("10,000 levels became %.20q", got)
	}
	if got := seal.MaskJSON(nested(10_001), "aadhaar_no", number); got != nil {
		t.Errorf("10,001 levels became %.20q", got)
	}
}

// TestMaskJSONGrowthMatrix: four times the text is about four times the work, whatever it holds, and what is allocated
// is what comes out.
func TestMaskJSONGrowthMatrix(t *testing.T) {
	growthtest.Linear(t, `{"aadhaar_no":"999900000016","data":%s}`, number, func(text []byte) {
		if seal.MaskJSON(text, "aadhaar_no", number) == nil {
			t.Error("is not masked")
		}
	})
	allocations := func(pairs int) float64 {
		text := []byte(`["999900000016"` + strings.Repeat(`,"9999 0000 0016","ab"`, pairs) + `]`)
		return testing.AllocsPerRun(5, func() { seal.MaskJSON(text, "aadhaar_no", number) })
	}
	if few, many := allocations(100), allocations(10_000); many > few+25 { // what grows is copied as often as it doubles
		t.Errorf("200 strings take %v allocations, 20,000 take %v", few, many)
	}
}
