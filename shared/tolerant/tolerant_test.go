package tolerant_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/tolerant"
)

func TestValues(t *testing.T) {
	for value, want := range map[string]struct {
		str, word, text, plain string
		number                 int64
		truth                  string // empty for none
	}{
		``:                    {},
		`null`:                {},
		`{}`:                  {},
		`["a"]`:               {},
		`"a`:                  {},
		`"a" "b"`:             {},
		`1 2`:                 {},
		`tru`:                 {},
		`""`:                  {},
		`" \t"`:               {str: " \t"},
		`" a b "`:             {" a b ", "a b", "a b", "a b", 0, ""},
		`"\u0061"`:            {"a", "a", "a", "a", 0, ""},
		"\"\xff\"":            {"\uFFFD", "\uFFFD", "\uFFFD", "\uFFFD", 0, ""},
		"\uFEFF\"a\"":         {"a", "a", "a", "a", 0, ""},
		`7`:                   {"", "", "7", "7", 7, ""},
		` 7 `:                 {"", "", "7", "7", 7, ""},
		`-7`:                  {"", "", "-7", "-7", -7, ""},
		`7.00`:                {"", "", "7", "7", 7, ""},
		`7.50`:                {"", "", "7.50", "7.50", 0, ""},
		`7e2`:                 {"", "", "700", "700", 700, ""},
		`7.0e2`:               {"", "", "700", "700", 700, ""},
		`-1.2345678E7`:        {"", "", "-12345678", "-12345678", -12345678, ""},
		`75e-1`:               {"", "", "75e-1", "75e-1", 0, ""},
		`1e16`:                {"", "", "1e16", "1e16", 0, ""}, // may not be exact
		`1e999`:               {"", "", "1e999", "1e999", 0, ""},
		`"7e2"`:               {"7e2", "7e2", "7e2", "7e2", 0, ""}, // may be a document's number
		`9223372036854775807`: {"", "", "9223372036854775807", "9223372036854775807", math.MaxInt64, ""},
		`9223372036854775808`: {"", "", "9223372036854775808", "9223372036854775808", 0, ""},
		`"7"`:                 {"7", "7", "7", "7", 7, ""},
		`" 7.0 "`:             {" 7.0 ", "7.0", "7.0", "7.0", 7, ""},
		`"007"`:               {"007", "007", "007", "007", 7, ""},
		`"7."`:                {"7.", "7.", "7.", "7.", 0, ""},
		`"7_0"`:               {"7_0", "7_0", "7_0", "7_0", 0, ""},
		`true`:                {"", "", "", "true", 0, "true"},
		` false`:              {"", "", "", "false", 0, "false"},
		`" True "`:            {" True ", "True", "True", "True", 0, "true"},
		`"FALSE"`:             {"FALSE", "FALSE", "FALSE", "FALSE", 0, "false"},
		`"yes"`:               {"yes", "yes", "yes", "yes", 0, ""},
		`1`:                   {"", "", "1", "1", 1, ""},
		`"9223372036854775808"`: {
			"9223372036854775808", "9223372036854775808", "9223372036854775808", "9223372036854775808", 0, "",
		},
		`"-9223372036854775808"`: {
			"-9223372036854775808", "-9223372036854775808", "-9223372036854775808", "-9223372036854775808", math.MinInt64, "",
		},
	} {
		v := jsontext.Value(value)
		got := want
		got.str, got.word, got.text, got.plain = tolerant.String(v), tolerant.Word(v), tolerant.Text(v), tolerant.Plain(v)
		got.number, got.truth = tolerant.Number(v), ""
		if truth := tolerant.Truth(v); truth != nil {
			got.truth = strconv.FormatBool(*truth)
		}
		if got != want {
			t.Errorf("%s reads as %+v, want %+v", value, got, want)
		}
	}
}

func TestSeconds(t *testing.T) {
	for value, want := range map[string]time.Duration{
		``: 0, `null`: 0, `{}`: 0, `[7]`: 0, `true`: 0, `""`: 0, `"soon"`: 0, `"7 s"`: 0, `"7_0"`: 0, `"Inf"`: 0, `"NaN"`: 0,
		`"0x7"`: 0, `0`: 0, `-7`: 0, `"-7"`: 0, `-1e99`: 0, `0.9`: 0,
		`7`: 7 * time.Second, `"7"`: 7 * time.Second, `" 7 "`: 7 * time.Second, `7.0`: 7 * time.Second,
		`7.9`: 7 * time.Second, `"7.9"`: 7 * time.Second, `7e2`: 700 * time.Second, `"7e2"`: 700 * time.Second,
		`1e9`: 1_000_000_000 * time.Second, `9223372036854775808`: 1_000_000_000 * time.Second,
		`1e999`: 1_000_000_000 * time.Second, `"99999999999"`: 1_000_000_000 * time.Second,
	} {
		if got := tolerant.Seconds(jsontext.Value(value)); got != want {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
}

func TestObject(t *testing.T) {
	o := tolerant.ReadObject(
		[]byte(
			"\uFEFF" + ` {"a":1,"a":" 2 ","null":null,"blank":" ","n":7.0,"t":true,"o":{"x":"y"},"l":[{"x":1},null],"odd":[1]} `,
		),
	)
	if got := o.Text("none", "null", "blank", "a", "n"); got != "2" {
		t.Errorf("the first text is %q", got)
	}
	if got := o.Word("n", "t", "a"); got != "2" {
		t.Errorf("the first word is %q", got)
	}
	if got := o.Plain("o", "t", "n"); got != "true" {
		t.Errorf("the first plain value is %q", got)
	}
	if o.String("a") != " 2 " || o.Number("n") != 7 || o.Number("a") != 2 || !*o.Truth("t") || o.Truth("n") != nil {
		t.Errorf("read %s", o)
	}
	if o.Object("o").Word("x") != "y" || o.Object("l") != nil || o.Object("none").Object("none").Word("x") != "" {
		t.Error("objects within it")
	}
	if l := o.Objects("l"); len(l) != 2 || l[0].Number("x") != 1 || l[1] != nil || o.Objects("o") != nil ||
		o.Objects("odd") != nil {
		t.Errorf("its list is %s", l)
	}
	for _, text := range []string{``, `null`, `[]`, `"x"`, `{"a":1`, `{"a":1}{}`, `{"a":1,}`} {
		if o := tolerant.ReadObject([]byte(text)); o != nil {
			t.Errorf("%s reads as %s", text, o)
		}
	}
	for _, text := range []string{``, `null`, `{}`, `[1]`, `[{}`} {
		if all, ok := tolerant.ReadObjects([]byte(text)); ok || all != nil {
			t.Errorf("%s reads as %s", text, all)
		}
	}
}

// FuzzObject: whatever is read, nothing is made up: the readers agree, and a text that is no JSON reads as absent.
func FuzzObject(f *testing.F) {
	for _, text := range []string{
		`{"a":" 7.00 "}`, `{"a":7.0,"a":null}`, "\uFEFF{\"a\":\"\xff\"}", `{"a":[{"a":true}]}`, `{"a":-0.0}`, `null`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o := tolerant.ReadObject(text)
		valid := tolerant.JSON(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if o != nil && !valid {
			t.Errorf("%q is no JSON", text)
		}
		word, plain, number := o.Word("a"), o.Plain("a"), o.Number("a")
		if strings.TrimSpace(o.String("a")) != word || word != "" && (word != o.Text("a") || word != plain) {
			t.Errorf("%q: %q, %q, %q", text, o.String("a"), word, plain)
		}
		if number != 0 {
			digits, _, _ := strings.Cut(plain, ".")
			if n, err := strconv.ParseInt(digits, 10, 64); err != nil || n != number {
				t.Errorf("%q: %d of %q", text, number, plain)
			}
		}
		if truth := o.Truth("a"); truth != nil && strings.ToLower(plain) != strconv.FormatBool(*truth) {
			t.Errorf("%q: %t of %q", text, *truth, plain)
		}
		if len(o.Objects("a")) > 0 && (o.Object("a") != nil || plain != "") {
			t.Errorf("%q is of two kinds", text)
		}
	})
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"07", "7", " 7 ", "#7", "007"}, {"0", "00", " 0 "}, {"", " ", "-"}, {"X 440-9127", "x4409127", "X4409127 "},
		{"1 First  Street", "1 FIRST STREET", "1, first street."}, {"Żółw", "żÓŁW"}, {"ς", "σ", "Σ"},
		{"900-70-0001", "900700001"},
	} {
		for _, text := range same {
			if !tolerant.Same(text, same[0]) {
				t.Errorf("%q folds to %q, %q to %q", text, tolerant.Fold(text), same[0], tolerant.Fold(same[0]))
			}
		}
	}
	for _, pair := range [][2]string{
		{"7", "70"}, {"0", ""}, {"A007", "A7"}, {"1 First Street", "11 First Street"}, {"Street", "St"},
		{"Zürich", "Zurich"},
	} {
		if tolerant.Same(pair[0], pair[1]) {
			t.Errorf("%q and %q have one fold", pair[0], pair[1])
		}
	}
}

func TestBase64(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "=": "", "%": "", "a": "", "AA": "\x00", "AA==": "\x00", "+/8=": "\xfb\xff", "-_8": "\xfb\xff",
		"-/8=": "\xfb\xff",
		"AA B": "",
	} {
		if got := string(tolerant.Base64(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestTime(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 14, 7, 0, time.UTC)
	for value, want := range map[string]time.Time{
		`"2026-03-02T09:14:07Z"`: at, `" 2026-03-02T09:14:07Z "`: at, `"2026-03-02t09:14:07z"`: at,
		`"2026-03-02 09:14:07Z"`: at, `"2026-03-02T10:14:07+01:00"`: at, `"2026-03-02T10:14:07+0100"`: at,
		`"2026-03-02T10:14:07+01"`: at, `"2026-03-02T09:14:07.118+0000"`: at.Add(118 * time.Millisecond),
		`"2026-03-02 09:14:07.118Z"`: at.Add(118 * time.Millisecond),
		`1772442847`:                 at, `"1772442847"`: at, `1772442847.0`: at, `1.772442847E9`: at,
		`1772442847118`: at.Add(118 * time.Millisecond), `1.772442847118E12`: at.Add(118 * time.Millisecond),
		`"2026-03-02T09:14:07"`: {}, `"2026-03-02 09:14:07"`: {}, `"2026-03-02"`: {}, `"2026-02-30T09:14:07Z"`: {},
		``: {}, `null`: {}, `""`: {}, `0`: {}, `-1`: {}, `"soon"`: {}, `[2026,3,2]`: {}, `true`: {}, `{}`: {},
		`20260302`: {}, `20260302091407`: {}, `946684799`: {}, `4102444800`: {}, `9223372036854775807`: {},
	} {
		if got := tolerant.Time(jsontext.Value(value)); !got.Equal(want) {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
}
