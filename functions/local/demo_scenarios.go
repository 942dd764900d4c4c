package main

import (
	"slices"
	"strings"
	"time"
)

// scenario is a journey to show, and what is expected of it.
type scenario struct {
	title  string
	kind   kind
	scale  float64 // how much faster time passes; demoScale where zero
	before []act   // what is arranged before the start
	start  string  // body of the start
	says   string  // what is started, for people
	acts   []act   // what is done, one for each time that the journey waits

	status  string // expected at the end
	reason  string
	outcome string   // as kind.outcome shows it; empty where there is none
	effects []effect // at the partners
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

// demoScenarios are all that the demo plays.
func demoScenarios() []scenario {
	return slices.Concat(
		aadhaarScenarios(), licenceScenarios(), identificationScenarios(), clientScenarios(), onboardingScenarios(),
	)
}

// licenceScenarios are those of iec-verification.
func licenceScenarios() []scenario {
	licence := kind{name: "iec-verification", waiting: "at EZTO's page", outcome: "{ie_code}, {iec_status}"}
	spared := licence
	spared.outcome = "skipped: {reason}"
	settings := func(application, module, way string) []act {
		return []act{
			{says: "setting: the workflow" + module, method: "PUT", path: "/workflows/iec",
				body: `{"modules":[{"type":"iec_verification"` + module + `,"claims":["iec_code","iec_status"]}]}`},
			{says: "setting: the application, results by " + way, method: "PUT", path: "/applications/" + application,
				body: `{"verification_workflow":"iec","notification_way":"` + way + `"}`},
		}
	}
	start := func(application string) string {
		return `{"application":"` + application + `","user_id":"u-7731","country":"IN"}`
	}
	enters := func(number string) act {
		return act{waiting: "iec (pending; at EZTO's page)", says: "enters " + number, path: "{url}", body: "iec=" + number}
	}
	asked := func(times int, are string) []effect { return []effect{{"ezto/trigger-request", times, are}} }
	return []scenario{{
		title: "iec-verification: the happy path, told by a ping",
		kind:  licence, start: start("ping"), says: "an importer in India",
		before: settings("ping", `,"rule":"country == 'IN'"`, "ping"),
		acts:   []act{enters("AAXCT4821K")},
		status: "SUCCEEDED", reason: "valid", outcome: "AAXCT4821K, Valid",
		effects: asked(1, "one page"),
	}, {
		title: "iec-verification: a suspended licence, found by polling",
		kind:  licence, start: start("poll"), says: "an importer in India",
		before: settings("poll", "", "poll"),
		acts:   []act{enters("AAFFR1190C")},
		status: "REJECTED", reason: "suspended", outcome: "AAFFR1190C, Suspended",
		effects: asked(1, "one page"),
	}, {
		title: "iec-verification: the tenant's rule says no",
		kind:  spared, start: start("poll"), says: "an importer in India",
		before: settings("poll", `,"rule":"country == 'US'"`, "poll"),
		status: "SUCCEEDED", reason: "rule_false", outcome: "skipped: rule_false",
		effects: asked(0, "no page"),
	}, {
		title: "iec-verification: nobody comes to the page",
		kind:  licence, start: start("short-link"), says: "an importer in India",
		before: settings("short-link", "", "poll"),
		acts:   []act{{waiting: "iec (pending; at EZTO's page)", says: "nothing, until the page has expired"}},
		status: "EXPIRED", reason: "link_expired",
		effects: asked(1, "one page"),
	}}
}

// identificationScenarios are those of customer-identification. The simulated partner goes by the email address.
func identificationScenarios() []scenario {
	identification := kind{name: "customer-identification", waiting: "at Iron's page", outcome: "{status}"}
	start := func(email string) string {
		return `{"customer":{"customer_type":"Person","email":"` + email + `","external_id":"demo-17"},"identification":{"type":"Link"}}`
	}
	one := []effect{{"iron/create-customer", 1, "one customer"}, {"iron/create-identification", 1, "one identification"}}
	const waits = "identification (pending; at Iron's page)"
	decides := func(approved, says string) act {
		return act{
			waiting: waits, says: says, path: "/sandbox/iron/sandbox/identification/{identification_id}",
			body: `{"approved":` + approved + `}`,
		}
	}
	return []scenario{{
		title: "customer-identification: the happy path",
		kind:  identification, start: start("noor@example.com"), says: "a person, to be identified at Iron's page",
		acts:   []act{decides("true", "Iron approves")},
		status: "SUCCEEDED", reason: "approved", outcome: "Approved",
		effects: one,
	}, {
		title: "customer-identification: declined",
		kind:  identification, start: start("noor@example.com"), says: "a person, to be identified at Iron's page",
		acts:   []act{decides("false", "Iron declines")},
		status: "REJECTED", reason: "declined", outcome: "Declined",
		effects: one,
	}, {
		title: "customer-identification: the answer to the creation is lost, the same key finds out",
		kind:  identification, start: start("noor@example.com"), says: "a person, to be identified at Iron's page",
		before: []act{{says: "fault: Iron creates the identification, then the connection breaks", path: "/sandbox/faults",
			body: `{"partner":"iron","operation":"create-identification","fault":"reset_after_effect"}`}},
		acts:   []act{decides("true", "Iron approves")},
		status: "SUCCEEDED", reason: "approved", outcome: "Approved",
		effects: one,
	}, {
		title: "customer-identification: the webhook is lost, the next look finds out",
		kind:  identification, start: start("noor@example.com"), says: "a person, to be identified at Iron's page",
		before: []act{
			{
				says: "setting: webhooks are lost", path: "/sandbox/settings",
				body: `{"partner":"iron","name":"callbacks","value":"lost"}`,
			},
		},
		acts:   []act{decides("true", "Iron approves")},
		status: "SUCCEEDED", reason: "approved", outcome: "Approved",
		effects: one,
	}, {
		title: "customer-identification: the customer does nothing",
		kind:  identification, start: start("expire@example.com"), says: "a person, to be identified at Iron's page",
		acts:   []act{{waiting: waits, says: "nothing"}},
		status: "EXPIRED", reason: "expired", outcome: "Expired",
		effects: one,
	}}
}

// clientScenarios are those of client-onboarding.
func clientScenarios() []scenario {
	onboarding := kind{name: "client-onboarding", waiting: "missing: {missing}", outcome: "status {status}, {sub_status}"}
	const (
		home     = `{"addressTypeId":1,"addressLine1":"1 First Street","city":"Sampletown","stateProvinceId":7,"countryId":3,"postalCode":"10001","isActive":true}`
		passport = `{"documentTypeId":"41","documentKey":"X4409127","status":"Active","issuedDate":"2021-05-09","expiryDate":"2031-05-08","dateFormat":"yyyy-MM-dd","locale":"en"}`
		ssn      = `{"documentTypeId":"44","documentKey":"900700001","status":"Active"}`
		active   = "status 300, Verified"
	)
	start := func(addresses, identifiers string) string {
		return `{"client":{"officeId":1,"legalFormId":1,"firstname":"Noor","lastname":"Example","dateOfBirth":"1991-07-03","genderId":22,` +
			`"emailAddress":"noor@example.com","mobileCountryCode":"1","mobileNo":"5550101","submittedOnDate":"2026-01-05","dateFormat":"yyyy-MM-dd",` +
			`"locale":"en","externalId":"demo-17"},"addresses":[` + addresses + `],"identifiers":[` + identifiers + `],"activation_date":"2026-03-04"}`
	}
	commands := func(times int, are string) []effect {
		return []effect{{"mbanq/create-client", 1, "one client"}, {"mbanq/client-command", times, are}}
	}
	input := func(missing, says, body string) act {
		return act{
			waiting: "documents (documents_missing; missing: " + missing + ")", says: says,
			path: "/journeys/{journey_id}/inputs", body: body,
		}
	}
	return []scenario{{
		title: "client-onboarding: the happy path",
		kind:  onboarding, start: start(home, passport+","+ssn), says: "a person with an address, a passport and an SSN",
		status: "SUCCEEDED", reason: "active", outcome: active,
		effects: commands(2, "verified and activated"),
	}, {
		title: "client-onboarding: something is missing, twice",
		kind:  onboarding, start: start("", passport), says: "a person with a passport",
		acts: []act{
			input("primary_address,tax_identifier", "adds an address", `{"kind":"documents","addresses":[`+home+`]}`),
			input("tax_identifier", "adds an SSN", `{"kind":"documents","identifiers":[`+ssn+`]}`),
		},
		status: "SUCCEEDED", reason: "active", outcome: active,
		effects: commands(2, "verified and activated"),
	}, {
		title: "client-onboarding: the answer to the creation is lost, the externalId finds the client",
		kind:  onboarding, start: start(home, passport+","+ssn), says: "a person with an address, a passport and an SSN",
		before: []act{{says: "fault: Mbanq creates the client, then the connection breaks", path: "/sandbox/faults",
			body: `{"partner":"mbanq","operation":"create-client","fault":"reset_after_effect"}`}},
		status: "SUCCEEDED", reason: "active", outcome: active,
		effects: commands(2, "verified and activated"),
	}, {
		title: "client-onboarding: a verification that takes its time",
		kind:  onboarding, start: start(home, passport+","+ssn), says: "a person with an address, a passport and an SSN",
		before: []act{
			{
				says: "setting: verifications take half a minute", path: "/sandbox/settings",
				body: `{"partner":"mbanq","name":"verify","value":"async"}`,
			},
		},
		acts:   []act{{waiting: "verification (in_progress; missing: ?)", says: "nothing: Mbanq's webhook will tell"}},
		status: "SUCCEEDED", reason: "active", outcome: active,
		effects: commands(2, "verified and activated"),
	}}
}

// onboardingScenarios are those of partner-onboarding.
func onboardingScenarios() []scenario {
	const (
		tenDays = 40_000  // a day takes two seconds
		month   = 100_000 // a day takes a second
		good    = "ACTIVE, Accepted"
	)
	onboarding := kind{
		name:    "partner-onboarding",
		waiting: "ECRN {ecrn}",
		outcome: "{customer_status}, {aml_scan_status}",
	}
	start := func(number string) string {
		const file = `{"base64_data":"/9j/","content_type":"image/jpeg"}`
		return `{"customer":{"channel":"WEB","first_name":"NOOR","last_name":"EXAMPLE","nationality":"IN","date_of_birth":"1991-02-03",` +
			`"country_of_birth":"IN","resident_type_id":101,"country_of_residence":"AE","gender":"Female","primary_mobile_number":"+971500000017",` +
			`"email_id":"noor@example.com","address_list":[{"address_type_id":"1","city":"Dubai","country":"AE"}],` +
			`"id_details":[{"id_type":4,"id_number":"` + number + `","name_as_per_id":"Noor Example","issued_country":"AE",` +
			`"issued_on":"2021-03-10","date_of_expiry":"2031-03-09","id_front":` + file + `}]}}`
	}
	who := func(number string) string { return "Emirates ID ending in " + number[len(number)-4:] }
	onboarded := func(times int, are string) []effect { return []effect{{"digit9/onboard-customer", times, are}} }
	closes := func(waiting, aml, customer string) act {
		return act{waiting: waiting, says: "compliance closes the alert: " + aml, path: "/sandbox/digit9/alerts/{ecrn}",
			body: `{"aml_scan_status":"` + aml + `","customer_status":"` + customer + `"}`}
	}
	// The simulated partner makes a customer's number of the document's.
	held := func(ecrn string) string { return "aml_alert_closure (under_investigation; ECRN " + ecrn + ")" }
	message, body := held("7849452767871644"), held("7841392447043010") // where the answer tells it
	lost := act{
		says: "setting: callbacks are lost", path: "/sandbox/settings",
		body: `{"partner":"digit9","name":"callbacks","value":"lost"}`,
	}

	return []scenario{{
		title: "partner-onboarding: the happy path",
		kind:  onboarding, start: start("784199000000017"), says: who("784199000000017"),
		status: "SUCCEEDED", reason: "accepted", outcome: good,
		effects: onboarded(1, "one customer"),
	}, {
		title: "partner-onboarding: the customer is there already",
		kind:  onboarding, start: start("784199000000432"), says: who("784199000000432"),
		status: "SUCCEEDED", reason: "accepted", outcome: good,
		effects: onboarded(0, "no customer"),
	}, {
		title: "partner-onboarding: the answer to the onboarding is lost, a lookup finds the customer",
		kind:  onboarding, start: start("784199000000017"), says: who("784199000000017"),
		before: []act{{says: "fault: Digit9 takes the customer in, then the connection breaks", path: "/sandbox/faults",
			body: `{"partner":"digit9","operation":"onboard-customer","fault":"reset_after_effect"}`}},
		status: "SUCCEEDED", reason: "accepted", outcome: good,
		effects: onboarded(1, "one customer"),
	}, {
		title: "partner-onboarding: held, then accepted",
		kind:  onboarding, start: start("784199000000413"), says: who("784199000000413"),
		acts:   []act{closes(message, "Accepted", "ACTIVE")},
		status: "SUCCEEDED", reason: "accepted", outcome: good,
		effects: onboarded(1, "one customer"),
	}, {
		title: "partner-onboarding: held, then rejected",
		kind:  onboarding, start: start("784199000000423"), says: who("784199000000423"),
		acts:   []act{closes(body, "Rejected", "REJECTED")},
		status: "REJECTED", reason: "rejected", outcome: "REJECTED, Rejected",
		effects: onboarded(1, "one customer"),
	}, {
		title: "partner-onboarding: barred",
		kind:  onboarding, start: start("784199000000451"), says: who("784199000000451"),
		status: "REJECTED", reason: "blocked", outcome: "?, ?",
		effects: onboarded(0, "no customer"),
	}, {
		title: "partner-onboarding: the callback is lost, the next day's lookup finds out", scale: tenDays,
		kind: onboarding, start: start("784199000000413"), says: who("784199000000413"),
		before: []act{lost},
		acts:   []act{closes(message, "Accepted", "ACTIVE")},
		status: "SUCCEEDED", reason: "accepted", outcome: good,
		effects: onboarded(1, "one customer"),
	}, {
		title: "partner-onboarding: nobody closes the alert in thirty days", scale: month,
		kind: onboarding, start: start("784199000000413"), says: who("784199000000413"),
		acts:   []act{{waiting: message, says: "nothing, for thirty days"}},
		status: "EXPIRED", reason: "alert_not_closed", outcome: "?, ?",
		effects: onboarded(1, "one customer"),
	}}
}

// aadhaarScenarios are those of aadhaar-otp.
func aadhaarScenarios() []scenario {
	const (
		happy = "999900000016"
		slow  = "999900000085"
		right = "123456"
		wrong = "000000"
		meera = "verified true, MEERA KULKARNI, …0016"

		slowly = 6 // a minute takes ten seconds, and the first resend comes before it is over on a busy machine, too
	)
	aadhaar := kind{
		name:    "aadhaar-otp",
		waiting: "delivery {delivery}, attempts left: {attempts_left}",
		outcome: "verified {verified}, {name}, …{aadhaar_last4}",
	}
	start := func(number string) string { return `{"aadhaar_no":"` + number + `"}` }
	last4 := func(number string) string { return "Aadhaar number …" + number[len(number)-4:] }
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
	const sent = "otp (delivery sent, attempts left: 3)"

	minuteLater := resend("otp (otp_request_too_soon; delivery not_sent, attempts left: 3)")
	minuteLater.after, minuteLater.effects = time.Minute, executed(1, "one SMS")
	resent := enter(sent, right)
	resent.effects = executed(2, "two SMS")
	unsure := enter("otp (delivery_unknown; delivery unknown, attempts left: 3)", right)
	unsure.effects = executed(1, "one SMS")

	return []scenario{{
		title: "aadhaar-otp: the happy path",
		kind:  aadhaar, start: start(happy), says: last4(happy),
		acts:   []act{enter(sent, right)},
		status: "SUCCEEDED", reason: "success", outcome: meera,
		effects: executed(2, "one SMS and one verification"),
	}, {
		title: "aadhaar-otp: a wrong OTP, then the right one",
		kind:  aadhaar, start: start(happy), says: last4(happy),
		acts:   []act{enter(sent, wrong), enter("otp (invalid_otp; delivery sent, attempts left: 2)", right)},
		status: "SUCCEEDED", reason: "success", outcome: meera,
		effects: executed(3, "one SMS, one wrong attempt and one verification"),
	}, {
		title: "aadhaar-otp: the third wrong OTP is the last",
		kind:  aadhaar, start: start(happy), says: last4(happy),
		acts: []act{enter(sent, wrong), enter("otp (invalid_otp; delivery sent, attempts left: 2)", wrong),
			enter("otp (invalid_otp; delivery sent, attempts left: 1)", wrong)},
		status: "REJECTED", reason: "otp_attempts_exceeded",
		effects: executed(4, "one SMS and three wrong attempts"),
	}, {
		title: "aadhaar-otp: the answer to \"send\" is lost, the person knows whether the SMS came",
		kind:  aadhaar, start: start(happy), says: last4(happy),
		before: []act{{says: "fault: Equal sends the next SMS, then the connection breaks", path: "/sandbox/faults",
			body: `{"partner":"equal","operation":"execute-journey","fault":"reset_after_effect"}`}},
		acts:   []act{unsure},
		status: "SUCCEEDED", reason: "success", outcome: meera,
		effects: executed(2, "one SMS and one verification"),
	}, {
		title: "aadhaar-otp: another SMS, which Equal sends after a minute only", scale: slowly,
		kind: aadhaar, start: start(happy), says: last4(happy),
		acts:   []act{resend(sent), minuteLater, resent},
		status: "SUCCEEDED", reason: "success", outcome: meera,
		effects: executed(3, "two SMS and one verification"),
	}, {
		title: "aadhaar-otp: a slow source",
		kind:  aadhaar, start: start(slow), says: last4(slow),
		acts:   []act{enter(sent, right)},
		status: "SUCCEEDED", reason: "success", outcome: "verified true, ARJUN NAMBIAR, …0085",
		effects: executed(2, "one SMS and one verification"),
	}, {
		title: "aadhaar-otp: nobody answers",
		kind:  aadhaar, start: start(happy), says: last4(happy),
		acts:   []act{{waiting: sent, says: "nothing, for ten minutes"}},
		status: "EXPIRED", reason: "no_input",
		effects: executed(1, "one SMS"),
	}, {
		title: "aadhaar-otp: cancelled",
		kind:  aadhaar, start: start(happy), says: last4(happy),
		acts:   []act{{waiting: sent, says: "cancel", path: "/journeys/{journey_id}/cancel"}},
		status: "CANCELLED", reason: "cancelled_by_caller",
		effects: executed(1, "one SMS"),
	}}
}
