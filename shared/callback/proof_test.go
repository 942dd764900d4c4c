package callback_test

import (
	"fmt"
	"testing"

	"sallyport/shared/callback"
)

func TestProof(t *testing.T) {
	for _, test := range []struct {
		live  []string
		shown string
		want  bool
		tried int
	}{
		{[]string{"old", "new"}, "old", true, 2}, {[]string{"old", "new"}, "new", true, 2},
		{[]string{"old", "new"}, "ne", false, 2}, {[]string{"old", "new"}, "newer", false, 2},
		{[]string{"old\n", "new"}, "old", true, 3}, {[]string{" old", "new"}, " old", true, 3},
		{[]string{""}, "", false, 0}, {[]string{" \n"}, "", false, 0}, {[]string{" \n"}, " \n", false, 0},
		{nil, "", false, 0}, {nil, "x", false, 0},
	} {
		tried := 0
		got := callback.AnyOf(test.live, func(live string) bool {
			tried++
			return callback.SameText(test.shown, live)
		})
		if got != test.want || tried != test.tried {
			t.Errorf("%q for %q: %t after %d", test.shown, test.live, got, tried)
		}
	}
}

func TestSignatures(t *testing.T) {
	for header, want := range map[string]string{
		"": "[]", " , ,\t": "[]", "a": `["a"]`, " a ": `["a"]`, "a b": `["a" "b"]`, "a,b": `["a" "b"]`, "a , b": `["a" "b"]`,
		",a\n b,,c ": `["a" "b" "c"]`, "v1=a v1=b": `["v1=a" "v1=b"]`, "a==,b=": `["a==" "b="]`,
	} {
		if got := fmt.Sprintf("%q", callback.Signatures(header)); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
