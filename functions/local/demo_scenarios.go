package main

import (
	"slices"
	"strings"
	"time"
)

// scenario is a journey to show, and what is expected of it.
type scenario struct {
	title  string  // behind the journey's type
	scale  float64 // how much faster time passes; demoScale where zero
	before []act   // what is arranged before the start
	request
	acts []act // what is done, one for each time that the journey waits
	ending
}

// request starts a journey.
type request struct {
	kind  kind
	start string // body
	says  string // what is started, for people
}

// ending is what is expected at the end.
type ending struct {
	status, reason string
	outcome        string   // as kind.outcome shows it; empty where there is none
	effects        []effect // at the partners
}

// kind is a type of journey and how it is shown: {name} stands for a member.
type kind struct {
	name    string
	waiting string // of awaiting
	outcome string // of outcome
}

// act is what somebody does.
type act struct {
	waiting string        // what the journey must be waiting for; see run.waiting
	effects []effect      // what must have happened by then
	after   time.Duration // how long to wait before, in sandbox time
	says    string        // what is done, for people; no personal data
	method  string        // POST where empty
	// of the request, or the URL of a page; {journey_id} and the members of awaiting are filled in; empty for nothing
	path string
	body string
}

// effect is how often an operation must have changed something at its partner.
type effect struct {
	operation string // "equal/execute-journey"
	times     int
	are       string // what these are, for people
}

// waiting is what a journey waits for, as "otp (delivery sent, attempts left: 3)"; its reason comes first where it has
// one.
func (s scenario) waiting(at position) string {
	details := fill(s.kind.waiting, at.Awaiting)
	if at.Reason != "" {
		details = at.Reason + "; " + details
	}
	return fill("{kind}", at.Awaiting) + " (" + details + ")"
}

// end is the expected one, as it is shown.
func (s scenario) end() string {
	end := s.status + " (" + s.reason + ")"
	if s.outcome != "" {
		end += "  " + s.outcome
	}
	return end
}

// expects is what the scenario expects, for people.
func (s scenario) expects() string {
	text := s.status + " (" + s.reason + ")"
	var effects []string
	for _, e := range s.effects {
		effects = append(effects, e.are)
	}
	if len(effects) > 0 {
		text += " after " + strings.Join(effects, ", ")
	}
	return text
}

// fault lets the next call of an operation happen at its partner and its answer get lost.
func fault(partner, operation, says string) act {
	return act{
		says: "fault: " + says + ", then the connection breaks", path: "/sandbox/faults",
		body: `{"partner":"` + partner + `","operation":"` + operation + `","fault":"reset_after_effect"}`,
	}
}

// setting changes how a simulated partner behaves.
func setting(partner, name, value, says string) act {
	return act{
		says: "setting: " + says, path: "/sandbox/settings",
		body: `{"partner":"` + partner + `","name":"` + name + `","value":"` + value + `"}`,
	}
}

// demoScenarios are all that the demo plays.
func demoScenarios() []scenario {
	all := slices.Concat(
		aadhaarScenarios(), licenceScenarios(), identificationScenarios(), clientScenarios(), onboardingScenarios(),
	)
	for i, s := range all {
		all[i].title = s.kind.name + ": " + s.title
	}
	return all
}

// licenceScenarios are those of iec-verification.
func licenceScenarios() []scenario {
	const waits = "iec (pending; at EZTO's page)"
	licence := kind{name: "iec-verification", waiting: "at EZTO's page", outcome: "{ie_code}, {iec_status}"}
	settings := func(application, module, way string) []act {
		return []act{
			{says: "setting: the workflow" + module, method: "PUT", path: "/workflows/iec",
				body: `{"modules":[{"type":"iec_verification"` + module + `,"claims":["iec_code","iec_status"]}]}`},
			{says: "setting: the application, results by " + way, method: "PUT", path: "/applications/" + application,
				body: `{"verification_workflow":"iec","notification_way":"` + way + `"}`},
		}
	}
	importer := func(application string) request {
		body := `{"application":"` + application + `","user_id":"u-7731","country":"IN"}`
		return request{licence, body, "an importer in India"}
	}
	spared := importer("poll")
	spared.kind.outcome = "skipped: {reason}"
	enters := func(number string) act {
		return act{waiting: waits, says: "enters " + number, path: "{url}", body: "iec=" + number}
	}
	onePage := []effect{{"ezto/trigger-request", 1, "one page"}}
	return []scenario{{
		title: "the happy path, told by a ping", request: importer("ping"),
		before: settings("ping", `,"rule":"country == 'IN'"`, "ping"), acts: []act{enters("AAXCT4821K")},
		ending: ending{"SUCCEEDED", "valid", "AAXCT4821K, Valid", onePage},
	}, {
		title: "a suspended licence, found by polling", request: importer("poll"),
		before: settings("poll", "", "poll"), acts: []act{enters("AAFFR1190C")},
		ending: ending{"REJECTED", "suspended", "AAFFR1190C, Suspended", onePage},
	}, {
		title: "the tenant's rule says no", request: spared,
		before: settings("poll", `,"rule":"country == 'US'"`, "poll"),
		ending: ending{"SUCCEEDED", "rule_false", "skipped: rule_false", []effect{{"ezto/trigger-request", 0, "no page"}}},
	}, {
		title: "nobody comes to the page", request: importer("short-link"),
		before: settings("short-link", "", "poll"),
		acts:   []act{{waiting: waits, says: "nothing, until the page has expired"}},
		ending: ending{"EXPIRED", "link_expired", "", onePage},
	}}
}

// identificationScenarios are those of customer-identification. The simulated partner goes by the email address.
func identificationScenarios() []scenario {
	identification := kind{name: "customer-identification", waiting: "at Iron's page", outcome: "{status}"}
	person := func(email string) request {
		body := `{"customer":{"customer_type":"Person","email":"` + email + `","external_id":"demo-17"},"identification":{"type":"Link"}}`
		return request{identification, body, "a person, to be identified at Iron's page"}
	}
	const waits = "identification (pending; at Iron's page)"
	decides := func(approved, says string) act {
		return act{
			waiting: waits, says: says, path: "/sandbox/iron/sandbox/identification/{identification_id}",
			body: `{"approved":` + approved + `}`,
		}
	}
	noor, approves := person("noor@example.com"), decides("true", "Iron approves")
	one := []effect{{"iron/create-customer", 1, "one customer"}, {"iron/create-identification", 1, "one identification"}}
	approved := ending{"SUCCEEDED", "approved", "Approved", one}
	return []scenario{
		{title: "the happy path", request: noor, acts: []act{approves}, ending: approved},
		{
			title: "declined", request: noor, acts: []act{decides("false", "Iron declines")},
			ending: ending{"REJECTED", "declined", "Declined", one},
		},
		{
			title: "the answer to the creation is lost, the same key finds out", request: noor,
			before: []act{fault("iron", "create-identification", "Iron creates the identification")},
			acts:   []act{approves}, ending: approved,
		},
		{
			title: "the webhook is lost, the next look finds out", request: noor,
			before: []act{setting("iron", "callbacks", "lost", "webhooks are lost")},
			acts:   []act{approves}, ending: approved,
		},
		{
			title: "the customer does nothing", request: person("expire@example.com"),
			acts:   []act{{waiting: waits, says: "nothing"}},
			ending: ending{"EXPIRED", "expired", "Expired", one},
		},
	}
}

// clientScenarios are those of client-onboarding.
func clientScenarios() []scenario {
	onboarding := kind{name: "client-onboarding", waiting: "missing: {missing}", outcome: "status {status}, {sub_status}"}
	const (
		home     = `{"addressTypeId":1,"addressLine1":"1 First Street","city":"Sampletown","stateProvinceId":7,"countryId":3,"postalCode":"10001","isActive":true}`
		passport = `{"documentTypeId":"41","documentKey":"X4409127","status":"Active","issuedDate":"2021-05-09","expiryDate":"2031-05-08","dateFormat":"yyyy-MM-dd","locale":"en"}`
		ssn      = `{"documentTypeId":"44","documentKey":"900700001","status":"Active"}`
	)
	start := func(addresses, identifiers string) string {
		return `{"client":{"officeId":1,"legalFormId":1,"firstname":"Noor","lastname":"Example","dateOfBirth":"1991-07-03","genderId":22,` +
			`"emailAddress":"noor@example.com","mobileCountryCode":"1","mobileNo":"5550101","submittedOnDate":"2026-01-05","dateFormat":"yyyy-MM-dd",` +
			`"locale":"en","externalId":"demo-17"},"addresses":[` + addresses + `],"identifiers":[` + identifiers + `],"activation_date":"2026-03-04"}`
	}
	complete := request{onboarding, start(home, passport+","+ssn), "a person with an address, a passport and an SSN"}
	active := ending{"SUCCEEDED", "active", "status 300, Verified", []effect{
		{"mbanq/create-client", 1, "one client"}, {"mbanq/client-command", 2, "verified and activated"},
	}}
	input := func(missing, says, body string) act {
		return act{
			waiting: "documents (documents_missing; missing: " + missing + ")", says: says,
			path: "/journeys/{journey_id}/inputs", body: body,
		}
	}
	return []scenario{
		{title: "the happy path", request: complete, ending: active},
		{
			title: "something is missing, twice", request: request{onboarding, start("", passport), "a person with a passport"},
			acts: []act{
				input("primary_address,tax_identifier", "adds an address", `{"kind":"documents","addresses":[`+home+`]}`),
				input("tax_identifier", "adds an SSN", `{"kind":"documents","identifiers":[`+ssn+`]}`),
			},
			ending: active,
		},
		{
			title:   "the answer to the creation is lost, the externalId finds the client",
			before:  []act{fault("mbanq", "create-client", "Mbanq creates the client")},
			request: complete, ending: active,
		},
		{
			title: "a verification that takes its time", request: complete,
			before: []act{setting("mbanq", "verify", "async", "verifications take half a minute")},
			acts:   []act{{waiting: "verification (in_progress; missing: ?)", says: "nothing: Mbanq's webhook will tell"}},
			ending: active,
		},
	}
}

// onboardingScenarios are those of partner-onboarding.
func onboardingScenarios() []scenario {
	const (
		tenDays = 40_000  // a day takes two seconds
		month   = 100_000 // a day takes a second
	)
	onboarding := kind{
		name:    "partner-onboarding",
		waiting: "ECRN {ecrn}",
		outcome: "{customer_status}, {aml_scan_status}",
	}
	holder := func(number string) request {
		const file = `{"base64_data":"/9j/","content_type":"image/jpeg"}`
		body := `{"customer":{"channel":"WEB","first_name":"NOOR","last_name":"EXAMPLE","nationality":"IN","date_of_birth":"1991-02-03",` +
			`"country_of_birth":"IN","resident_type_id":101,"country_of_residence":"AE","gender":"Female","primary_mobile_number":"+971500000017",` +
			`"email_id":"noor@example.com","address_list":[{"address_type_id":"1","city":"Dubai","country":"AE"}],` +
			`"id_details":[{"id_type":4,"id_number":"` + number + `","name_as_per_id":"Noor Example","issued_country":"AE",` +
			`"issued_on":"2021-03-10","date_of_expiry":"2031-03-09","id_front":` + file + `}]}}`
		return request{onboarding, body, "Emirates ID ending in " + number[len(number)-4:]}
	}
	closes := func(waiting, aml, customer string) act {
		return act{waiting: waiting, says: "compliance closes the alert: " + aml, path: "/sandbox/digit9/alerts/{ecrn}",
			body: `{"aml_scan_status":"` + aml + `","customer_status":"` + customer + `"}`}
	}
	// The simulated partner makes a customer's number of the document's.
	held := func(ecrn string) string { return "aml_alert_closure (under_investigation; ECRN " + ecrn + ")" }
	message, body := held("7849452767871644"), held("7841392447043010") // where the answer tells it
	accepts := closes(message, "Accepted", "ACTIVE")
	clean, heldByMessage := holder("784199000000017"), holder("784199000000413")
	one := []effect{{"digit9/onboard-customer", 1, "one customer"}}
	none := []effect{{"digit9/onboard-customer", 0, "no customer"}}
	accepted := ending{"SUCCEEDED", "accepted", "ACTIVE, Accepted", one}

	return []scenario{
		{title: "the happy path", request: clean, ending: accepted},
		{
			title: "the customer is there already, and nobody is known to own it", request: holder("784199000000432"),
			ending: ending{"REVIEW", "record_not_yours", "", none},
		},
		{
			title:   "the answer to the onboarding is lost, a lookup finds the customer",
			before:  []act{fault("digit9", "onboard-customer", "Digit9 takes the customer in")},
			request: clean, ending: accepted,
		},
		{title: "held, then accepted", request: heldByMessage, acts: []act{accepts}, ending: accepted},
		{
			title: "held, then rejected", request: holder("784199000000423"),
			acts:   []act{closes(body, "Rejected", "REJECTED")},
			ending: ending{"REJECTED", "rejected", "REJECTED, Rejected", one},
		},
		{
			title: "barred", request: holder("784199000000451"),
			ending: ending{"REJECTED", "blocked", "?, ?", none},
		},
		{
			title: "the callback is lost, the next day's lookup finds out", scale: tenDays,
			before:  []act{setting("digit9", "callbacks", "lost", "callbacks are lost")},
			request: heldByMessage, acts: []act{accepts}, ending: accepted,
		},
		{
			title: "nobody closes the alert in thirty days", scale: month, request: heldByMessage,
			acts:   []act{{waiting: message, says: "nothing, for thirty days"}},
			ending: ending{"EXPIRED", "alert_not_closed", "?, ?", one},
		},
	}
}

// aadhaarScenarios are those of aadhaar-otp.
func aadhaarScenarios() []scenario {
	const (
		right = "123456"
		wrong = "000000"
		sent  = "otp (delivery sent, attempts left: 3)"

		slowly = 6 // a minute takes ten seconds, and the first resend comes before it is over on a busy machine, too
	)
	aadhaar := kind{
		name:    "aadhaar-otp",
		waiting: "delivery {delivery}, attempts left: {attempts_left}",
		outcome: "verified {verified}, {name}, …{aadhaar_last4}",
	}
	holder := func(number string) request {
		return request{aadhaar, `{"aadhaar_no":"` + number + `"}`, "Aadhaar number …" + number[len(number)-4:]}
	}
	meera := holder("999900000016")
	enter := func(waiting, otp string) act {
		says := "otp ******"
		if otp != right {
			says += ", a wrong one"
		}
		return act{
			waiting: waiting, says: says, path: "/journeys/{journey_id}/inputs", body: `{"kind":"otp","otp":"` + otp + `"}`,
		}
	}
	resend := func(waiting string) act {
		return act{waiting: waiting, says: "resend", path: "/journeys/{journey_id}/inputs", body: `{"kind":"resend"}`}
	}
	executed := func(times int, are string) []effect { return []effect{{"equal/execute-journey", times, are}} }
	verified := func(times int, are string) ending {
		return ending{"SUCCEEDED", "success", "verified true, MEERA KULKARNI, …0016", executed(times, are)}
	}

	minuteLater := resend("otp (otp_request_too_soon; delivery not_sent, attempts left: 3)")
	minuteLater.after, minuteLater.effects = time.Minute, executed(1, "one SMS")
	resent := enter(sent, right)
	resent.effects = executed(2, "two SMS")
	unsure := enter("otp (delivery_unknown; delivery unknown, attempts left: 3)", right)
	unsure.effects = executed(1, "one SMS")

	return []scenario{{
		title: "the happy path", request: meera, acts: []act{enter(sent, right)},
		ending: verified(2, "one SMS and one verification"),
	}, {
		title: "a wrong OTP, then the right one", request: meera,
		acts:   []act{enter(sent, wrong), enter("otp (invalid_otp; delivery sent, attempts left: 2)", right)},
		ending: verified(3, "one SMS, one wrong attempt and one verification"),
	}, {
		title: "the third wrong OTP is the last", request: meera,
		acts: []act{enter(sent, wrong), enter("otp (invalid_otp; delivery sent, attempts left: 2)", wrong),
			enter("otp (invalid_otp; delivery sent, attempts left: 1)", wrong)},
		ending: ending{"REVIEW", "otp_not_accepted", "", executed(4, "one SMS and three wrong attempts")},
	}, {
		title: "the answer to \"send\" is lost, the person knows whether the SMS came", request: meera,
		before: []act{fault("equal", "execute-journey", "Equal sends the next SMS")}, acts: []act{unsure},
		ending: verified(2, "one SMS and one verification"),
	}, {
		title: "another SMS, which Equal sends after a minute only", scale: slowly, request: meera,
		acts:   []act{resend(sent), minuteLater, resent},
		ending: verified(3, "two SMS and one verification"),
	}, {
		title: "a slow source", request: holder("999900000085"), acts: []act{enter(sent, right)},
		ending: ending{
			"SUCCEEDED", "success", "verified true, ARJUN NAMBIAR, …0085", executed(2, "one SMS and one verification"),
		},
	}, {
		title: "nobody answers", request: meera, acts: []act{{waiting: sent, says: "nothing, for ten minutes"}},
		ending: ending{"EXPIRED", "no_input", "", executed(1, "one SMS")},
	}, {
		title: "cancelled", request: meera,
		acts:   []act{{waiting: sent, says: "cancel", path: "/journeys/{journey_id}/cancel"}},
		ending: ending{"CANCELLED", "cancelled_by_caller", "", executed(1, "one SMS")},
	}}
}
