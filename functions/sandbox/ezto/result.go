package ezto

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/functions/sandbox"
)

// slowDown is what a poll that comes too soon adds to the interval, in sandbox seconds (§9).
const slowDown = 5

// getResult is E3 (§2). Nothing limits how often a result is read; before there is one, the interval does.
func (e *simulation) getResult(x *call) sandbox.Answer {
	// Transaction: one of another application's does not exist.
	handle := x.fields("auth_req_id")
	if handle == "" {
		return invalid("auth_req_id is missing")
	}
	t, found := transactionBy(x.Call, handleKey(handle))
	if !found || t.Application != x.name {
		return notFound("no transaction has this auth_req_id")
	}

	// End.
	switch t.status(x.Now) {
	case completed, skipped:
		body := encodeMembers(e.members(x.Call, &t), x.Setting("trailing_comma") == "yes")
		return sandbox.Answer{Status: http.StatusOK, Body: body}
	case expired:
		return sandbox.OAuthError(http.StatusBadRequest, "expired_token", "the link has expired")
	case isDenied:
		return denied("the user declined the consent")
	case failed:
		return requestFailed(t.failure())
	}

	// None yet.
	soon := !t.Polled.IsZero() && x.Since(t.Polled) < time.Duration(t.Interval)*time.Second
	t.Polled = x.Now.UTC()
	if soon {
		t.Interval += slowDown
	}
	t.save(x.Call)
	if soon && x.Setting("not_ready") == "authorization_pending" {
		return sandbox.OAuthError(http.StatusBadRequest, "slow_down",
			"polled faster than the interval, which is 5 seconds longer from now on")
	}
	return notReady(x.Setting("not_ready"))
}

// notReady says that there is no result yet, in one of the ways in which a live system may say it.
func notReady(way string) sandbox.Answer {
	switch way {
	case "empty":
		return sandbox.JSON(http.StatusOK, struct{}{})
	case "pending":
		return sandbox.OK("status", way)
	}
	if status, err := strconv.Atoi(way); err == nil {
		return sandbox.Answer{Status: status}
	}
	return sandbox.OAuthError(http.StatusBadRequest, way, "user has not finished")
}

// failure says why a transaction failed.
func (t *transaction) failure() string {
	if t.Source {
		return "the source register could not be asked"
	}
	return "the user has no attempts left"
}

// member is a member of a result: every one is a text (§6).
type member struct{ name, value string }

// encodeMembers returns members as a JSON object in their order, with a comma after the last one if asked.
func encodeMembers(members []member, trailingComma bool) []byte {
	var all []any
	for _, m := range members {
		all = append(all, m.name, m.value)
	}
	object := sandbox.Object(all...)
	if trailingComma {
		return append(object[:len(object)-1], ",}"...)
	}
	return object
}

// allClaims are those that can be selected for IEC Verification (§7). The settings know some of them by
// coreClaims.
func allClaims() []string {
	return []string{"iec_code", "iec_verified", "iec_verified_at", "name", "iec_status", "pan"}
}

const coreClaims = "iec_code,iec_verified,iec_status"

// members returns those of a transaction's result: its envelope and, where a check was completed, what was selected of
// it and the address, which can't be selected (§6).
func (e *simulation) members(c *sandbox.Call, t *transaction) []member {
	// Envelope.
	workflow, userID, requestID := verificationWorkflow, "user_id", "request_id"
	if e.Applications[t.Application].NoVerification {
		workflow = onboardingWorkflow
	}
	if c.Setting("envelope") == "camelCase" {
		userID, requestID = "userId", "requestId"
	}
	members := []member{{"workflow", workflow}, {userID, t.UserID}, {requestID, t.RequestID}}
	if t.Checked.IsZero() {
		return members
	}

	// Check.
	selected := e.Applications[t.Application].Claims
	switch c.Setting("claims") {
	case "none":
		selected = nil
	case coreClaims:
		selected = strings.Split(coreClaims, ",")
	}
	found := t.Licence != licence{}
	verified := strconv.FormatBool(found)
	if c.Setting("iec_verified") == "True" {
		verified = strings.ToUpper(verified[:1]) + verified[1:]
	}
	at := t.Checked.Unix()
	if c.Setting("iec_verified_at") == "milliseconds" {
		at = t.Checked.UnixMilli()
	}
	pan := t.Licence.PAN
	if c.Setting("pan") == "other" && found {
		pan = "ZZ" + pan[2:]
	}
	for _, m := range []struct {
		claim string // empty for what can't be selected
		member
	}{
		{"iec_code", member{c.Setting("iec_name"), t.Licence.Number}},
		{"iec_verified", member{"iec_verified", verified}},
		{"", member{"address", t.Licence.Address}},
		{"iec_verified_at", member{"iec_verified_at", strconv.FormatInt(at, 10)}},
		{"name", member{"name", t.Licence.Name}},
		{"iec_status", member{"iec_status", t.Licence.Status}},
		{"pan", member{"pan", pan}},
	} {
		if (m.claim == "" || slices.Contains(selected, m.claim)) && m.value != "" {
			members = append(members, m.member)
		}
	}
	return members
}
