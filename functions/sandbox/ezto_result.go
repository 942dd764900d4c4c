package sandbox

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// eztoSlowDown is what a poll that comes too soon adds to the interval, in sandbox seconds (ezto §9).
const eztoSlowDown = 5

// getResult is E3 (ezto §2). Nothing limits how often a result is read; before there is one, the interval does.
func (e *ezto) getResult(x *eztoCall) (answer, error) {
	// Transaction: one of another application's does not exist.
	handle := x.fields("auth_req_id")
	if handle == "" {
		return eztoInvalid("auth_req_id is missing"), nil
	}
	t, found, err := eztoTransactionBy(x.call, eztoHandleKey(handle))
	switch {
	case err != nil:
		return answer{}, err
	case !found || t.Application != x.name:
		return eztoNotFound("no transaction has this auth_req_id"), nil
	}

	// End.
	switch t.status(x.now) {
	case eztoCompleted, eztoSkipped:
		body, err := e.result(x.call, &t)
		return answer{status: http.StatusOK, body: body}, err
	case eztoExpired:
		return eztoError(http.StatusBadRequest, "expired_token", "the link has expired"), nil
	case eztoIsDenied:
		return eztoDenied("the user declined the consent"), nil
	case eztoFailed:
		return eztoRefused(t.failure()), nil
	}

	// None yet.
	soon := !t.Polled.IsZero() && x.clock.elapsed(t.Polled, x.now) < time.Duration(t.Interval)*time.Second
	t.Polled = x.now.UTC()
	if soon {
		t.Interval += eztoSlowDown
	}
	if err := t.save(x.call); err != nil {
		return answer{}, err
	}
	if soon {
		return eztoError(http.StatusBadRequest, "slow_down", "polled faster than the interval, which is 5 seconds longer from now on"), nil
	}
	return eztoError(http.StatusBadRequest, "authorization_pending", "user has not finished"), nil
}

// failure says why a transaction failed.
func (t *eztoTransaction) failure() string {
	if t.Source {
		return "the source register could not be asked"
	}
	return "the user has no attempts left"
}

// eztoMember is a member of a result: every one is a text (ezto §6).
type eztoMember struct{ name, value string }

// encodeEZTO returns members as a JSON object in their order, with a comma after the last one if asked.
func encodeEZTO(members []eztoMember, trailingComma bool) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(encode(m.name))
		b.WriteByte(':')
		b.Write(encode(m.value))
	}
	if trailingComma {
		b.WriteByte(',')
	}
	b.WriteByte('}')
	return b.Bytes()
}

// result returns the result of a transaction as it is sent.
func (e *ezto) result(c *call, t *eztoTransaction) ([]byte, error) {
	members, err := e.members(c, t)
	if err != nil {
		return nil, err
	}
	comma, err := c.setting("trailing_comma")
	return encodeEZTO(members, comma == "yes"), err
}

// eztoClaims are those that can be selected for IEC Verification (ezto §7). The settings know some of them by eztoCoreClaims.
func eztoClaims() []string {
	return []string{"iec_code", "iec_verified", "iec_verified_at", "name", "iec_status", "pan"}
}

const eztoCoreClaims = "iec_code,iec_verified,iec_status"

// members returns those of a transaction's result: its envelope and, where a check was completed, what was selected of it and the
// address, which can't be selected (ezto §6).
func (e *ezto) members(c *call, t *eztoTransaction) ([]eztoMember, error) {
	set := map[string]string{}
	for _, name := range []string{"claims", "iec_name", "iec_verified", "iec_verified_at", "envelope", "pan"} {
		value, err := c.setting(name)
		if err != nil {
			return nil, err
		}
		set[name] = value
	}

	// Envelope.
	workflow, userID, requestID := eztoVerificationWorkflow, "user_id", "request_id"
	if e.Applications[t.Application].NoVerification {
		workflow = eztoOnboardingWorkflow
	}
	if set["envelope"] == "camelCase" {
		userID, requestID = "userId", "requestId"
	}
	members := []eztoMember{{"workflow", workflow}, {userID, t.UserID}, {requestID, t.RequestID}}
	if t.Checked.IsZero() {
		return members, nil
	}

	// Check.
	selected := e.Applications[t.Application].Claims
	switch set["claims"] {
	case "none":
		selected = nil
	case eztoCoreClaims:
		selected = strings.Split(eztoCoreClaims, ",")
	}
	found := t.Licence != eztoLicence{}
	verified := strconv.FormatBool(found)
	if set["iec_verified"] == "True" {
		verified = strings.ToUpper(verified[:1]) + verified[1:]
	}
	at := t.Checked.Unix()
	if set["iec_verified_at"] == "milliseconds" {
		at = t.Checked.UnixMilli()
	}
	pan := t.Licence.PAN
	if set["pan"] == "other" && found {
		pan = "ZZ" + pan[2:]
	}
	for _, m := range []struct {
		claim string // empty for what can't be selected
		eztoMember
	}{
		{"iec_code", eztoMember{set["iec_name"], t.Licence.Number}},
		{"iec_verified", eztoMember{"iec_verified", verified}},
		{"", eztoMember{"address", t.Licence.Address}},
		{"iec_verified_at", eztoMember{"iec_verified_at", strconv.FormatInt(at, 10)}},
		{"name", eztoMember{"name", t.Licence.Name}},
		{"iec_status", eztoMember{"iec_status", t.Licence.Status}},
		{"pan", eztoMember{"pan", pan}},
	} {
		if (m.claim == "" || slices.Contains(selected, m.claim)) && m.value != "" {
			members = append(members, m.eztoMember)
		}
	}
	return members, nil
}
