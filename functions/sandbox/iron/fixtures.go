package iron

import "strings"

// fixture is what becomes of a customer's identifications by themselves, by the customer's email: its local part, or
// the tag at the end of that. Any other is an ordinary customer's.
type fixture string

const (
	fixtureApprove  fixture = "approve"
	fixtureDecline  fixture = "decline"
	fixtureExpire   fixture = "expire"   // unless the input is finished
	fixtureReview   fixture = "review"   // and there it stays
	fixtureResubmit fixture = "resubmit" // a step is wanted once more; then as fixtureApprove
	fixtureThrottle fixture = "throttle" // none is created: 429
	fixtureBroken   fixture = "broken"   // likewise: 500
)

// fixtureOf returns the fixture of an email: of "approve@…" and of "noor+approve@…" the first.
func fixtureOf(email string) fixture {
	local := email
	if i := strings.LastIndex(local, "@"); i >= 0 {
		local = local[:i]
	}
	return fixture(strings.ToLower(local[strings.LastIndex(local, "+")+1:]))
}

// finishes reports whether input that is awaited finishes by itself.
func (f fixture) finishes() bool {
	return f == fixtureApprove || f == fixtureDecline || f == fixtureReview || f == fixtureResubmit
}

// termsID is the content that customers sign where the setting "signings" asks for it.
const (
	termsID   = "22222222-2222-4222-8222-222222222222"
	termsName = "Terms of Service"
)
