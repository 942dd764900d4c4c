package digit9_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
)

func TestLookupIsCheckedBeforeAnyCall(t *testing.T) {
	op := digit9.LookupCustomer(digit9.Config{})
	for text, want := range map[string]string{
		aLookup: "", `{"idType":"123","idNumber":"` + strings.Repeat("1", 30) + `"}`: "",
		`{"idType":"","idNumber":"1"}`:     "/idType: must have 1 to 3 characters",
		`{"idNumber":"1"}`:                 "/idType: must have 1 to 3 characters",
		`{"idType":"1234","idNumber":"1"}`: "/idType: must have 1 to 3 characters",
		`{"idType":"4"}`:                   "/idNumber: must have 1 to 30 characters",
		`{"idType":"4","idNumber":"` + strings.Repeat("1", 31) + `"}`: "/idNumber: must have 1 to 30 characters",
		`{"idType":4,"idNumber":"1"}`:                                 "/idType: must be a string",
		`{"id_type":"4","idNumber":"1"}`: "/id_type: is not a known name (names are matched " +
			"exactly)",
		`{"idType":"4","idNumber":"1"} {"idType":"4","idNumber":"1"}`: "is not valid JSON",
	} {
		_, err := op.Decode(body(text))
		var input *gateway.InputError
		if (err == nil) != (want == "") || err != nil && (!errors.As(err, &input) || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for number, valid := range map[string]bool{"7841009900000017": true, "aZ09": true, strings.Repeat("1", 20): true,
		strings.Repeat("1", 21): false,
		"":                      false, "1/2": false, "..": false, "1?x": false, "%31": false, "é": false, "1 ": false,
		"validate\n": false} {
		if _, err := digit9.GetCustomer(digit9.Config{}).Decode(ecrnOf(number)); (err == nil) != valid {
			t.Errorf("%q: %v", number, err)
		}
	}
}
