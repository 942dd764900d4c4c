package tolerant_test

import (
	"testing"

	"sallyport/shared/tolerant"
)

func TestWithoutTrailingCommas(t *testing.T) {
	for text, want := range map[string]string{
		``: ``, `{}`: `{}`, `{"a":1,}`: `{"a":1 }`, "{\"a\":[1 , \n],\"b\":{\"c\":2,\t} , }": "{\"a\":[1   \n],\"b\":{\"c\":2 \t}   }",
		`{"a":",}","b":"\",]"}`: `{"a":",}","b":"\",]"}`, `{"a":"\\",}`: `{"a":"\\" }`,
		`{,}`: `{,}`, `[1,,]`: `[1,,]`, `[,]`: `[,]`, `{"a":,}`: `{"a":,}`, `,}`: `,}`, `,`: `,`, `{"a":1,`: `{"a":1,`,
		`[1,2]`: `[1,2]`, `"`: `"`, `{"a`: `{"a`,
	} {
		given := []byte(text)
		if got := tolerant.WithoutTrailingCommas(given); string(got) != want || string(given) != text {
			t.Errorf("%s becomes %s, and itself %s; want %s", text, got, given, want)
		}
	}
}

func TestIsName(t *testing.T) {
	for text, want := range map[string]bool{
		"MEERA KULKARNI": true, "Ng": true, "मीरा": true, "O'Brien 2nd": true, "XXXX XXX": true, "Null Smith": true,
		"": false, " \t": false, "null": false, "Undefined": false, "N/A": false, "???? ???": false, "42": false, "-": false,
		"ME\ufffdRA": false, "ME\xffRA": false, "ME\x00RA": false,
	} {
		if got := tolerant.IsName(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
