package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sallyport/shared/gateway"
)

// TestDigestJSON: texts in one line say the same, those in different lines don't.
func TestDigestJSON(t *testing.T) {
	lines := [][]string{
		{`{"a":1,"b":[2,3]}`, ` { "b" : [ 2 , 3 ] , "a" : 1 } `, "{\n\"\\u0061\":1,\t\"b\":[2,3]}\r\n"},
		{`{"a":1,"b":[3,2]}`}, {`{"a":1,"b":[2]}`}, {`{"a":1}`}, {`{"a":[1]}`}, {`{"a":{"1":1}}`}, {`{"b":1}`}, {`{"A":1}`},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`}, {`{"a":2,"b":1}`},
		{`{"a":"1"}`}, {`{"a":1.0}`}, {`{"a":1e0}`}, {`{"a":-1}`}, {`{"a":true}`}, {`{"a":false}`}, {`{"a":null}`},
		{`{"a":""}`}, {`{"a":[]}`}, {`{"a":{}}`}, {`{}`, ` {} `}, {`[]`, "[\n]"},
		{`[[]]`}, {`[[],[]]`}, {`[{}]`}, {`[{},{}]`}, {`[null]`}, {`null`}, {`"null"`}, {`true`}, {`"true"`}, {`0`}, {`-0`},
		{`"0"`}, {`""`}, {`"a"`, `"\u0061"`}, {`["a"]`},
		{`["a","b"]`}, {`["b","a"]`}, {`["ab"]`}, {`["","ab"]`}, {`["ab",""]`}, {`["a",["b"]]`}, {`[["a"],"b"]`},
		{`[["a","b"]]`}, {`{"a":{"b":1}}`}, {`{"a":{"b":1},"c":2}`, `{"c":2,"a":{"b":1}}`}, {`{"a":{"b":1,"c":2}}`},
		{`"é/"`, `"\u00e9\/"`, `"\u00E9/"`}, {"\"e\u0301/\""}, {`"\n"`, `"\u000a"`}, {`"\\n"`}, {`"😀"`, `"\ud83d\ude00"`},
		{`"\u0000"`}, {`"\\u0000"`}, {`12345678901234567890`}, {`12345678901234567891`},
		{`{"":""}`}, {`{"a":"b"}`}, {`{"b":"a"}`}, {`["a",1]`}, {`[1,"a"]`},
	}
	seen := map[string]string{}
	for _, line := range lines {
		var first string
		for i, text := range line {
			before := text
			raw := []byte(text)
			digest, err := gateway.DigestJSON(raw)
			if err != nil || len(digest) != 64 || string(raw) != before {
				t.Errorf("%s: %s, %v", text, digest, err)
			}
			if i == 0 {
				if other, ok := seen[digest]; ok {
					t.Errorf("%s has the digest of %s", text, other)
				}
				first, seen[digest] = digest, text
			} else if digest != first {
				t.Errorf("%s has another digest than %s", text, line[0])
			}
		}
	}
}

func TestDigestJSONErrors(t *testing.T) {
	for _, text := range []string{
		``, ` `, `{`, `[1`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `{} x`, `{}{}`, `1 2`, `"a" "b"`, `x`, `{"a":1,"a":1}`,
		"\"\xff\"", `"\ud800"`, `]`, `}`, `[}`, `{"a":1]`, `nul`, `01`, "\"\n\"",
	} {
		if digest, err := gateway.DigestJSON([]byte(text)); err == nil {
			t.Errorf("%q: %s", text, digest)
		}
	}
}

// canonical writes a JSON text in one way: names in order, no white space, strings without needless escapes, numbers as
// they stand.
func canonical(t testing.TB, text []byte) string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	var out strings.Builder
	var write func(v any)
	write = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			out.WriteByte('{')
			for _, name := range slices.Sorted(maps.Keys(v)) {
				write(name)
				write(v[name])
			}
			out.WriteByte('}')
		case []any:
			out.WriteByte('[')
			for _, element := range v {
				write(element)
			}
			out.WriteByte(']')
		case json.Number:
			out.WriteString(" " + v.String())
		default:
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(text)
		}
	}
	write(v)
	return out.String()
}

// TestDigestOfRandomJSON: of random texts, and of other writings of them, those have one digest whose values are equal,
// numbers as they are written.
func TestDigestOfRandomJSON(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	var text func(depth int) string
	text = func(depth int) string {
		space := pick("", "", " ", "\n\t")
		switch kind := random.IntN(7); {
		case kind == 0 && depth > 0:
			var elements []string
			for range random.IntN(3) {
				elements = append(elements, text(depth-1))
			}
			return space + "[" + strings.Join(elements, ",") + "]" + space
		case kind <= 2 && depth > 0:
			names := []string{`"a"`, `"b"`, pick(`"c"`, `"\u0063"`)}
			random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			var members []string
			for _, name := range names[:random.IntN(4)] {
				members = append(members, space+name+space+":"+text(depth-1))
			}
			return "{" + strings.Join(members, ",") + "}"
		case kind <= 4:
			numbers := []string{"0", "-0", "1", "1.0", "1e0", "9007199254740992", "9007199254740993", "0.1", "0.10", "1e400"}
			return space + pick(numbers...) + space
		}
		return pick(`"a"`, `"\u0061"`, `"é"`, `"\u00e9"`, `"1"`, `""`, "true", "null", `"\/"`, `"/"`)
	}
	digests, values := map[string]string{}, map[string]string{} // by each other
	repeated := 0
	for range 20_000 {
		one := text(3)
		digest, err := gateway.DigestJSON([]byte(one))
		if err != nil {
			t.Fatalf("%s: %v", one, err)
		}
		value := canonical(t, []byte(one))
		if other, known := digests[value]; known && other != digest {
			t.Errorf("%s has another digest than an equal one", one)
		} else if known {
			repeated++
		}
		if other, known := values[digest]; known && other != value {
			t.Errorf("%s has the digest of %s", one, other)
		}
		digests[value], values[digest] = digest, value
	}
	if repeated < 1000 || len(digests) < 1000 {
		t.Errorf("%d values, %d repeated", len(digests), repeated)
	}
}

// FuzzDigestJSON: two texts have the same digest if, and only if, a canonical writing of them is the same.
func FuzzDigestJSON(f *testing.F) {
	for _, pair := range [][2]string{
		{`{"a":1,"b":[2,{"c":null}]}`, `{"b":[2,{"c":null}],"a":1}`}, {`{"a":{"b":1},"c":2}`, `{"a":{"b":1,"c":2}}`},
		{`["a","b"]`, `["ab"]`}, {`"\u0061"`, `"a"`}, {`[[],{}]`, `[{},[]]`}, {`1`, `"1"`},
	} {
		f.Add([]byte(pair[0]), []byte(pair[1]))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, errX := gateway.DigestJSON(a)
		y, errY := gateway.DigestJSON(b)
		if errX == nil && !json.Valid(a) {
			t.Fatalf("%q was taken for JSON", a)
		}
		if errX != nil || errY != nil {
			return
		}
		if same := canonical(t, a) == canonical(t, b); same != (x == y) {
			t.Errorf("%q and %q: the same is %t, digests %s and %s", a, b, same, x, y)
		}
		compact := bytes.Buffer{}
		if err := json.Indent(&compact, a, " ", "\t"); err != nil {
			t.Fatal(err)
		}
		if again, err := gateway.DigestJSON(compact.Bytes()); err != nil || again != x {
			t.Errorf("%q, indented, has %s, %v, want %s", a, again, err, x)
		}
	})
}

// A NUL character can only stand as an escape, and only an escape of it is one.
func TestNUL(t *testing.T) {
	for text, pointer := range map[string]string{
		`{"text":"a\u0000b"}`: "/text: ", `"\u0000"`: "", `["\u0000"]`: "/0: ", `{"a":["x","\\\u0000"]}`: "/a/1: ",
		`{"a\u0000":1}`: "/?: ", `{"text":"\\\\\u0000"}`: "/text: ",
		`{"a":"\\u0000","text":"\u0000\\u0000"}`: "/text: ",
	} {
		var input *gateway.InputError
		if err := gateway.CheckJSON([]byte(text)); !errors.As(err, &input) || err.Error() != pointer+"holds a NUL character" {
			t.Errorf("%s: %v, want it at %s", text, err, pointer)
		}
	}
	for _, text := range []string{
		`{"text":"\\u0000"}`, `"\\\\u0000"`, `["u0000","\u0001","\u00000"]`, `{"\\u0000":"\\\\\\u0000"}`,
	} {
		valid := !strings.Contains(text, `\u00000`)
		if err := gateway.CheckJSON([]byte(text)); (err == nil) != valid {
			t.Errorf("%s: %v", text, err)
		}
	}
	var got shape
	if err := gateway.DecodeJSON([]byte(`{"text":"\\u0000"}`), &got); err != nil || got.Text != `\u0000` {
		t.Errorf("got %q, %v", got.Text, err)
	}
	if err := gateway.CheckJSON([]byte("\"\x00\"")); err == nil {
		t.Error("a bare NUL is no JSON")
	}
}

func TestCheckJSON(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for text, want := range map[string]string{
		`{"a":[1,"x",{}]}`: "", ` null `: "", nested(gateway.MaxDepth): "", nested(gateway.MaxDepth + 1): "nests too deep",
		strings.Repeat("[", 1<<16): "nests too deep",
		``:                         "body is empty", " \n": "body is empty", `{"a":1,"a":2}`: "/a: stands twice",
		"{\"a\":\"\xff\"}": "/a: is not valid JSON", `{"a":`: "/a: is not valid JSON", `{"a" 1}`: "/a: is not valid JSON",
		`[1}`: "is not valid JSON",
	} {
		err := gateway.CheckJSON([]byte(text))
		var input *gateway.InputError
		if (err == nil) != (want == "") || err != nil && (!errors.As(err, &input) || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}
