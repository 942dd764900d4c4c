package sandbox_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sallyport/functions/sandbox"
)

// TestMbanq_Order: the seed's steps in any other order are refused, and leave the client as it was.
func TestMbanq_Order(t *testing.T) {
	h := openOn(t, &memory{})
	id := h.mbanqMakes()
	want(t, h.mbanqActivates(id), mbanqNotVerified(id))
	want(t, h.mbanqStands(id), "100 PENDING")
	want(t, h.mbanqVerifies(id, "FULL"), mbanqViolated(mbanqLacks(id, "primary.address.required"), mbanqLacks(id, "identifier.required"),
		mbanqLacks(id, "tax.identifier.required"), mbanqLacks(id, "physical.id.required")))
	want(t, h.mbanqVerifies(id, "PARTIAL"), mbanqViolated(mbanqLacks(id, "primary.address.required"), mbanqLacks(id, "identifier.required")))
	want(t, h.mbanqStands(id), "100 PENDING")
	h.mbanqSettles(id)
	h.mbanqIdentifies(id, "41")
	want(t, h.mbanqVerifies(id, "FULL"), mbanqViolated(mbanqLacks(id, "tax.identifier.required")))
	want(t, h.mbanqActivates(id), mbanqNotVerified(id))
	h.mbanqIdentifies(id, "45")
	want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED"))
	want(t, h.mbanqStands(id), "100 Verified APPROVED FULL")
	want(t, h.mbanqActivates(id), mbanqDone(id))
	want(t, h.mbanqStands(id), "300 Verified APPROVED FULL")
	want(t, h.mbanqVerifies(id, "FULL"), mbanqViolated(mbanqLacks(id, "not.pending")))
	want(t, h.mbanqActivates(id), mbanqViolated(mbanqReason("error.msg.clients.already.active", "Cannot activate client. Client is already active.", "id", id)))
	for _, path := range []string{"/v1/clients/8899", "/v1/clients/x", "/v1/clients/-1", "/v1/clients/%ff", "/v1/clients/08801x"} {
		answer := h.mb("POST", path+"?command=verify", `{}`)
		if !strings.HasPrefix(answer, "404 ") || !strings.Contains(answer, `"error.msg.client.id.invalid"`) {
			t.Error(answer)
		}
	}
}

func TestMbanq_Levels(t *testing.T) {
	for _, test := range []struct {
		steps []string
		stand string
	}{
		{[]string{"PARTIAL"}, "PARTIAL"},
		{[]string{"FULL"}, "FULL"},
		{[]string{"PARTIAL", "FULL"}, "FULL"},
		{[]string{"FULL", "PARTIAL"}, "FULL"},
		{[]string{"PARTIAL", "PARTIAL"}, "PARTIAL"},
	} {
		t.Run(strings.Join(test.steps, "Then"), func(t *testing.T) {
			h := openOn(t, &memory{})
			id := h.mbanqComplete()
			for _, level := range test.steps {
				want(t, h.mbanqVerifies(id, level), mbanqVerified(id, "APPROVED"))
			}
			want(t, h.mbanqStands(id), "100 Verified APPROVED "+test.stand)
			rows := h.rows("?operation=client-command")
			want(t, rows[len(rows)-1].Effect, len(rows) == 1 || test.steps[0] == "PARTIAL" && test.steps[1] == "FULL")
		})
	}
	t.Run("PartialThenFullRefused", func(t *testing.T) {
		h := openOn(t, &memory{})
		id := h.mbanqHaving("address 46") // proves an address, but who it is does not matter to PARTIAL
		want(t, h.mbanqVerifies(id, "PARTIAL"), mbanqVerified(id, "APPROVED"))
		want(t, h.mbanqVerifies(id, "FULL"), mbanqViolated(mbanqLacks(id, "tax.identifier.required"), mbanqLacks(id, "physical.id.required")))
		want(t, h.mbanqStands(id), "100 Verified APPROVED PARTIAL")
		want(t, h.mbanqActivates(id), mbanqDone(id))
	})
	t.Run("FullByDefault", func(t *testing.T) {
		for _, body := range []string{`{}`, `{"kycVerificationType":null}`, `{"note":"x"}`} {
			h := openOn(t, &memory{})
			id := h.mbanqComplete()
			want(t, h.mb("POST", "/v1/clients/"+id+"?command=VERIFY", body), mbanqVerified(id, "APPROVED"))
			want(t, h.mbanqStands(id), "100 Verified APPROVED FULL")
		}
	})
}

// TestMbanq_Requirements: every row of mbanq §8, and every setting that a rule depends on.
func TestMbanq_Requirements(t *testing.T) {
	for _, test := range []struct {
		name     string
		settings []string
		members  []string // of the client
		has      string   // see having
		partial  string   // what PARTIAL misses, and FULL
		full     string
	}{
		{"Complete", nil, nil, "address 41 44", "", ""},
		{"NoAddress", nil, nil, "41 44", "primary.address.required", "primary.address.required"},
		{"InactiveAddress", nil, nil, "inactive-address 41 44", "primary.address.required", "primary.address.required"},
		{"MailingAddress", nil, []string{"address", `[` + mbanqHome("addressTypeId", "2") + `]`}, "42 45", "primary.address.required", "primary.address.required"},
		{"AddressAtCreate", nil, []string{"address", `[` + mbanqHome("addressTypeId", "1") + `]`}, "43 45", "", ""},
		{"NoIdentifier", nil, nil, "address", "identifier.required", "identifier.required tax.identifier.required physical.id.required"},
		{"Inactive", nil, nil, "address 41:inactive 44:inactive", "identifier.required", "identifier.required tax.identifier.required physical.id.required"},
		{"Rejected", nil, nil, "address 41:rejected", "identifier.required", "identifier.required tax.identifier.required physical.id.required"},
		{"Expired", nil, nil, "address 41:expired 44:expired", "identifier.expired", "identifier.expired tax.identifier.required physical.id.required"},
		{"ExpiredOrRejected", nil, nil, "address 41:expired 44:rejected", "identifier.expired", "identifier.expired tax.identifier.required physical.id.required"},
		{"ExpiresToday", nil, nil, "address 41:today 44", "", ""},
		{"OneExpired", nil, nil, "address 41:expired 44", "", "physical.id.required"},
		{"NoTaxID", nil, nil, "address 42", "", "tax.identifier.required"},
		{"UtilityBill", nil, nil, "address 46", "", "tax.identifier.required physical.id.required"},
		{"Nothing", []string{"contact_at_create", "optional", "proof_of_address", "yes"}, []string{"emailAddress", "", "mobileNo", ""}, "",
			"primary.address.required identifier.required email.required mobile.required",
			"primary.address.required identifier.required tax.identifier.required physical.id.required email.required mobile.required proof.of.address.required"},
		{"AnyOfTaxID", []string{"full_requires", "any_of", "scan_required", "yes"}, nil, "address 45", "", ""},
		{"AnyOfPhysicalID", []string{"full_requires", "any_of"}, nil, "address 43", "", ""},
		{"NoEmail", []string{"contact_at_create", "optional"}, []string{"emailAddress", ""}, "address 41 44", "email.required", "email.required"},
		{"NoMobile", []string{"contact_at_create", "optional", "contact_requires", "verified"}, []string{"mobileNo", "", "mobileCountryCode", ""},
			"address 41 44", "mobile.required", "mobile.required"},
		{"Unverified", []string{"contact_requires", "verified"}, []string{"emailAddress", `"noor@Unverified.example"`, "mobileNo", `"5550000"`},
			"address 41 44", "email.unverified mobile.unverified", "email.unverified mobile.unverified"},
		{"UnverifiedButPresent", nil, []string{"emailAddress", `"noor@unverified.example"`, "mobileNo", `"5550000"`}, "address 41 44", "", ""},
		{"Verified", []string{"contact_requires", "verified"}, nil, "address 41 44", "", ""},
		{"NoScan", []string{"scan_required", "yes"}, nil, "address 41 44:scan", "", "physical.id.scan.required"},
		{"Scan", []string{"scan_required", "yes"}, nil, "address 41:scan 42 44", "", ""},
		{"NoProofOfAddress", []string{"proof_of_address", "yes"}, nil, "address 41 44 46:expired", "", "proof.of.address.required"},
		{"ProofOfAddress", []string{"proof_of_address", "yes"}, nil, "address 41 44 46", "", ""},
	} {
		for level, missing := range map[string]string{"PARTIAL": test.partial, "FULL": test.full} {
			t.Run(test.name+level, func(t *testing.T) {
				h := openOn(t, &memory{})
				for i := 0; i < len(test.settings); i += 2 {
					h.setMbanq(test.settings[i], test.settings[i+1])
				}
				id := h.mbanqHaving(test.has, test.members...)
				if missing == "" {
					want(t, h.mbanqVerifies(id, level), mbanqVerified(id, "APPROVED"))
					want(t, h.mbanqStands(id), "100 Verified APPROVED "+level)
					return
				}
				var reasons []string
				for _, code := range strings.Fields(missing) {
					reasons = append(reasons, mbanqLacks(id, code))
				}
				want(t, h.mbanqVerifies(id, level), mbanqViolated(reasons...))
				want(t, h.mbanqStands(id), "100 PENDING")
				h.setMbanq("errors", "first_only")
				want(t, h.mbanqVerifies(id, level), mbanqViolated(reasons[0]))
				for _, row := range h.rows("?operation=client-command") {
					want(t, row.Effect, false)
				}
			})
		}
	}
	t.Run("AnyOfNeither", func(t *testing.T) {
		h := openOn(t, &memory{})
		h.setMbanq("full_requires", "any_of")
		id := h.mbanqHaving("address 46")
		want(t, h.mbanqVerifies(id, "FULL"), mbanqViolated(mbanqReason("error.msg.client.verify.physical.id.required",
			"Client 8801 has no SSN, ITIN or physical ID identifier.", "id", id)))
	})
	t.Run("Example", func(t *testing.T) { // mbanq §12, with a client of another number
		h := openOn(t, &memory{})
		id := h.mbanqHaving("address 41")
		want(t, h.mbanqVerifies(id, "FULL"), `403 {"developerMessage":"Request was understood but caused a domain rule violation.","httpStatusCode":"403",`+
			`"defaultUserMessage":"Errors contain reason for domain rule violation.","userMessageGlobalisationCode":"validation.msg.domain.rule.violation",`+
			`"errors":[{"developerMessage":"Client 8801 has no SSN or ITIN identifier.","defaultUserMessage":"Client 8801 has no SSN or ITIN identifier.",`+
			`"userMessageGlobalisationCode":"error.msg.client.verify.tax.identifier.required","parameterName":"id","value":null,"args":[{"value":8801}]}]}`)
	})
	t.Run("ApprovedAgain", func(t *testing.T) {
		h := openOn(t, &memory{})
		id := h.mbanqComplete()
		review := func(command string) int {
			return h.do(keyless("POST", mbanqPath+"/v1/clients/"+id+"/identifiers/5101?command="+command, "")).Code
		}
		want(t, review("reject"), 200)
		want(t, h.mbanqVerifies(id, "FULL"), mbanqViolated(mbanqLacks(id, "physical.id.required")))
		want(t, strings.Contains(h.mb("GET", mbanqClient+"/verificationstatus", ""), `"documentStatus":"REJECTED","verificationStatus":{"id":4,"value":"REJECTED"}`), true)
		want(t, review("approve"), 200)
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED"))
		wantProblem(t, h.do(keyless("POST", mbanqPath+"/v1/clients/"+id+"/identifiers/5199?command=approve", "")), 404, "no client has this identifier", "")
		wantProblem(t, h.do(keyless("POST", mbanqPath+"/v1/clients/8899/identifiers/5101?command=approve", "")), 404, "no client has this identifier", "")
		wantProblem(t, h.do(keyless("POST", mbanqPath+"/v1/clients/"+id+"/identifiers/5101", "")), 422, "command is not a decision; allowed: approve, reject", "")
	})
}

func TestMbanq_Async(t *testing.T) {
	scaled := func(o *sandbox.Options) { o.TimeScale = 10 }
	t.Run("Approved", func(t *testing.T) {
		h := openOn(t, &memory{}, scaled)
		h.setMbanq("verify", "async")
		id := h.mbanqComplete()
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "IN_PROGRESS"))
		want(t, h.mbanqStands(id), "100 IN_PROGRESS")
		want(t, h.mbanqVerifies(id, "PARTIAL"), mbanqVerified(id, "IN_PROGRESS")) // the one that runs goes on
		want(t, h.mbanqActivates(id), mbanqNotVerified(id))
		h.advance(3*time.Second - time.Nanosecond)
		want(t, h.mbanqStands(id), "100 IN_PROGRESS")
		h.advance(time.Nanosecond)
		want(t, h.mbanqStands(id), "100 Verified APPROVED FULL")
		want(t, strings.Contains(h.mb("GET", "/v1/clients", ""), `"clientVerificationStatus":"APPROVED"`), true)
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED"))
		want(t, h.mbanqActivates(id), mbanqDone(id))
		want(t, h.mbanqStands(id), "300 Verified APPROVED FULL")
	})
	t.Run("Rejected", func(t *testing.T) {
		h := openOn(t, &memory{}, scaled)
		h.setMbanq("verify", "async")
		id := h.mbanqHaving("address 41")
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "IN_PROGRESS"))
		h.advance(3 * time.Second)
		h.mbanqIdentifies(id, "44") // too late for the one that ran
		want(t, h.mbanqStands(id), "100 REJECTED")
		want(t, h.mbanqActivates(id), mbanqNotVerified(id))
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "IN_PROGRESS"))
		h.advance(3 * time.Second)
		want(t, h.mbanqStands(id), "100 Verified APPROVED FULL")
	})
	t.Run("InTime", func(t *testing.T) {
		h := openOn(t, &memory{}, scaled)
		h.setMbanq("verify", "async")
		id := h.mbanqHaving("address 41")
		h.mbanqVerifies(id, "FULL")
		h.advance(2 * time.Second)
		h.mbanqIdentifies(id, "44")
		h.advance(time.Second)
		want(t, h.mbanqStands(id), "100 Verified APPROVED FULL")
	})
	t.Run("UpgradeRejected", func(t *testing.T) {
		h := openOn(t, &memory{}, scaled)
		id := h.mbanqHaving("address 41")
		h.mbanqVerifies(id, "PARTIAL")
		h.setMbanq("verify", "async")
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "IN_PROGRESS"))
		want(t, h.mbanqStands(id), "100 Verified IN_PROGRESS PARTIAL")
		h.advance(3 * time.Second)
		want(t, h.mbanqStands(id), "100 Verified APPROVED PARTIAL")
		h.setMbanq("verify", "sync")
		h.mbanqIdentifies(id, "44")
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED"))
		want(t, h.mbanqStands(id), "100 Verified APPROVED FULL")
	})
	t.Run("ActivatedMeanwhile", func(t *testing.T) {
		h := openOn(t, &memory{}, scaled)
		h.setMbanq("verify", "async")
		h.setMbanq("block_activation", "no")
		id := h.mbanqComplete()
		h.mbanqVerifies(id, "FULL")
		want(t, h.mbanqActivates(id), mbanqDone(id))
		h.advance(time.Minute)
		want(t, h.mbanqStands(id), "300 PENDING")
	})
}

func TestMbanq_Activate(t *testing.T) {
	t.Run("ManualReview", func(t *testing.T) {
		h := openOn(t, &memory{})
		id := h.mbanqMakes()
		mbanqActivates := func(members ...string) string {
			return h.mb("POST", "/v1/clients/"+id+"?command=activate", mbanqActivation(members...))
		}
		for _, comment := range []string{``, `null`, `""`, `"  "`} {
			want(t, mbanqActivates("isActivatedByManualReview", "true", "manualReviewActivationComments", comment), mbanqNotValid(mbanqBlank("client", "manualReviewActivationComments")))
		}
		want(t, mbanqActivates("isActivatedByManualReview", "false", "manualReviewActivationComments", `"seen"`), mbanqNotVerified(id))
		want(t, mbanqActivates("isActivatedByManualReview", "true", "manualReviewActivationComments", `"seen"`), mbanqDone(id))
		want(t, h.mbanqStands(id), "300 PENDING")
	})
	t.Run("Invalid", func(t *testing.T) {
		h := openOn(t, &memory{})
		id := h.mbanqComplete()
		h.mbanqVerifies(id, "FULL")
		missing := func(name string) string {
			return mbanqReason("validation.msg.missing."+name+".parameter", "The parameter `"+name+"` is mandatory.", name)
		}
		badDate := mbanqReason("validation.msg.invalid.dateFormat.format", "The parameter `activationDate` is invalid based on the dateFormat and locale provided.", "activationDate")
		badFormat := mbanqReason("validation.msg.invalid.dateFormat.format", "The parameter `dateFormat` is invalid for the locale provided.", "dateFormat")
		for _, test := range []struct{ name, body, want string }{
			{"NoDate", mbanqActivation("activationDate", ""), mbanqNotValid(mbanqBlank("client", "activationDate"))},
			{"NoFormat", mbanqActivation("dateFormat", ""), mbanqNotValid(missing("dateFormat"))},
			{"NoLocale", mbanqActivation("locale", `" "`), mbanqNotValid(missing("locale"))},
			{"Nothing", `{}`, mbanqNotValid(missing("dateFormat"), missing("locale"), mbanqBlank("client", "activationDate"))},
			{"OtherFormat", mbanqActivation("dateFormat", `"MM/dd/yyyy"`), mbanqNotValid(badFormat)},
			{"OtherLocale", mbanqActivation("dateFormat", `"dd MMMM yyyy"`, "locale", `"de"`), mbanqNotValid(badFormat)},
			{"NotInFormat", mbanqActivation("activationDate", `"02 January 2026"`), mbanqNotValid(badDate)},
			{"NoSuchDay", mbanqActivation("activationDate", `"2026-02-30"`), mbanqNotValid(badDate)},
			{"OneDigit", mbanqActivation("activationDate", `"2 January 2026"`, "dateFormat", `"dd MMMM yyyy"`), mbanqNotValid(badDate)},
			{"Array", mbanqActivation("activationDate", `[2026,1,2]`), mbanqNotValid(mbanqBlank("client", "activationDate"))},
			{"Future", mbanqActivation("activationDate", `"2026-01-03"`), mbanqNotValid(mbanqReason("error.msg.clients.activationDate.in.the.future",
				"Activation date cannot be in the future.", "activationDate", `"2026-01-03"`))},
			{"BeforeSubmission", mbanqActivation("activationDate", `"2025-12-31"`), mbanqNotValid(mbanqReason("error.msg.clients.submittedOnDate.after.activation.date",
				"submitted date cannot be after the activation date", "submittedOnDate", `"2026-01-01"`))},
			{"Boolean", mbanqActivation("isActivatedByManualReview", `"yes"`), mbanqNotValid(mbanqReason("validation.msg.client.isActivatedByManualReview.must.be.true.or.false",
				"The parameter `isActivatedByManualReview` must be set as true or false.", "isActivatedByManualReview"))},
			{"Empty", ``, mbanqMalformed},
		} {
			t.Run(test.name, func(t *testing.T) {
				want(t, h.mb("POST", "/v1/clients/"+id+"?command=activate", test.body), test.want)
				want(t, h.mbanqStands(id), "100 Verified APPROVED FULL")
			})
		}
		for _, format := range []string{`"dd MMMM yyyy"`, `"d MMMM yyyy"`} {
			h := openOn(t, &memory{})
			id := h.mbanqComplete()
			h.mbanqVerifies(id, "FULL")
			want(t, h.mb("POST", "/v1/clients/"+id+"?command=activate", mbanqActivation("dateFormat", format, "activationDate", `"02 january 2026"`, "locale", `"en_US"`)), mbanqDone(id))
		}
	})
}

func TestMbanq_Commands(t *testing.T) {
	h := openOn(t, &memory{})
	id := h.mbanqMakes()
	unsupported := func(shown, value string) string {
		return mbanqNotValid(mbanqReason("error.msg.query.parameter.value.unsupported", "The query parameter command has an unsupported value of: "+shown, "command", `"command"`, value))
	}
	for query, answer := range map[string]string{
		"?command=close": unsupported("close", `"close"`), "": unsupported("null", "null"), "?command=": unsupported("", `""`),
		"?command=%ff": unsupported("\uFFFD", "\"\uFFFD\""),
	} {
		want(t, h.mb("POST", "/v1/clients/"+id+query, `{}`), answer)
	}
	want(t, h.mbanqVerifies(id, "full"), mbanqNotValid(mbanqReason("validation.msg.client.kycVerificationType.is.not.one.of.expected.enumerations",
		"The parameter `kycVerificationType` must be one of [ PARTIAL, FULL ] .", "kycVerificationType", `"full"`, `"PARTIAL"`, `"FULL"`)))
	for _, body := range []string{``, `{`, `[]`, `null`, `"x"`, `{"note":"a","note":"b"}`, "{\"note\":\"\xff\"}", `{} x`} {
		want(t, h.mb("POST", "/v1/clients/"+id+"?command=verify", body), mbanqMalformed)
	}
	wantProblem(t, h.do(h.toMbanq("PUT", "/v1/clients/"+id, `{}`)), 405, "the path takes another method", "")
	wantProblem(t, h.do(h.toMbanq("GET", "/v1/subscribers", "")), 404, "mbanq has no such path", "")
}

// TestMbanq_Fixtures: what an externalId ends in.
func TestMbanq_Fixtures(t *testing.T) {
	t.Run("Forbidden", func(t *testing.T) {
		h := openOn(t, &memory{})
		id := h.mbanqComplete("externalId", `"onb-forbidden"`)
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED"))
		for range 2 {
			want(t, h.mbanqActivates(id), mbanqMayNotActivate)
		}
		want(t, h.mbanqStands(id), "100 Verified APPROVED FULL")
	})
	t.Run("Conflict", func(t *testing.T) {
		h := openOn(t, &memory{})
		id := h.mbanqComplete("externalId", `"onb-conflict"`)
		const text = "The server is currently unable to handle the request due to concurrent modification on client [8801], please try again"
		want(t, h.mbanqVerifies(id, "FULL"), `409 {"developerMessage":"`+text+`","httpStatusCode":"409","defaultUserMessage":"`+text+`",`+
			`"userMessageGlobalisationCode":"error.msg.platform.service.client.conflict","errors":null}`)
		want(t, h.mbanqStands(id), "100 PENDING")
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED"))
		want(t, h.mbanqActivates(id), mbanqDone(id))
		want(t, h.rows("?operation=client-command")[0].Effect, false)
	})
	t.Run("Running", func(t *testing.T) {
		h := openOn(t, &memory{})
		id := h.mbanqComplete("externalId", `"onb-running"`)
		verify := func() *httptest.ResponseRecorder {
			r := h.toMbanq("POST", mbanqClient+"?command=verify", `{"kycVerificationType":"PARTIAL"}`)
			r.Header.Set("Idempotency-Key", "k-1")
			return h.do(r)
		}
		h.setMbanq("idempotency", "honoured")
		w := verify()
		want(t, text(w), `425 {"kycVerificationType":"PARTIAL"}`)
		want(t, w.Header().Get("x-served-from-cache"), "true")
		want(t, h.mbanqStands(id), "100 PENDING")
		want(t, text(verify()), mbanqVerified(id, "APPROVED"))
	})
	t.Run("RunningIgnored", func(t *testing.T) { // without a key, or where keys are ignored
		h := openOn(t, &memory{})
		id := h.mbanqComplete("externalId", `"onb-running"`)
		want(t, h.mbanqVerifies(id, "PARTIAL"), mbanqVerified(id, "APPROVED"))
		h.setMbanq("idempotency", "honoured")
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED"))
	})
}
