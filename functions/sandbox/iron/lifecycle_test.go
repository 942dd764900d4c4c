package iron_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/functions/sandbox/sandboxtest"
)

// TestFixtures: what becomes of an identification by itself, by its customer's email. A time is one at which it stands
// otherwise than a nanosecond before.
func TestFixtures(t *testing.T) {
	type stands struct {
		after  time.Duration
		status string
	}
	second := time.Second
	for _, test := range []struct {
		name, email, path, body string
		settings                string // names and values in turn
		want                    []stands
	}{
		{
			"Approve", "approve@example.com", "", direct, "",
			[]stands{
				{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "PendingReview"}, {15 * second, "Approved"},
				{1000 * time.Hour, "Approved"},
			},
		},
		{
			"Tagged", "noor+x+Approve@example.com", "/v2", `{"type":"Link"}`, "",
			[]stands{{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "PendingReview"}, {15 * second, "Approved"}},
		},
		{
			"Whole", "approve@example.com", "", reliance, "",
			[]stands{{0, "Processed"}, {5 * second, "PendingReview"}, {10 * second, "Approved"}},
		},
		{
			"Decline", "noor+decline@example.com", "", direct, "",
			[]stands{{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "PendingReview"}, {15 * second, "Declined"}},
		},
		{
			"Review", "review@example.com", "", direct, "",
			[]stands{
				{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "PendingReview"}, {1000 * time.Hour, "PendingReview"},
			},
		},
		{"Expire", "expire@example.com", "", direct, "", []stands{{0, "Pending"}, {60 * second, "Expired"}}},
		{"ExpireWhole", "expire@example.com", "", reliance, "", []stands{{0, "Processed"}, {1000 * time.Hour, "Processed"}}},
		{
			"Resubmit", "resubmit@example.com", "", direct, "",
			[]stands{
				{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "Pending"}, {10*second + 168*time.Hour, "Expired"},
			},
		},
		{"ByHand", "noor@example.com", "", reliance, "", []stands{{0, "Processed"}, {1000 * time.Hour, "Processed"}}},
		{
			"Automatic", "noor@example.com", "", reliance, "review automatic",
			[]stands{{0, "Processed"}, {5 * second, "PendingReview"}, {10 * second, "Approved"}},
		},
		{
			"AutomaticPending", "noor@example.com", "", direct, "review automatic",
			[]stands{{0, "Pending"}, {168 * time.Hour, "Expired"}},
		},
		{"Week", "noor@example.com", "", direct, "", []stands{{0, "Pending"}, {168 * time.Hour, "Expired"}}},
		{"Hour", "noor@example.com", "", direct, "pending_lifetime 1h", []stands{{0, "Pending"}, {time.Hour, "Expired"}}},
		{
			"Minute", "noor@example.com", "/v2", `{"type":"Link"}`, "pending_lifetime 1m",
			[]stands{{0, "Pending"}, {time.Minute, "Expired"}},
		},
		{
			"Incomplete", "noor@example.com", "/v2", tokenV2("kyc_questionnaire", ""), "",
			[]stands{{0, "Pending"}, {168 * time.Hour, "Expired"}},
		},
	} {
		for _, scale := range []float64{1, 40} {
			t.Run(fmt.Sprint(test.name, scale), func(t *testing.T) {
				h := openOn(t, &sandboxtest.Memory{}, func(o *options) { o.TimeScale = scale })
				if name, value, ok := strings.Cut(test.settings, " "); ok {
					h.set(name, value)
				}
				customer := h.makes("Person", test.email)
				d := h.identifies(customer, test.path, test.body)
				want(t, d.Status, test.want[0].status)
				before := time.Duration(0)
				for n, s := range test.want[1:] {
					now := time.Duration(float64(s.after) / scale)
					h.Advance(now - before - 1)
					want(t, h.gets(d.ID).Status, test.want[n].status)
					h.Advance(1)
					before = now
					got := h.gets(d.ID)
					want(t, got.Status, s.status)
					want(t, got.URL != "", s.status == "Pending")
					if s.status != test.want[n].status {
						want(t, got.UpdatedAt.Equal(sandboxtest.Start.Add(now)), true)
					}
					c := h.customer(customer)
					want(t, c.IdentificationStatus, s.status)
					want(t, c.Status == "Active", s.status == "Approved")
					list := h.answer("GET", "/customers/"+customer+"/identifications", "")
					want(t, strings.Contains(list, `"status":"`+s.status+`"`), true)
				}
			})
		}
	}
}

// TestSteps: who is asked for what.
func TestSteps(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	awaited, done := shownStep{Result: "Pending", Retry: true}, shownStep{Result: "Processed"}
	person, business := h.makes("Person", "a@b"), h.makes("Business", "b@b")
	d := h.identifies(business, "", direct)
	want(
		t, d.Steps,
		map[string]shownStep{
			"company_data": awaited, "company_beneficiaries": awaited, "company_documents": awaited, "questionnaire": awaited,
		},
	)
	h.decides(d.ID, true)
	want(t, h.gets(d.ID).Country, "") // nobody said

	d = h.identifies(business, "/v2", at(t, businessBodyV2, "company_data.documents", "[]"))
	want(t, d.Status+" "+fmt.Sprint(d.URL != ""), "Pending true")
	want(
		t, d.Steps,
		map[string]shownStep{
			"company_data": done, "company_beneficiaries": done, "company_documents": awaited, "questionnaire": done,
		},
	)
	h.decides(d.ID, true)
	want(t, h.gets(d.ID).Country, "DE")

	d = h.identifies(person, "/v2", tokenV2("kyc_questionnaire", ""))
	want(
		t, d.Steps,
		map[string]shownStep{"identity": done, "selfie": done, "proof_of_residence": done, "questionnaire": awaited},
	)
	h.decides(d.ID, false)

	d = h.identifies(person, "", personBodyV1)
	want(t, d.Status+d.URL+d.Country, "Processed")
	want(
		t, d.Steps, map[string]shownStep{"identity": done, "selfie": done, "proof_of_residence": done, "questionnaire": done},
	)
	h.decides(d.ID, true)
	want(t, h.gets(d.ID).Country, "DE")
	h.identifies(person, "", reliance)
	want(t, h.gets(d.ID).Country, "") // no longer the newest

	again := h.makes("Person", "noor+resubmit@b")
	d = h.identifies(again, "", direct)
	h.Advance(10 * time.Second)
	want(t, h.gets(d.ID).Steps, map[string]shownStep{
		"identity": {Result: "Declined", Retry: true, Comment: "wanted once more"}, "selfie": done,
		"proof_of_residence": done, "questionnaire": done,
	})
}

func TestSupersede(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	path := h.person()
	const pending = `409 "customer has a pending identification"`
	first := h.identifies(sandboxtest.ID(1), "", direct)
	want(t, h.answer("POST", path, direct), pending)
	want(t, h.answer("POST", path+"/v2", `{"type":"Link"}`), pending)
	h.decides(first.ID, true)
	want(t, h.customer(sandboxtest.ID(1)).Status, "Active")
	second := h.identifies(sandboxtest.ID(1), "", reliance)
	want(t, h.customer(sandboxtest.ID(1)).Status, "IdentificationRequired")
	third := h.identifies(sandboxtest.ID(1), "", reliance)
	h.decides(second.ID, true) // it counts no more
	c := h.customer(sandboxtest.ID(1))
	want(t, c.Status+" "+c.IdentificationStatus, "IdentificationRequired Processed")
	want(t, c.IdentificationIDs, []string{first.ID, second.ID, third.ID})

	// An expired one is in nobody's way.
	fourth := h.identifies(sandboxtest.ID(1), "", direct)
	h.Advance(168*time.Hour - 1)
	want(t, h.answer("POST", path, direct), pending)
	h.Advance(1)
	want(t, h.answer("POST", path, direct)[:3], "201")
	want(t, h.gets(fourth.ID).Status, "Expired")
}

func TestDecide(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	h.person()
	d := h.identifies(sandboxtest.ID(1), "", direct)
	path := "/sandbox/identification/" + d.ID
	for body, wrong := range map[string]string{
		``: `400 "the body is not a JSON object"`, `{}`: `400 "approved is required"`,
		`{"approved":"yes"}`: `400 "approved is not true or false"`,
	} {
		want(t, h.answer("POST", path, body), wrong)
	}

	// By hand it needs no key at all, and with a caller's none of Iron's.
	bare := sandboxtest.Keyless("POST", base+path, `{"approved":false}`)
	want(t, h.Do(bare).Code, 201)
	want(t, h.Log()[len(h.Log())-1], "decide-identification 201 true")
	const over = `404 "pending identification not found"`
	for _, key := range []string{"", "local-key", "sandbox-iron-key"} {
		r := h.request("POST", path, `{"approved":true}`)
		r.Header.Set("X-API-Key", key)
		want(t, sandboxtest.Text(h.Do(r)), over)
	}
	want(t, h.gets(d.ID).Status, "Declined")
	d = h.identifies(sandboxtest.ID(1), "", reliance)
	r := sandboxtest.Keyless("POST", base+"/sandbox/identification/"+d.ID, `{"approved":true}`)
	r.Header.Set("X-API-Key", "local-key")
	want(t, h.Do(r).Code, 201)

	// What was to come is called off by a decision.
	customer := h.makes("Person", "decline@b")
	d = h.identifies(customer, "", direct)
	h.Advance(7 * time.Second)
	h.decides(d.ID, true)
	h.Advance(time.Hour)
	want(t, h.gets(d.ID).Status, "Approved")
}

func TestArchive(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	customer := h.makes("Person", "noor+approve@b")
	path := "/customers/" + customer + "/identifications"
	first := h.identifies(customer, "", direct)
	archived := sandboxtest.Decoded[shownIdentification](
		h.T, h.Do(h.request("PUT", "/identifications/"+first.ID+"/archive", "")), 200,
	)
	want(t, archived.Status+archived.URL, "Archived")
	want(t, h.answer("PUT", "/identifications/"+first.ID+"/archive", "")[:3], "200")
	h.Advance(time.Hour)
	want(t, h.gets(first.ID).Status, "Archived")
	want(t, h.decides(first.ID, true), `404 "pending identification not found"`)

	second := h.identifies(customer, "", direct)
	h.Advance(time.Minute)
	want(t, h.customer(customer).Status, "Active")
	c := sandboxtest.Decoded[shownCustomer](h.T, h.Do(h.request("PUT", "/customers/"+customer+"/archive", "")), 200)
	want(t, c.Status+" "+c.IdentificationStatus, "Archived Archived")
	want(t, h.gets(second.ID).Status, "Archived")
	want(t, h.answer("PUT", "/customers/"+customer+"/archive", "")[:3], "200")
	const refused = `403 "customer is archived"`
	want(t, h.answer("POST", path, direct), refused)
	want(t, h.answer("POST", path+"/v2", `{"type":"Link"}`), refused)
	want(t, h.answer("GET", "/customers/"+customer+"/required-signings", ""), refused)
	want(t, h.answer("POST", "/customers/"+customer+"/signings", `{}`), refused)
	var effects []string
	for _, row := range h.Log() {
		if strings.HasPrefix(row, "archive-") {
			effects = append(effects, row)
		}
	}
	want(
		t, effects,
		[]string{
			"archive-identification 200 true", "archive-identification 200 false", "archive-customer 200 true",
			"archive-customer 200 false",
		},
	)
}

// TestConcurrency: of concurrent creates of one pending identification one has an effect, and of repeats of one
// request.
func TestConcurrency(t *testing.T) {
	for name, repeats := range map[string]bool{"Repeats": true, "Others": false} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			path := h.person()
			var requests []*http.Request
			for range 20 {
				r := h.request("POST", path, direct)
				if repeats {
					r.Header.Set("IDEMPOTENCY-KEY", idempotencyKey(500))
				}
				requests = append(requests, r)
			}
			answers := make(chan string)
			for _, r := range requests {
				go func() { answers <- fmt.Sprint(h.Do(r).Code) }()
			}
			got := map[string]int{}
			for range requests {
				got[<-answers]++
			}
			if repeats {
				want(t, got, map[string]int{"201": 20})
			} else {
				want(t, got, map[string]int{"201": 1, "409": 19})
			}
			want(t, len(h.customer(sandboxtest.ID(1)).IdentificationIDs), 1)
		})
	}
}
