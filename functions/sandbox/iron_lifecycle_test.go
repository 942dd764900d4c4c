package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/functions/sandbox"
)

// TestIron_Fixtures: what becomes of an identification by itself, by its customer's email. A time is one at which it stands
// otherwise than a nanosecond before.
func TestIron_Fixtures(t *testing.T) {
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
		{"Approve", "approve@example.com", "", ironDirect, "", []stands{{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "PendingReview"}, {15 * second, "Approved"}, {1000 * time.Hour, "Approved"}}},
		{"Tagged", "noor+x+Approve@example.com", "/v2", `{"type":"Link"}`, "", []stands{{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "PendingReview"}, {15 * second, "Approved"}}},
		{"Whole", "approve@example.com", "", ironReliance, "", []stands{{0, "Processed"}, {5 * second, "PendingReview"}, {10 * second, "Approved"}}},
		{"Decline", "noor+decline@example.com", "", ironDirect, "", []stands{{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "PendingReview"}, {15 * second, "Declined"}}},
		{"Review", "review@example.com", "", ironDirect, "", []stands{{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "PendingReview"}, {1000 * time.Hour, "PendingReview"}}},
		{"Expire", "expire@example.com", "", ironDirect, "", []stands{{0, "Pending"}, {60 * second, "Expired"}}},
		{"ExpireWhole", "expire@example.com", "", ironReliance, "", []stands{{0, "Processed"}, {1000 * time.Hour, "Processed"}}},
		{"Resubmit", "resubmit@example.com", "", ironDirect, "", []stands{{0, "Pending"}, {5 * second, "Processed"}, {10 * second, "Pending"}, {10*second + 168*time.Hour, "Expired"}}},
		{"ByHand", "noor@example.com", "", ironReliance, "", []stands{{0, "Processed"}, {1000 * time.Hour, "Processed"}}},
		{"Automatic", "noor@example.com", "", ironReliance, "review automatic", []stands{{0, "Processed"}, {5 * second, "PendingReview"}, {10 * second, "Approved"}}},
		{"AutomaticPending", "noor@example.com", "", ironDirect, "review automatic", []stands{{0, "Pending"}, {168 * time.Hour, "Expired"}}},
		{"Week", "noor@example.com", "", ironDirect, "", []stands{{0, "Pending"}, {168 * time.Hour, "Expired"}}},
		{"Hour", "noor@example.com", "", ironDirect, "pending_lifetime 1h", []stands{{0, "Pending"}, {time.Hour, "Expired"}}},
		{"Minute", "noor@example.com", "/v2", `{"type":"Link"}`, "pending_lifetime 1m", []stands{{0, "Pending"}, {time.Minute, "Expired"}}},
		{"Incomplete", "noor@example.com", "/v2", ironTokenV2("kyc_questionnaire", ""), "", []stands{{0, "Pending"}, {168 * time.Hour, "Expired"}}},
	} {
		for _, scale := range []float64{1, 40} {
			t.Run(fmt.Sprint(test.name, scale), func(t *testing.T) {
				h := openOn(t, &memory{}, func(o *sandbox.Options) { o.TimeScale = scale })
				if name, value, ok := strings.Cut(test.settings, " "); ok {
					h.setIron(name, value)
				}
				customer := h.ironMakes("Person", test.email)
				d := h.ironIdentifies(customer, test.path, test.body)
				want(t, d.Status, test.want[0].status)
				before := time.Duration(0)
				for n, s := range test.want[1:] {
					now := time.Duration(float64(s.after) / scale)
					h.advance(now - before - 1)
					want(t, h.ironGets(d.ID).Status, test.want[n].status)
					h.advance(1)
					before = now
					got := h.ironGets(d.ID)
					want(t, got.Status, s.status)
					want(t, got.URL != "", s.status == "Pending")
					if s.status != test.want[n].status {
						want(t, got.UpdatedAt.Equal(start.Add(now)), true)
					}
					c := h.ironCustomer(customer)
					want(t, c.IdentificationStatus, s.status)
					want(t, c.Status == "Active", s.status == "Approved")
					list := h.ir("GET", "/customers/"+customer+"/identifications", "")
					want(t, strings.Contains(list, `"status":"`+s.status+`"`), true)
				}
			})
		}
	}
}

// TestIron_Steps: who is asked for what.
func TestIron_Steps(t *testing.T) {
	h := openOn(t, &memory{})
	awaited, done := ironStep{Result: "Pending", Retry: true}, ironStep{Result: "Processed"}
	person, business := h.ironMakes("Person", "a@b"), h.ironMakes("Business", "b@b")
	d := h.ironIdentifies(business, "", ironDirect)
	want(t, d.Steps, map[string]ironStep{"company_data": awaited, "company_beneficiaries": awaited, "company_documents": awaited, "questionnaire": awaited})
	h.ironDecides(d.ID, true)
	want(t, h.ironGets(d.ID).Country, "") // nobody said

	d = h.ironIdentifies(business, "/v2", at(t, ironBusinessBodyV2, "company_data.documents", "[]"))
	want(t, d.Status+" "+fmt.Sprint(d.URL != ""), "Pending true")
	want(t, d.Steps, map[string]ironStep{"company_data": done, "company_beneficiaries": done, "company_documents": awaited, "questionnaire": done})
	h.ironDecides(d.ID, true)
	want(t, h.ironGets(d.ID).Country, "DE")

	d = h.ironIdentifies(person, "/v2", ironTokenV2("kyc_questionnaire", ""))
	want(t, d.Steps, map[string]ironStep{"identity": done, "selfie": done, "proof_of_residence": done, "questionnaire": awaited})
	h.ironDecides(d.ID, false)

	d = h.ironIdentifies(person, "", ironPersonBodyV1)
	want(t, d.Status+d.URL+d.Country, "Processed")
	want(t, d.Steps, map[string]ironStep{"identity": done, "selfie": done, "proof_of_residence": done, "questionnaire": done})
	h.ironDecides(d.ID, true)
	want(t, h.ironGets(d.ID).Country, "DE")
	h.ironIdentifies(person, "", ironReliance)
	want(t, h.ironGets(d.ID).Country, "") // no longer the newest

	again := h.ironMakes("Person", "noor+resubmit@b")
	d = h.ironIdentifies(again, "", ironDirect)
	h.advance(10 * time.Second)
	want(t, h.ironGets(d.ID).Steps, map[string]ironStep{
		"identity": {Result: "Declined", Retry: true, Comment: "wanted once more"}, "selfie": done, "proof_of_residence": done, "questionnaire": done,
	})
}

func TestIron_Supersede(t *testing.T) {
	h := openOn(t, &memory{})
	path := h.ironPerson()
	const pending = `409 "customer has a pending identification"`
	first := h.ironIdentifies(id(1), "", ironDirect)
	want(t, h.ir("POST", path, ironDirect), pending)
	want(t, h.ir("POST", path+"/v2", `{"type":"Link"}`), pending)
	h.ironDecides(first.ID, true)
	want(t, h.ironCustomer(id(1)).Status, "Active")
	second := h.ironIdentifies(id(1), "", ironReliance)
	want(t, h.ironCustomer(id(1)).Status, "IdentificationRequired")
	third := h.ironIdentifies(id(1), "", ironReliance)
	h.ironDecides(second.ID, true) // it counts no more
	c := h.ironCustomer(id(1))
	want(t, c.Status+" "+c.IdentificationStatus, "IdentificationRequired Processed")
	want(t, c.IdentificationIDs, []string{first.ID, second.ID, third.ID})

	// An expired one is in nobody's way.
	fourth := h.ironIdentifies(id(1), "", ironDirect)
	h.advance(168*time.Hour - 1)
	want(t, h.ir("POST", path, ironDirect), pending)
	h.advance(1)
	want(t, h.ir("POST", path, ironDirect)[:3], "201")
	want(t, h.ironGets(fourth.ID).Status, "Expired")
}

func TestIron_Decide(t *testing.T) {
	h := openOn(t, &memory{})
	h.ironPerson()
	d := h.ironIdentifies(id(1), "", ironDirect)
	path := "/sandbox/identification/" + d.ID
	for body, wrong := range map[string]string{
		``: `400 "the body is not a JSON object"`, `{}`: `400 "approved is required"`, `{"approved":"yes"}`: `400 "approved is not true or false"`,
	} {
		want(t, h.ir("POST", path, body), wrong)
	}

	// By hand it needs no key at all, and with a caller's none of Iron's.
	bare := keyless("POST", ironPath+path, `{"approved":false}`)
	want(t, h.do(bare).Code, 201)
	want(t, h.log()[len(h.log())-1], "decide-identification 201 true")
	const over = `404 "pending identification not found"`
	for _, key := range []string{"", "local-key", "sandbox-iron-key"} {
		r := h.toIron("POST", path, `{"approved":true}`)
		r.Header.Set("X-API-Key", key)
		want(t, text(h.do(r)), over)
	}
	want(t, h.ironGets(d.ID).Status, "Declined")
	d = h.ironIdentifies(id(1), "", ironReliance)
	r := keyless("POST", ironPath+"/sandbox/identification/"+d.ID, `{"approved":true}`)
	r.Header.Set("X-API-Key", "local-key")
	want(t, h.do(r).Code, 201)

	// What was to come is called off by a decision.
	customer := h.ironMakes("Person", "decline@b")
	d = h.ironIdentifies(customer, "", ironDirect)
	h.advance(7 * time.Second)
	h.ironDecides(d.ID, true)
	h.advance(time.Hour)
	want(t, h.ironGets(d.ID).Status, "Approved")
}

func TestIron_Archive(t *testing.T) {
	h := openOn(t, &memory{})
	customer := h.ironMakes("Person", "noor+approve@b")
	path := "/customers/" + customer + "/identifications"
	first := h.ironIdentifies(customer, "", ironDirect)
	archived := decoded[ironIdentification](h, h.do(h.toIron("PUT", "/identifications/"+first.ID+"/archive", "")), 200)
	want(t, archived.Status+archived.URL, "Archived")
	want(t, h.ir("PUT", "/identifications/"+first.ID+"/archive", "")[:3], "200")
	h.advance(time.Hour)
	want(t, h.ironGets(first.ID).Status, "Archived")
	want(t, h.ironDecides(first.ID, true), `404 "pending identification not found"`)

	second := h.ironIdentifies(customer, "", ironDirect)
	h.advance(time.Minute)
	want(t, h.ironCustomer(customer).Status, "Active")
	c := decoded[ironCustomer](h, h.do(h.toIron("PUT", "/customers/"+customer+"/archive", "")), 200)
	want(t, c.Status+" "+c.IdentificationStatus, "Archived Archived")
	want(t, h.ironGets(second.ID).Status, "Archived")
	want(t, h.ir("PUT", "/customers/"+customer+"/archive", "")[:3], "200")
	const refused = `403 "customer is archived"`
	want(t, h.ir("POST", path, ironDirect), refused)
	want(t, h.ir("POST", path+"/v2", `{"type":"Link"}`), refused)
	want(t, h.ir("GET", "/customers/"+customer+"/required-signings", ""), refused)
	want(t, h.ir("POST", "/customers/"+customer+"/signings", `{}`), refused)
	var effects []string
	for _, row := range h.log() {
		if strings.HasPrefix(row, "archive-") {
			effects = append(effects, row)
		}
	}
	want(t, effects, []string{"archive-identification 200 true", "archive-identification 200 false", "archive-customer 200 true", "archive-customer 200 false"})
}

// TestIron_Concurrency: of concurrent creates of one pending identification one has an effect, and of repeats of one request.
func TestIron_Concurrency(t *testing.T) {
	for name, repeats := range map[string]bool{"Repeats": true, "Others": false} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			path := h.ironPerson()
			var requests []*http.Request
			for range 20 {
				r := h.toIron("POST", path, ironDirect)
				if repeats {
					r.Header.Set("IDEMPOTENCY-KEY", ironKey(500))
				}
				requests = append(requests, r)
			}
			answers := make(chan string)
			for _, r := range requests {
				go func() { answers <- fmt.Sprint(h.do(r).Code) }()
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
			want(t, len(h.ironCustomer(id(1)).IdentificationIDs), 1)
		})
	}
}
