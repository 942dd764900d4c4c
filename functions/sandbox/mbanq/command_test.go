package mbanq_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sallyport/functions/sandbox/sandboxtest"
)

// TestOrder: the seed's steps in any other order are refused, and leave the client as it was.
func TestOrder(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	id := h.makes()
	want(t, h.activates(id), notVerified(id))
	want(t, h.stands(id), "100 PENDING")
	want(t, h.verifies(id, "FULL"), violated(lacks(id, "primary.address.required"), lacks(id, "identifier.required"),
		lacks(id, "tax.identifier.required"), lacks(id, "physical.id.required")))
	want(t, h.verifies(id, "PARTIAL"), violated(lacks(id, "primary.address.required"), lacks(id, "identifier.required")))
	want(t, h.stands(id), "100 PENDING")
	h.settles(id)
	h.identifies(id, "41")
	want(t, h.verifies(id, "FULL"), violated(lacks(id, "tax.identifier.required")))
	want(t, h.activates(id), notVerified(id))
	h.identifies(id, "45")
	want(t, h.verifies(id, "FULL"), verified(id, "APPROVED"))
	want(t, h.stands(id), "100 Verified APPROVED FULL")
	want(t, h.activates(id), done(id))
	want(t, h.stands(id), "300 Verified APPROVED FULL")
	want(t, h.verifies(id, "FULL"), violated(lacks(id, "not.pending")))
	want(
		t, h.activates(id),
		violated(reason("error.msg.clients.already.active", "Cannot activate client. Client is already active.", "id", id)),
	)
	for _, path := range []string{
		"/v1/clients/8899", "/v1/clients/x", "/v1/clients/-1", "/v1/clients/%ff", "/v1/clients/08801x",
	} {
		answer := h.answer("POST", path+"?command=verify", `{}`)
		if !strings.HasPrefix(answer, "404 ") || !strings.Contains(answer, `"error.msg.client.id.invalid"`) {
			t.Error(answer)
		}
	}
}

func TestLevels(t *testing.T) {
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
			h := openOn(t, &sandboxtest.Memory{})
			id := h.complete()
			for _, level := range test.steps {
				want(t, h.verifies(id, level), verified(id, "APPROVED"))
			}
			want(t, h.stands(id), "100 Verified APPROVED "+test.stand)
			rows := h.Rows("?operation=client-command")
			want(t, rows[len(rows)-1].Effect, len(rows) == 1 || test.steps[0] == "PARTIAL" && test.steps[1] == "FULL")
		})
	}
	t.Run("PartialThenFullRefused", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		id := h.having("address 46") // proves an address, but who it is does not matter to PARTIAL
		want(t, h.verifies(id, "PARTIAL"), verified(id, "APPROVED"))
		want(t, h.verifies(id, "FULL"), violated(lacks(id, "tax.identifier.required"), lacks(id, "physical.id.required")))
		want(t, h.stands(id), "100 Verified APPROVED PARTIAL")
		want(t, h.activates(id), done(id))
	})
	t.Run("FullByDefault", func(t *testing.T) {
		for _, body := range []string{`{}`, `{"kycVerificationType":null}`, `{"note":"x"}`} {
			h := openOn(t, &sandboxtest.Memory{})
			id := h.complete()
			want(t, h.answer("POST", "/v1/clients/"+id+"?command=VERIFY", body), verified(id, "APPROVED"))
			want(t, h.stands(id), "100 Verified APPROVED FULL")
		}
	})
}

// TestRequirements: every row of §8, and every setting that a rule depends on.
func TestRequirements(t *testing.T) {
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
		{
			"MailingAddress", nil, []string{"address", `[` + home("addressTypeId", "2") + `]`}, "42 45",
			"primary.address.required", "primary.address.required",
		},
		{"AddressAtCreate", nil, []string{"address", `[` + home("addressTypeId", "1") + `]`}, "43 45", "", ""},
		{
			"NoIdentifier", nil, nil, "address", "identifier.required",
			"identifier.required tax.identifier.required physical.id.required",
		},
		{
			"Inactive", nil, nil, "address 41:inactive 44:inactive", "identifier.required",
			"identifier.required tax.identifier.required physical.id.required",
		},
		{
			"Rejected", nil, nil, "address 41:rejected", "identifier.required",
			"identifier.required tax.identifier.required physical.id.required",
		},
		{
			"Expired", nil, nil, "address 41:expired 44:expired", "identifier.expired",
			"identifier.expired tax.identifier.required physical.id.required",
		},
		{
			"ExpiredOrRejected", nil, nil, "address 41:expired 44:rejected", "identifier.expired",
			"identifier.expired tax.identifier.required physical.id.required",
		},
		{"ExpiresToday", nil, nil, "address 41:today 44", "", ""},
		{"OneExpired", nil, nil, "address 41:expired 44", "", "physical.id.required"},
		{"NoTaxID", nil, nil, "address 42", "", "tax.identifier.required"},
		{"UtilityBill", nil, nil, "address 46", "", "tax.identifier.required physical.id.required"},
		{"Nothing", []string{"contact_at_create", "optional", "proof_of_address", "yes"},
			[]string{"emailAddress", "", "mobileNo", ""}, "",
			"primary.address.required identifier.required email.required mobile.required",
			"primary.address.required identifier.required tax.identifier.required physical.id.required email.required " +
				"mobile.required proof.of.address.required"},
		{"AnyOfTaxID", []string{"full_requires", "any_of", "scan_required", "yes"}, nil, "address 45", "", ""},
		{"AnyOfPhysicalID", []string{"full_requires", "any_of"}, nil, "address 43", "", ""},
		{
			"NoEmail", []string{"contact_at_create", "optional"}, []string{"emailAddress", ""}, "address 41 44",
			"email.required", "email.required",
		},
		{"NoMobile", []string{"contact_at_create", "optional", "contact_requires", "verified"},
			[]string{"mobileNo", "", "mobileCountryCode", ""},
			"address 41 44", "mobile.required", "mobile.required"},
		{"Unverified", []string{"contact_requires", "verified"},
			[]string{"emailAddress", `"noor@Unverified.example"`, "mobileNo", `"5550000"`},
			"address 41 44", "email.unverified mobile.unverified", "email.unverified mobile.unverified"},
		{
			"UnverifiedButPresent", nil, []string{"emailAddress", `"noor@unverified.example"`, "mobileNo", `"5550000"`},
			"address 41 44", "", "",
		},
		{"Verified", []string{"contact_requires", "verified"}, nil, "address 41 44", "", ""},
		{"NoScan", []string{"scan_required", "yes"}, nil, "address 41 44:scan", "", "physical.id.scan.required"},
		{"Scan", []string{"scan_required", "yes"}, nil, "address 41:scan 42 44", "", ""},
		{
			"NoProofOfAddress", []string{"proof_of_address", "yes"}, nil, "address 41 44 46:expired", "",
			"proof.of.address.required",
		},
		{"ProofOfAddress", []string{"proof_of_address", "yes"}, nil, "address 41 44 46", "", ""},
	} {
		for level, missing := range map[string]string{"PARTIAL": test.partial, "FULL": test.full} {
			t.Run(test.name+level, func(t *testing.T) {
				h := openOn(t, &sandboxtest.Memory{})
				for i := 0; i < len(test.settings); i += 2 {
					h.set(test.settings[i], test.settings[i+1])
				}
				id := h.having(test.has, test.members...)
				if missing == "" {
					want(t, h.verifies(id, level), verified(id, "APPROVED"))
					want(t, h.stands(id), "100 Verified APPROVED "+level)
					return
				}
				var reasons []string
				for _, code := range strings.Fields(missing) {
					reasons = append(reasons, lacks(id, code))
				}
				want(t, h.verifies(id, level), violated(reasons...))
				want(t, h.stands(id), "100 PENDING")
				h.set("errors", "first_only")
				want(t, h.verifies(id, level), violated(reasons[0]))
				for _, row := range h.Rows("?operation=client-command") {
					want(t, row.Effect, false)
				}
			})
		}
	}
	t.Run("AnyOfNeither", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.set("full_requires", "any_of")
		id := h.having("address 46")
		want(t, h.verifies(id, "FULL"), violated(reason("error.msg.client.verify.physical.id.required",
			"Client 8801 has no SSN, ITIN or physical ID identifier.", "id", id)))
	})
	t.Run("Example", func(t *testing.T) { // §12, with a client of another number
		h := openOn(t, &sandboxtest.Memory{})
		id := h.having("address 41")
		want(t, h.verifies(id, "FULL"),
			`403 {"developerMessage":"Request was understood but caused a domain rule violation.","httpStatusCode":"403",`+
				`"defaultUserMessage":"Errors contain reason for domain rule violation.","userMessageGlobalisationCode":"validation.msg.domain.rule.violation",`+
				`"errors":[{"developerMessage":"Client 8801 has no SSN or ITIN identifier.","defaultUserMessage":"Client 8801 has no SSN or ITIN identifier.",`+
				`"userMessageGlobalisationCode":"error.msg.client.verify.tax.identifier.required","parameterName":"id","value":null,"args":[{"value":8801}]}]}`)
	})
	t.Run("ApprovedAgain", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		id := h.complete()
		review := func(command string) int {
			return h.Do(sandboxtest.Keyless("POST", base+"/v1/clients/"+id+"/identifiers/5101?command="+command, "")).Code
		}
		want(t, review("reject"), 200)
		want(t, h.verifies(id, "FULL"), violated(lacks(id, "physical.id.required")))
		want(
			t,
			strings.Contains(
				h.answer("GET", firstClient+"/verificationstatus", ""),
				`"documentStatus":"REJECTED","verificationStatus":{"id":4,"value":"REJECTED"}`,
			),
			true,
		)
		want(t, review("approve"), 200)
		want(t, h.verifies(id, "FULL"), verified(id, "APPROVED"))
		sandboxtest.WantProblem(
			t, h.Do(sandboxtest.Keyless("POST", base+"/v1/clients/"+id+"/identifiers/5199?command=approve", "")), 404,
			"no client has this identifier", "",
		)
		sandboxtest.WantProblem(
			t, h.Do(sandboxtest.Keyless("POST", base+"/v1/clients/8899/identifiers/5101?command=approve", "")), 404,
			"no client has this identifier", "",
		)
		sandboxtest.WantProblem(
			t, h.Do(sandboxtest.Keyless("POST", base+"/v1/clients/"+id+"/identifiers/5101", "")), 422,
			"command is not a decision; allowed: approve, reject", "",
		)
	})
}

func TestAsync(t *testing.T) {
	scaled := func(o *options) { o.TimeScale = 10 }
	t.Run("Approved", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{}, scaled)
		h.set("verify", "async")
		id := h.complete()
		want(t, h.verifies(id, "FULL"), verified(id, "IN_PROGRESS"))
		want(t, h.stands(id), "100 IN_PROGRESS")
		want(t, h.verifies(id, "PARTIAL"), verified(id, "IN_PROGRESS")) // the one that runs goes on
		want(t, h.activates(id), notVerified(id))
		h.Advance(3*time.Second - time.Nanosecond)
		want(t, h.stands(id), "100 IN_PROGRESS")
		h.Advance(time.Nanosecond)
		want(t, h.stands(id), "100 Verified APPROVED FULL")
		want(t, strings.Contains(h.answer("GET", "/v1/clients", ""), `"clientVerificationStatus":"APPROVED"`), true)
		want(t, h.verifies(id, "FULL"), verified(id, "APPROVED"))
		want(t, h.activates(id), done(id))
		want(t, h.stands(id), "300 Verified APPROVED FULL")
	})
	t.Run("Rejected", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{}, scaled)
		h.set("verify", "async")
		id := h.having("address 41")
		want(t, h.verifies(id, "FULL"), verified(id, "IN_PROGRESS"))
		h.Advance(3 * time.Second)
		h.identifies(id, "44") // too late for the one that ran
		want(t, h.stands(id), "100 REJECTED")
		want(t, h.activates(id), notVerified(id))
		want(t, h.verifies(id, "FULL"), verified(id, "IN_PROGRESS"))
		h.Advance(3 * time.Second)
		want(t, h.stands(id), "100 Verified APPROVED FULL")
	})
	t.Run("InTime", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{}, scaled)
		h.set("verify", "async")
		id := h.having("address 41")
		h.verifies(id, "FULL")
		h.Advance(2 * time.Second)
		h.identifies(id, "44")
		h.Advance(time.Second)
		want(t, h.stands(id), "100 Verified APPROVED FULL")
	})
	t.Run("UpgradeRejected", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{}, scaled)
		id := h.having("address 41")
		h.verifies(id, "PARTIAL")
		h.set("verify", "async")
		want(t, h.verifies(id, "FULL"), verified(id, "IN_PROGRESS"))
		want(t, h.stands(id), "100 Verified IN_PROGRESS PARTIAL")
		h.Advance(3 * time.Second)
		want(t, h.stands(id), "100 Verified APPROVED PARTIAL")
		h.set("verify", "sync")
		h.identifies(id, "44")
		want(t, h.verifies(id, "FULL"), verified(id, "APPROVED"))
		want(t, h.stands(id), "100 Verified APPROVED FULL")
	})
	t.Run("ActivatedMeanwhile", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{}, scaled)
		h.set("verify", "async")
		h.set("block_activation", "no")
		id := h.complete()
		h.verifies(id, "FULL")
		want(t, h.activates(id), done(id))
		h.Advance(time.Minute)
		want(t, h.stands(id), "300 PENDING")
	})
}

func TestActivate(t *testing.T) {
	t.Run("ManualReview", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.set("strict", "inferred")
		id := h.makes()
		activates := func(members ...string) string {
			return h.answer("POST", "/v1/clients/"+id+"?command=activate", activation(members...))
		}
		for _, comment := range []string{``, `null`, `""`, `"  "`} {
			want(
				t, activates("isActivatedByManualReview", "true", "manualReviewActivationComments", comment),
				notValid(blank("client", "manualReviewActivationComments")),
			)
		}
		want(t, activates("isActivatedByManualReview", "false", "manualReviewActivationComments", `"seen"`), notVerified(id))
		want(t, activates("isActivatedByManualReview", "true", "manualReviewActivationComments", `"seen"`), done(id))
		want(t, h.stands(id), "300 PENDING")
	})
	t.Run("Invalid", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.set("strict", "inferred")
		id := h.complete()
		h.verifies(id, "FULL")
		missing := func(name string) string {
			return reason("validation.msg.missing."+name+".parameter", "The parameter `"+name+"` is mandatory.", name)
		}
		badDate := reason(
			"validation.msg.invalid.dateFormat.format",
			"The parameter `activationDate` is invalid based on the dateFormat and locale provided.", "activationDate",
		)
		badFormat := reason(
			"validation.msg.invalid.dateFormat.format", "The parameter `dateFormat` is invalid for the locale provided.",
			"dateFormat",
		)
		for _, test := range []struct{ name, body, want string }{
			{"NoDate", activation("activationDate", ""), notValid(blank("client", "activationDate"))},
			{"NoFormat", activation("dateFormat", ""), notValid(missing("dateFormat"))},
			{"NoLocale", activation("locale", `" "`), notValid(missing("locale"))},
			{"Nothing", `{}`, notValid(missing("dateFormat"), missing("locale"), blank("client", "activationDate"))},
			{"OtherFormat", activation("dateFormat", `"MM/dd/yyyy"`), notValid(badFormat)},
			{"OtherLocale", activation("dateFormat", `"dd MMMM yyyy"`, "locale", `"de"`), notValid(badFormat)},
			{"NotInFormat", activation("activationDate", `"02 January 2026"`), notValid(badDate)},
			{"NoSuchDay", activation("activationDate", `"2026-02-30"`), notValid(badDate)},
			{"Array", activation("activationDate", `[2026,1,2]`), notValid(blank("client", "activationDate"))},
			{"Future", activation("activationDate", `"2026-01-03"`),
				notValid(reason("error.msg.clients.activationDate.in.the.future",
					"Activation date cannot be in the future.", "activationDate", `"2026-01-03"`))},
			{"BeforeSubmission", activation("activationDate", `"2025-12-31"`),
				notValid(reason("error.msg.clients.submittedOnDate.after.activation.date",
					"submitted date cannot be after the activation date", "submittedOnDate", `"2026-01-01"`))},
			{"Boolean", activation("isActivatedByManualReview", `"yes"`),
				notValid(reason("validation.msg.client.isActivatedByManualReview.must.be.true.or.false",
					"The parameter `isActivatedByManualReview` must be set as true or false.", "isActivatedByManualReview"))},
			{"Empty", ``, malformed},
		} {
			t.Run(test.name, func(t *testing.T) {
				want(t, h.answer("POST", "/v1/clients/"+id+"?command=activate", test.body), test.want)
				want(t, h.stands(id), "100 Verified APPROVED FULL")
			})
		}
		for _, format := range []string{`"dd MMMM yyyy"`, `"d MMMM yyyy"`} {
			h := openOn(t, &sandboxtest.Memory{})
			id := h.complete()
			h.verifies(id, "FULL")
			want(
				t,
				h.answer(
					"POST", "/v1/clients/"+id+"?command=activate",
					activation("dateFormat", format, "activationDate", `"02 january 2026"`, "locale", `"en_US"`),
				),
				done(id),
			)
		}
	})
}

func TestCommands(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	id := h.makes()
	unsupported := func(shown, value string) string {
		return notValid(
			reason(
				"error.msg.query.parameter.value.unsupported", "The query parameter command has an unsupported value of: "+shown,
				"command", `"command"`, value,
			),
		)
	}
	for query, answer := range map[string]string{
		"?command=close": unsupported("close", `"close"`), "": unsupported("null", "null"),
		"?command=":    unsupported("", `""`),
		"?command=%ff": unsupported("\uFFFD", "\"\uFFFD\""),
	} {
		want(t, h.answer("POST", "/v1/clients/"+id+query, `{}`), answer)
	}
	want(t, h.verifies(id, "full"),
		notValid(reason("validation.msg.client.kycVerificationType.is.not.one.of.expected.enumerations",
			"The parameter `kycVerificationType` must be one of [ PARTIAL, FULL ] .", "kycVerificationType", `"full"`,
			`"PARTIAL"`, `"FULL"`)))
	for _, body := range []string{``, `{`, `[]`, `null`, `"x"`, `{"note":"a","note":"b"}`, "{\"note\":\"\xff\"}", `{} x`} {
		want(t, h.answer("POST", "/v1/clients/"+id+"?command=verify", body), malformed)
	}
	sandboxtest.WantProblem(t, h.Do(h.request("PUT", "/v1/clients/"+id, `{}`)), 405, "the path takes another method", "")
	sandboxtest.WantProblem(t, h.Do(h.request("GET", "/v1/subscribers", "")), 404, "mbanq has no such path", "")
}

// TestFixtures: what an externalId ends in.
func TestFixtures(t *testing.T) {
	t.Run("Forbidden", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		id := h.complete("externalId", `"onb-forbidden"`)
		want(t, h.verifies(id, "FULL"), verified(id, "APPROVED"))
		for range 2 {
			want(t, h.activates(id), mayNotActivate)
		}
		want(t, h.stands(id), "100 Verified APPROVED FULL")
	})
	t.Run("Conflict", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		id := h.complete("externalId", `"onb-conflict"`)
		const text = "The server is currently unable to handle the request due to concurrent modification on client " +
			"[8801], please try again"
		want(t, h.verifies(id, "FULL"),
			`409 {"developerMessage":"`+text+`","httpStatusCode":"409","defaultUserMessage":"`+text+`",`+
				`"userMessageGlobalisationCode":"error.msg.platform.service.client.conflict","errors":null}`)
		want(t, h.stands(id), "100 PENDING")
		want(t, h.verifies(id, "FULL"), verified(id, "APPROVED"))
		want(t, h.activates(id), done(id))
		want(t, h.Rows("?operation=client-command")[0].Effect, false)
	})
	t.Run("Running", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		id := h.complete("externalId", `"onb-running"`)
		verify := func() *httptest.ResponseRecorder {
			r := h.request("POST", firstClient+"?command=verify", `{"kycVerificationType":"PARTIAL"}`)
			r.Header.Set("Idempotency-Key", "k-1")
			return h.Do(r)
		}
		h.set("idempotency", "honoured")
		w := verify()
		want(t, sandboxtest.Text(w), `425 {"kycVerificationType":"PARTIAL"}`)
		want(t, w.Header().Get("x-served-from-cache"), "true")
		want(t, h.stands(id), "100 PENDING")
		want(t, sandboxtest.Text(verify()), verified(id, "APPROVED"))
	})
	t.Run("RunningIgnored", func(t *testing.T) { // without a key, or where keys are ignored
		h := openOn(t, &sandboxtest.Memory{})
		id := h.complete("externalId", `"onb-running"`)
		want(t, h.verifies(id, "PARTIAL"), verified(id, "APPROVED"))
		h.set("idempotency", "honoured")
		want(t, h.verifies(id, "FULL"), verified(id, "APPROVED"))
	})
}
