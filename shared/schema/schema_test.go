package schema_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/schema"
	"sallyport/shared/source"
)

// check returns what is wrong, fault by fault.
func check(text string, references bool, fields ...schema.Fields) (faults []string) {
	for _, f := range schema.Check(jsontext.Value(text), source.Published("§1"), slices.Concat(fields...), references) {
		faults = append(faults, f.Error())
	}
	return faults
}

// TestTypes: of every type, what it is and what it isn't, and what is said of the latter.
func TestTypes(t *testing.T) {
	even := schema.Form("must have an even length", func(text string) bool { return len(text)%2 == 0 })
	file := func(size int) string { return `"` + base64.StdEncoding.EncodeToString(make([]byte, size)) + `"` }
	long := strings.Repeat("A", 12<<10)
	const prefixed, large = "must be base64 without a data: prefix", "must be a file of 6 bytes at most"
	for name, test := range map[string]struct {
		is    schema.Type
		wants map[string]string // by value
	}{
		"Text": {
			schema.Text(3),
			map[string]string{
				`"abc"`: "", `"éöü"`: "", `"\u00e9\ud83d\ude00x"`: "", `"abcd"`: "must have 3 characters at most",
				`5`: "must be a string", `null`: "must be a string", `{}`: "must be a string", `[]`: "must be a string",
				`true`: "must be a string",
			},
		},
		"AnyText": {
			schema.Text(0), map[string]string{`"` + strings.Repeat("x", 1<<16) + `"`: "", `1.5`: "must be a string"},
		},
		"Form": {
			even, map[string]string{`"ab"`: "", `"\u0041b"`: "", `"abc"`: "must have an even length", `22`: "must be a string"},
		},
		"Word": {
			schema.Word("a", "b", "c d"),
			map[string]string{
				`"a"`: "", `"c d"`: "", `"\u0061"`: "", `"A"`: "must be a, b or c d", `"a "`: "must be a, b or c d",
				`"a, b"`: "must be a, b or c d", `1`: "must be a string",
			},
		},
		"OneWord": {schema.Word("a"), map[string]string{`"a"`: "", `"b"`: "must be a"}},
		"Date": {schema.Date(), map[string]string{`"2024-02-29"`: "", `"2023-02-29"`: "must be a date as 2006-01-02",
			`"2024-2-9"`: "must be a date as 2006-01-02", `"2024-02-29T00:00:00Z"`: "must be a date as 2006-01-02",
			`" 2024-02-29"`: "must be a date as 2006-01-02", `20240229`: "must be a string"}},
		"Time": {schema.Time(), map[string]string{`"2024-02-29T10:00:00Z"`: "", `"2024-02-29T10:00:00.123+01:00"`: "",
			`"2024-02-29"`:          "must be a time as 2006-01-02T15:04:05Z",
			`"2024-02-29 10:00:00"`: "must be a time as 2006-01-02T15:04:05Z",
			`"2024-02-29T10:00:00"`: "must be a time as 2006-01-02T15:04:05Z", `1772443001`: "must be a string"}},
		"Boolean": {
			schema.Boolean(),
			map[string]string{
				`true`: "", `false`: "", `"true"`: "must be true or false", `0`: "must be true or false",
				`null`: "must be true or false", `[]`: "must be true or false",
			},
		},
		"True": {
			schema.True(),
			map[string]string{
				`true`: "", `false`: "must be true", `"true"`: "must be true", `1`: "must be true", `null`: "must be true",
			},
		},
		"Integer": {
			schema.Integer(),
			map[string]string{
				`0`: "", `-5`: "", `9223372036854775807`: "", `9223372036854775808`: "must be a whole number",
				`1.0`: "must be a whole number", `1e3`: "must be a whole number", `"5"`: "must be a whole number",
				`null`: "must be a whole number", `true`: "must be a whole number",
			},
		},
		"Numeric": {
			schema.Numeric(),
			map[string]string{
				`0`: "", `-5`: "", `"5"`: "", `"-5"`: "", `"\u0035"`: "", `"5.0"`: "must be a whole number",
				`" 5"`: "must be a whole number", `"0x5"`: "must be a whole number", `1.5`: "must be a whole number",
				`null`: "must be a whole number", `[]`: "must be a whole number",
			},
		},
		"File": {schema.File(6), map[string]string{file(6): "", file(5): "", file(4): "", `"\/9j\/"`: "", `"\u002f9j/"`: "",
			`"/9j"`: "", `"/9\n/"`: "", `"QUJD\r\nQUJD\r\n"`: "", `"_9j_"`: "", `"~"`: "", // which is for others to judge
			file(7): large, file(8): large, `"QUJD\nQUJD\nQUJD"`: large, `"data:image/png;base64,AAAA"`: prefixed,
			`5`: "must be a string", `null`: "must be a string", `[]`: "must be a string",
			`{"document_id":"x"}`: "must be a string"}},
		"LargeFile": {schema.File(9 << 10), map[string]string{
			`"` + long + `"`: "", `"` + long + `AA"`: "must be a file of 9216 bytes at most",
		}},
		"List": {
			schema.List(2, schema.Integer()),
			map[string]string{
				`[1]`: "", `[1,2]`: "", ` [ 1 , 2 ] `: "", `[1,2,3]`: "must have 2 elements at most", `{}`: "must be an array",
				`"[1]"`: "must be an array", `null`: "must be an array", `1`: "must be an array",
			},
		},
		"AnyList": {schema.List(0, schema.Boolean()), map[string]string{`[` + strings.Repeat("true,", 999) + `true]`: ""}},
		"Object": {
			schema.Object(),
			map[string]string{
				`{}`: "", `{"x":[1]}`: "", `[]`: "must be an object", `"x"`: "must be an object", `null`: "must be an object",
				`5`: "must be an object",
			},
		},
		"Chosen": {
			schema.Chosen(func(jsontext.Value) schema.Fields { return nil }),
			map[string]string{`{}`: "", `[]`: "must be an object", `null`: "must be an object"},
		},
	} {
		for value, want := range test.wants {
			for _, field := range []schema.Fields{
				schema.Optional("x", test.is), schema.Present("x", test.is), schema.Filled("x", test.is),
			} {
				wanted := []string{"/x: " + want}
				if want == "" || value == "null" && len(check(`{}`, false, field)) == 0 {
					wanted = nil
				}
				if got := check(`{"x":`+value+`}`, false, field); !slices.Equal(got, wanted) {
					t.Errorf("%s %.40s: %q, want %q", name, value, got, wanted)
				}
			}
		}
	}
}

// TestPresence: what may be missing, null or empty.
func TestPresence(t *testing.T) {
	const required, empty = "/x: is required", "/x: must not be empty"
	for name, test := range map[string]struct {
		is     schema.Type
		empty  string // a value that says nothing
		null   string // what is said of null
		filled string // what is said of the empty value where it must not be
	}{
		"Text":    {schema.Text(1), `""`, "must be a string", empty},
		"Blanks":  {schema.Text(1), `" \n "`, "must be a string", empty},
		"Word":    {schema.Word("a"), `""`, "must be a string", empty},
		"Date":    {schema.Date(), `""`, "must be a string", empty},
		"File":    {schema.File(9), `""`, "must be a string", empty},
		"List":    {schema.List(1, schema.Text(0)), `[]`, "must be an array", empty},
		"Numeric": {schema.Numeric(), `""`, "must be a whole number", "/x: must be a whole number"},
		"Object":  {schema.Object(), `{}`, "must be an object", ""},
		"Boolean": {schema.Boolean(), `false`, "must be true or false", ""},
		"Integer": {schema.Integer(), `0`, "must be a whole number", ""},
	} {
		for body, wants := range map[string][3]string{
			`{}`:                       {"", required, required},
			`{"y":1}`:                  {"", required, required},
			`{"X":1}`:                  {"", required, required},
			`{"x":null}`:               {"", "/x: " + test.null, "/x: " + test.null},
			`{"x":` + test.empty + `}`: {"", "", test.filled},
		} {
			for i, field := range []schema.Fields{
				schema.Optional("x", test.is), schema.Present("x", test.is), schema.Filled("x", test.is),
			} {
				if got := strings.Join(check(body, false, field), " "); got != wants[i] {
					t.Errorf("%s %d of %s: %q, want %q", name, i, body, got, wants[i])
				}
			}
		}
	}
	t.Run("Any", func(t *testing.T) { // of any kind, but where it must be filled there must be something
		for value, want := range map[string]string{
			`5`: "", `"x"`: "", `{}`: "", `[]`: "", `false`: "", `null`: required, `""`: empty, `" \u00a0"`: empty,
		} {
			text := `{"x":` + value + `}`
			if got := strings.Join(check(text, false, schema.Filled("x", schema.Any())), " "); got != want {
				t.Errorf("%s: %q, want %q", value, got, want)
			}
			if got := check(text, false, schema.Optional("x", schema.Any())); len(got) > 0 {
				t.Errorf("%s: %q", value, got)
			}
		}
	})
	t.Run("Elements", func(t *testing.T) { // are there, and filled
		field := schema.Optional("x", schema.List(0, schema.Text(0)))
		if got := check(
			`{"x":["a","",null,5]}`, false, field,
		); !slices.Equal(got, []string{"/x/1: must not be empty", "/x/2: must be a string", "/x/3: must be a string"}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestOrder: faults come as they stand in the text, what is missing after what an object has.
func TestOrder(t *testing.T) {
	person := schema.Object(
		schema.Filled("name", schema.Text(2)), schema.Filled("born", schema.Date()), schema.Optional("note", schema.Text(1)),
	)
	fields := []schema.Fields{
		schema.Filled("first", person), schema.Filled("all", schema.List(2, person)), schema.Filled("last", schema.Boolean()),
		schema.Filled("gone", schema.Text(0)),
	}
	const text = `{"last":1,"all":[{"note":"ab","name":""},{"name":"ab","born":"2024-01-01"},5],"unknown":{"name":5},"first":{"born":"x","name":"abc"}}`
	want := []string{"/last: must be true or false", "/all/0/note: must have 1 characters at most",
		"/all/0/name: must not be empty", "/all/0/born: is required", "/all/2: must be an object",
		"/all: must have 2 elements at most",
		"/first/born: must be a date as 2006-01-02", "/first/name: must have 2 characters at most", "/gone: is required"}
	if got := check(text, false, fields...); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := check(`{}`, false, fields...); !slices.Equal(
		got, []string{"/first: is required", "/all: is required", "/last: is required", "/gone: is required"},
	) {
		t.Errorf("got %q", got)
	}
	for _, text := range []string{`[]`, `null`, `"x"`, `5`, ``, ` `} {
		if got := check(text, false, fields...); !slices.Equal(got, []string{"must be an object"}) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// TestReferences: one may stand for a file, where references may.
func TestReferences(t *testing.T) {
	fields := []schema.Fields{
		schema.Filled("f", schema.File(3)), schema.Optional("g", schema.List(0, schema.File(3))),
		schema.Optional("t", schema.Text(0)), schema.Optional("o", schema.Object(schema.Optional("f", schema.File(3)))),
	}
	const odd = `must be a string or {"document_id":…}`
	for text, want := range map[string]string{
		`{"f":{"document_id":"x"}}`: "", `{"f":"AAAA","g":[{"document_id":"x"},"AAAA"],"o":{"f":{"document_id":"y"}}}`: "",
		`{"f": { "document_id" : "x" } }`: "",
		`{"f":{}}`:                        "/f: " + odd, `{"f":{"document_id":""}}`: "/f: " + odd,
		`{"f":{"document_id":5}}`:            "/f: " + odd,
		`{"f":{"document_id":"x","more":1}}`: "/f: " + odd, `{"f":{"Document_ID":"x"}}`: "/f: " + odd,
		// which has been opened
		`{"f":"AAAA","g":[{"id":"x"}]}`: "/g/0: " + odd, `{"f":["x"]}`: "/f: must be a string",
		`{"f":"AAAA","t":{"document_id":"x"}}`: "/t: must be a string",
	} {
		if got := strings.Join(check(text, true, fields...), " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := check(`{"f":{"document_id":"x"}}`, false, fields...); !slices.Equal(got, []string{"/f: must be a string"}) {
		t.Errorf("got %q", got)
	}
}

// TestChosen: an object's fields depend on what it holds.
func TestChosen(t *testing.T) {
	shape := schema.Chosen(func(object jsontext.Value) schema.Fields {
		if strings.Contains(string(object), `"round"`) {
			return slices.Concat(schema.Filled("kind", schema.Word("round")), schema.Filled("radius", schema.Integer()))
		}
		return slices.Concat(schema.Filled("kind", schema.Word("square")), schema.Filled("side", schema.Integer()))
	})
	for text, want := range map[string]string{
		`{"s":{"kind":"round","radius":1}}`: "", `{"s":{"side":1,"kind":"square"}}`: "",
		`{"s":{"kind":"round","side":1}}`: "/s/radius: is required",
		`{"s":{"kind":"flat"}}`:           "/s/kind: must be square /s/side: is required",
		`{"s":[]}`:                        "/s: must be an object",
	} {
		if got := strings.Join(check(text, false, schema.Filled("s", shape)), " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestFault is an error like any other.
func TestFault(t *testing.T) {
	var err error = schema.Fault{Pointer: "/x", Reason: "is odd"}
	var fault schema.Fault
	if !errors.As(err, &fault) || fault.Pointer != "/x" || err.Error() != "/x: is odd" ||
		(schema.Fault{Reason: "is odd"}).Error() != "is odd" {
		t.Errorf("got %v", err)
	}
}

// FuzzCheck: whatever encoding/json accepts, and whatever else, is checked; faults are in places of the table and hold
// no values.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `{"text":"a","file":"AAAA","list":[{"date":"2024-01-01"}]}`, `{"file":{"document_id":"x"},"number":1e5}`,
		`{"text":"a","text":"b"}`, `{"a":"` + "\xff" + `"}`, `{"list":[[`, `{"text":"\ud800"}`,
		"{\"file\":\"AA\\u003d\\u003d\"}",
	} {
		f.Add([]byte(text), true)
	}
	all := []schema.Fields{
		schema.Filled("text", schema.Text(3)), schema.Present("word", schema.Word("secretword")),
		schema.Optional("file", schema.File(5)), schema.Optional("number", schema.Numeric()),
		schema.Optional("integer", schema.Integer()),
		schema.Optional("time", schema.Time()), schema.Optional("true", schema.True()),
		schema.Optional("boolean", schema.Boolean()),
		schema.Optional(
			"list", schema.List(2, schema.Object(schema.Filled("date", schema.Date()), schema.Optional("file", schema.File(9)))),
		),
		schema.Optional(
			"chosen",
			schema.Chosen(func(jsontext.Value) schema.Fields { return schema.Filled("text", schema.Text(1)) }),
		),
	}
	f.Fuzz(func(t *testing.T, text []byte, references bool) {
		before := string(text)
		faults := schema.Check(text, source.Published("§1"), slices.Concat(all...), references)
		if string(text) != before {
			t.Errorf("%q became %q", before, text)
		}
		for _, fault := range faults {
			if strings.Trim(fault.Pointer, "/0123456789abcdefghijklmnopqrstuvwxyz") != "" || fault.Reason == "" {
				t.Errorf("%q: %q", before, fault)
			}
		}
		var object map[string]any
		if err := json.Unmarshal(text, &object); len(faults) == 0 {
			if said, ok := object["text"].(string); err != nil || !ok || said == "" || len([]rune(said)) > 3 {
				t.Errorf("%q is valid", before)
			}
		}
	})
}
