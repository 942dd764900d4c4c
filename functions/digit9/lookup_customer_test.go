package digit9_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/schema/schematest"
)

func TestLookupIsCheckedBeforeAnyCall(t *testing.T) {
	op := digit9.LookupCustomer(digit9.Config{})
	const badType, badNumber = "/idType: must have 1 to 3 characters", "/idNumber: must have 1 to 30 characters"
	for text, want := range map[string]string{
		aLookup: "", `{"idType":"123","idNumber":"` + strings.Repeat("1", 30) + `"}`: "",
		`{"idType":"éàü","idNumber":"` + strings.Repeat("١", 30) + `"}`: "", // characters, not bytes
		`{"idType":4,"idNumber":784199000000017}`:                       "",
		`{"idType":"4","idNumber":"1","more":{"idNumber":"2"},"n":1e9}`: "",
		`{"idType":"","idNumber":"1"}`:                                  badType,
		`{"idType":" \n","idNumber":"1"}`:                               badType,
		`{"idType":null,"idNumber":"1"}`:                                badType,
		`{"idType":["4"],"idNumber":"1"}`:                               badType,
		`{"idNumber":"1"}`:                                              badType,
		`{"id_type":"4","idNumber":"1"}`:                                badType,
		`{"idType":"1234","idNumber":"1"}`:                              badType,
		`{"idType":"4"}`:                                                badNumber,
		`{"idType":"4","idNumber":"  "}`:                                badNumber,
		`{"idType":"4","idNumber":"` + strings.Repeat("1", 31) + `"}`:   badNumber,
		`{"idType":"4","idNumber":"1","id_number":"2"}`:                 "/idNumber: must stand once, however it is spelled",
		`{"idType":"4","idNumber":"1","IDTYPE":"5"}`:                    "/idType: must stand once, however it is spelled",
		`{"idType":"4","idNumber":"1"} {"idType":"4","idNumber":"1"}`:   "is not valid JSON",
		`[]`: "must be an object",
	} {
		in, err := op.Decode(body(text))
		var input *gateway.InputError
		if (err == nil) != (want == "") || err != nil && (!errors.As(err, &input) || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if err == nil && string(in.Body) != text {
			t.Errorf("%s goes on as %s", text, in.Body)
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

// TestRandomMembersOfALookupReachThePartner: they go on in their place, as they are written.
func TestRandomMembersOfALookupReachThePartner(t *testing.T) {
	random, op := rand.New(rand.NewPCG(15, 5)), digit9.LookupCustomer(digit9.Config{})
	for range 300 {
		text := schematest.WithMembers(random, aLookup)
		if in, err := op.Decode(body(text)); err != nil || string(in.Body) != text || in.IDNumber != "784199000000017" {
			t.Errorf("%s: %v, goes on as %s", text, err, in.Body)
		}
	}
}
