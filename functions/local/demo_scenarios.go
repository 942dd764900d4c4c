package main

import (
	"strings"
	"time"
)

// scenario is a journey to show, and what is expected of it.
type scenario struct {
	title  string
	kind   kind
	before []act  // what is arranged before the start
	start  string // body of the start
	says   string // what is started, for people
	acts   []act  // what is done, one for each time that the journey waits

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
	path    string        // of the POST; {journey_id} and the members of awaiting are filled in; empty for nothing
	body    string
}

// effect is how often an operation must have changed something at its partner.
type effect struct {
	operation string // "equal/execute-journey"
	times     int
	are       string // what these are, for people
}

// waiting is what a journey waits for, as "otp (delivery sent, attempts left: 3)"; its reason comes first where it has one.
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
	const (
		happy = "999900000016"
		slow  = "999900000085"
		right = "123456"
		wrong = "000000"
		meera = "verified true, MEERA KULKARNI, …0016"
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
		return act{waiting: waiting, says: says, path: "/journeys/{journey_id}/inputs", body: `{"kind":"otp","otp":"` + otp + `"}`}
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
		title: "aadhaar-otp: another SMS, which Equal sends after a minute only",
		kind:  aadhaar, start: start(happy), says: last4(happy),
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
