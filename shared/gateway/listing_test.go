package gateway_test

import (
	"fmt"
	"testing"

	"sallyport/shared/gateway"
)

// TestListingMatrix: an empty parameter is as if absent.
func TestListingMatrix(t *testing.T) {
	filters := map[string][]string{"state": {"done", "unknown"}, "partner": nil}
	for _, test := range []struct {
		query map[string]string
		want  string // empty where it is refused
	}{
		{nil, "{20  map[]}"}, {map[string]string{"limit": "", "cursor": "", "state": "", "partner": ""}, "{20  map[]}"},
		{map[string]string{"limit": "7", "cursor": "c", "state": "done", "partner": "x"}, "{7 c map[partner:x state:done]}"},
		{map[string]string{"limit": "0"}, ""}, {map[string]string{"limit": "101"}, ""}, {map[string]string{"limit": "x"}, ""},
		{map[string]string{"state": "gone"}, ""}, {map[string]string{"other": ""}, ""}, {map[string]string{"other": "x"}, ""},
	} {
		got, err := gateway.ParseListing(test.query, filters)
		if err == nil && fmt.Sprint(got) != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%v: %v, %v, want %s", test.query, got, err, test.want)
		}
	}
}
