package digit9_test

import (
	"net/url"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

func TestRequestsOnTheWire(t *testing.T) {
	const update = `{"ecrn":"7841009900000017",` // whatever white space and order the caller has, the partner gets
	updated := strings.Replace(sample, "{", update, 1)
	for name, test := range map[string]struct {
		call         func(digit9.Config) operation.Outcome
		method, path string
		body         string
	}{
		"Lookup": {
			func(c digit9.Config) operation.Outcome { return call(t, digit9.LookupCustomer(c), body(" "+aLookup)) }, "POST",
			lookupPath, " " + aLookup,
		},
		"Onboard": {
			func(c digit9.Config) operation.Outcome { return call(t, digit9.OnboardCustomer(c), body(sample)) }, "POST",
			onboardPath, sample,
		},
		"Update": {
			func(c digit9.Config) operation.Outcome { return call(t, digit9.OnboardCustomer(c), body(updated)) }, "POST",
			onboardPath, updated,
		},
		"Get": {func(c digit9.Config) operation.Outcome {
			return call(t, digit9.GetCustomer(c), ecrnOf("7841009900000017"))
		}, "GET", getPath + "7841009900000017", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, answer{200, `{}`})
			test.call(config(p.url))
			asked, _ := p.requests()
			if len(asked) != 2 {
				t.Fatalf("asked %+v", asked)
			}
			grant, got := asked[0], asked[1]
			form, err := url.ParseQuery(grant.body)
			want := url.Values{
				"grant_type": {"password"}, "scope": {"api://x/customer"}, "client_id": {"client.1"}, "client_secret": {"se&cret="},
				"username": {"agent"}, "password": {"pass word"},
			}
			if err != nil || form.Encode() != want.Encode() || grant.method != "POST" ||
				grant.header.Get("Content-Type") != "application/x-www-form-urlencoded" || grant.header.Get("Authorization") != "" {
				t.Errorf("asked for a token by %s %s, %v", grant.method, grant.body, grant.header)
			}
			if got.method != test.method || got.path != test.path || got.body != test.body ||
				got.header.Get("Authorization") != "Bearer at-1" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("asked %s %s %s, %v", got.method, got.path, got.body, got.header)
			}
		})
	}
}

// TestECRNInMessage: of a held customer the number stands in the text alone (§9.4).
func TestECRNInMessage(t *testing.T) {
	op := digit9.OnboardCustomer(digit9.Config{})
	for message, want := range map[string]string{
		"Customer 7841009900000025 Under Compliance Investigation": "7841009900000025",
		"Customer 7841009900000025, Under Compliance":              "7841009900000025",
		"7841009900000025":                        "7841009900000025",
		"Customer 1234567890 of 7841009900000025": "7841009900000025", // 16 digits are likelier than any other number
		"Customer 1234567890 or 12345678901":      "1234567890",
		"Customer 12345678901234567890 Under":     "12345678901234567890",
		"Customer 123456789012345678901 Under":    "",
		"Customer 123456789 Under":                "",
		"Customer x7841009900000025 Under":        "",
		"Customer 7841009900000025x Under":        "",
		"Customer ٧٨٤١٠٠٩٩٠٠٠٠٠٠٢٥ Under":         "",
		"Customer Under Compliance Investigation": "",
		"": "",
		"Customer 7841009900000025 7841009900000026": "7841009900000025",
	} {
		text := []byte(snake("failed", 406, 45013, message))
		if got := op.Output(gateway.JSON(406, text)); got["ecrn"] != want || len(got) != 1 {
			t.Errorf("%q gave %v, want %q", message, got, want)
		}
		outcome := call(t, digit9.OnboardCustomer(config(newPartner(t, answer{406, string(text)}).url)), body(sample))
		owned := "digit9/document/" // whose reference a test has none for
		if want != "" {
			owned = "digit9/customer/" + want
		}
		if outcome.Refs["ecrn"] != want || outcome.Creates != owned {
			t.Errorf("%q: references %v, owns %q", message, outcome.Refs, outcome.Creates)
		}
	}
}

func TestResource(t *testing.T) {
	onboard := digit9.OnboardCustomer(digit9.Config{})
	for text, want := range map[string]struct {
		resource string
		effect   operation.Resolution
	}{
		sample: {"", operation.Lookup}, full: {"digit9/customer/7841009900000017", operation.Manual},
		strings.Replace(sample, "{", `{"ecrn":"",`, 1):   {"", operation.Lookup},
		strings.Replace(sample, "{", `{"ecrn":null,`, 1): {"", operation.Lookup},
	} {
		in, err := onboard.Decode(body(text))
		if err != nil {
			t.Fatal(err)
		}
		if onboard.Resource(in) != want.resource || onboard.OnUnknown(in) != want.effect {
			t.Errorf("resource %q, on unknown %d", onboard.Resource(in), onboard.OnUnknown(in))
		}
	}
	get := digit9.GetCustomer(digit9.Config{})
	if in, err := get.Decode(ecrnOf("12")); err != nil || get.Resource(in) != "digit9/customer/12" {
		t.Errorf("resource %q, %v", get.Resource(in), err)
	}
}
