package iron_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sallyport/functions/iron"
	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestOddAnswers: what the partner writes oddly is not taken for more than it says.
func TestOddAnswers(t *testing.T) {
	for _, b := range []string{
		`{"id":"` + identificationID + `","status":"A","step_status":{"a":1,"a":2}}`,
		`{"id":"` + identificationID + `","status":"A","step_status":{"a":"` + "\xff" + `"}}`,
	} {
		out, err := iron.CustomerIdentification(iron.Config{}).Outcome(gateway.JSON(200, []byte(b)), nil, nil)
		if err != nil || strings.Contains(string(out), "step_status") {
			t.Errorf("%s %v", out, err)
		}
	}
	for _, st := range []int{400, 403, 409} {
		if got := call(
			t, iron.CreateCustomer(newPartner(t, answer{st, "plain words"}).config()), enroll(aCustomer),
		); got.Reply.Status != st {
			t.Errorf("%d: %+v", st, got)
		}
	}
	bad := `{"items":[` + strings.Replace(aPending, "2026-03-02T09:14:07Z", "2026-03-02 09:14:07", 1) + `]}`
	p := newPartner(t, answer{200, bad})
	if got := callWith(
		t, iron.CreateIdentification(p.config()), identify(direct), again(),
	); got.Class != operation.Unknown || p.posts() != 0 {
		t.Errorf("%+v", got)
	}
	s := newStack(t)
	h := operation.New(s.p, iron.CreateIdentification(s.config()))
	s.account.on(cutBeforeEffect)
	s.send(h, "acme", keyed(identify(direct), 1))
	s.account.rotate("rotated")
	s.secrets["sallyport/test/partners/iron"] = `{"api_key":"rotated"}`
	s.pass(time.Minute)
	s.want(s.send(h, "acme", keyed(identify(direct), 1)), 201, "")
	s.counted(customerID, 1, 2, 1)
	op := iron.CreateCustomer(newPartner(t, answer{200, `{"items":[` + created + `]}`}).config())
	in, _ := op.Decode(enroll(`{"customer_type":"Person","email":"noor@example.com"}`))
	if _, f := op.Lookup(t.Context(), newCall(secret), in); f != operation.Undetermined { // it has a name
		t.Error(f)
	}
	forged := signed(vectorBody, vectorStamp, "v1="+sign("", vectorStamp, vectorBody))
	_, err := receiver(0).Verify(t.Context(), []byte(`{"callback":{"secrets":["whsec_"]}}`), forged)
	if !errors.Is(err, callback.ErrNotAuthentic) {
		t.Errorf("forged: %v", err)
	}
	if got := refused(t, change(t, business, generic, soleProp)); !strings.Contains(got, "/questionnaire/type") {
		t.Error(got)
	}
}

// TestRefusedRepeat: a repeat that is refused for what the list doesn't show may have met an attempt that is running
// still.
func TestRefusedRepeat(t *testing.T) {
	const none = `{"items":[]}`
	old := `{"items":[` + strings.Replace(aPending, "2026-03-02", "2026-03-01", 1) + `]}`
	for name, test := range map[string]struct {
		answers []answer
		class   operation.Class
	}{
		"NothingThere": {[]answer{{200, none}, {409, `"x"`}, {200, none}, {200, none}}, operation.Unknown},
		"OldPending": {
			[]answer{
				{200, none}, {409, `"x"`}, {200, old}, {200, old},
			},
			operation.Conflict,
		},
	} {
		p := newPartner(t, test.answers...)
		if got := callWith(t, iron.CreateIdentification(p.config()), identify(direct), again()); got.Class != test.class ||
			p.posts() != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
