package callback_test

import (
	"testing"

	"sallyport/shared/callback"
)

func TestProof(t *testing.T) {
	for _, test := range []struct {
		live  []string
		shown string
		want  bool
	}{
		{[]string{"old", "new"}, "old", true}, {[]string{"old", "new"}, "new", true}, {[]string{"old", "new"}, "ne", false},
		{[]string{"old", "new"}, "newer", false}, {[]string{""}, "", false}, {nil, "", false}, {nil, "x", false},
	} {
		tried := 0
		got := callback.AnyOf(test.live, func(live string) bool {
			tried++
			return callback.SameText(test.shown, live)
		})
		if got != test.want || len(test.live) == 2 && tried != 2 {
			t.Errorf("%q for %q: %t after %d", test.shown, test.live, got, tried)
		}
	}
}
