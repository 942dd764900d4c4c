package sandbox

import "strings"

// ironFixture is what becomes of a customer's identifications by themselves, by the customer's email: its local part, or
// the tag at the end of that. Any other is an ordinary customer's.
type ironFixture string

const (
	ironApprove  ironFixture = "approve"
	ironDecline  ironFixture = "decline"
	ironExpire   ironFixture = "expire"   // unless the input is finished
	ironReview   ironFixture = "review"   // and there it stays
	ironResubmit ironFixture = "resubmit" // a step is wanted once more; then as ironApprove
	ironThrottle ironFixture = "throttle" // none is created: 429
	ironBroken   ironFixture = "broken"   // likewise: 500
)

// ironFixtureOf returns the fixture of an email: of "approve@…" and of "noor+approve@…" the first.
func ironFixtureOf(email string) ironFixture {
	local := email
	if i := strings.LastIndex(local, "@"); i >= 0 {
		local = local[:i]
	}
	return ironFixture(strings.ToLower(local[strings.LastIndex(local, "+")+1:]))
}

// finishes reports whether input that is awaited finishes by itself.
func (f ironFixture) finishes() bool {
	return f == ironApprove || f == ironDecline || f == ironReview || f == ironResubmit
}

// ironTermsID is the content that customers sign where the setting "signings" asks for it.
const (
	ironTermsID   = "22222222-2222-4222-8222-222222222222"
	ironTermsName = "Terms of Service"
)
