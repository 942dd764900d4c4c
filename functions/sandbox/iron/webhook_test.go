package iron_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/sandboxtest"
)

type hooks struct{ sandboxtest.Hooks[hook] }

type hook struct{ url, contentType, id, timestamp, signature, body string }

func (k *hooks) to(o *options) {
	k.Take(&o.Options, func(r *http.Request, body string) (hook, error) {
		return hook{r.Method + " " + r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("webhook-id"),
			r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), body}, nil
	})
}

// told returns what came since it was asked before: the status, or the kind of event, of each.
func (k *hooks) told(t testing.TB) (all []string) {
	t.Helper()
	k.Lock()
	defer k.Unlock()
	for _, got := range k.Got {
		var hook struct {
			Type string `json:"type"`
			Data struct {
				Message map[string]struct{ ID, Status, Kind string } `json:"message"`
			} `json:"data"`
		}
		if err := json.Unmarshal([]byte(got.body), &hook, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Error(err, got.body)
		}
		for _, m := range hook.Data.Message {
			all = append(all, hook.Type+" "+m.Status+m.Kind)
		}
	}
	k.Got = nil
	return all
}

func signed(secret, timestamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + body))
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// TestWebhook_Vector: the one of §6.1.
func TestWebhook_Vector(t *testing.T) {
	const body = `{"type":"identification_status","timestamp":"2026-03-02T09:16:40.118+00:00","data":{"customer_id":"7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21",` +
		`"message":{"IdentificationStatus":{"id":"e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10","status":"Approved"}}}}`
	for _, secret := range []string{"demo-secret-01", "whsec_ZGVtby1zZWNyZXQtMDE="} {
		k, store := &hooks{}, &sandboxtest.Memory{}
		h := openOn(t, store, k.to, func(o *options) { o.Partner.WebhookSecret = secret })
		h.Advance(time.Unix(1772443001, 0).Sub(sandboxtest.Start))
		queued, err := json.Marshal(
			map[string]any{"partner": "iron", "path": "/callbacks/iron", "body": []byte(body), "due": sandboxtest.Start},
		)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Update(t.Context(), func(tx sandbox.Tx) error { return tx.Put("callbacks/1", queued) }); err != nil {
			t.Fatal(err)
		}
		h.Deliver()
		want(t, k.Got, []hook{{"POST http://gateway/callbacks/iron", "application/json", sandboxtest.ID(1), "1772443001",
			"v1=9d12a0190499e7841011bf8edcc3b930323abbd739e2c38901eb6b04995df2bd", body}})
	}
}

func TestWebhook(t *testing.T) {
	k := &hooks{}
	h := openOn(t, &sandboxtest.Memory{}, k.to)
	customer := h.makes("Person", "noor@example.com")
	h.Advance(118 * time.Millisecond)
	d := h.identifies(customer, "", direct)
	h.decides(d.ID, true)
	body := func(kind, at, message string) string {
		return `{"type":"` + kind + `","timestamp":"2026-01-02T03:04:05.` + at + `+00:00","data":{"customer_id":"` + customer + `","message":` + message + `}}`
	}
	bodies := []string{
		body("customer_created", "000", `{"Event":{"id":"`+customer+`","kind":"CustomerCreated"}}`),
		body("identification_status", "118", `{"IdentificationStatus":{"id":"`+d.ID+`","status":"Approved"}}`),
		body("customer_status", "118", `{"CustomerStatus":{"id":"`+customer+`","status":"Active"}}`),
	}
	ids := map[string]bool{}
	want(t, len(k.Got), len(bodies))
	for n, got := range k.Got {
		ids[got.id] = true
		want(t, got, hook{"POST http://gateway/callbacks/iron", "application/json", got.id, "1767323045",
			signed("sandbox-iron-webhook-secret", "1767323045", bodies[n]), bodies[n]})
	}
	want(t, len(ids), len(bodies))

	k.told(t)
	h.set("webhook_shape", "flat")
	h.makes("Person", "flat@example.com")
	h.answer("PUT", "/identifications/"+d.ID+"/archive", "")
	want(t, len(k.Got), 3)
	want(t, k.Got[1].body, body("identification_status", "118", `{"id":"`+d.ID+`","status":"Archived"}`))
	want(t, k.Got[2].body, body("customer_status", "118", `{"id":"`+customer+`","status":"IdentificationRequired"}`))
}

// TestWebhook_IDs: by default an id of an attempt is a UUIDv4.
func TestWebhook_IDs(t *testing.T) {
	k := &hooks{}
	h := openOn(t, &sandboxtest.Memory{}, k.to, func(o *options) { o.NewID = nil })
	h.makes("Person", "noor@example.com")
	want(
		t,
		regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(k.Got[0].id),
		true,
	)
}

// TestWebhook_Moves: what comes by itself is told when it comes, and what was called off never.
func TestWebhook_Moves(t *testing.T) {
	pass := func(h *harness, k *hooks, d time.Duration) []string {
		h.Advance(d)
		h.Deliver()
		return k.told(t)
	}
	begin := func(t *testing.T, email, body string) (*harness, *hooks, string, shownIdentification) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		customer := h.makes("Person", email)
		d := h.identifies(customer, "", body)
		want(t, k.told(t), []string{"customer_created CustomerCreated"})
		return h, k, customer, d
	}
	none := []string(nil)
	t.Run("Approve", func(t *testing.T) {
		h, k, _, _ := begin(t, "approve@b", direct)
		want(t, pass(h, k, 5*time.Second-1), none)
		want(t, pass(h, k, 1), []string{"identification_status Processed"})
		want(t, pass(h, k, 5*time.Second), []string{"identification_status PendingReview"})
		want(t, pass(h, k, 5*time.Second), []string{"identification_status Approved", "customer_status Active"})
		want(t, pass(h, k, 1000*time.Hour), none)
	})
	t.Run("AllAtOnce", func(t *testing.T) {
		h, k, _, _ := begin(t, "decline@b", direct)
		want(
			t, pass(h, k, time.Hour),
			[]string{"identification_status Processed", "identification_status PendingReview", "identification_status Declined"},
		)
	})
	t.Run("Expires", func(t *testing.T) {
		h, k, _, _ := begin(t, "noor@b", direct)
		want(t, pass(h, k, 168*time.Hour-1), none)
		want(t, pass(h, k, 1), []string{"identification_status Expired"})
	})
	t.Run("Decided", func(t *testing.T) {
		h, k, _, d := begin(t, "approve@b", direct)
		want(t, pass(h, k, 7*time.Second), []string{"identification_status Processed"})
		h.decides(d.ID, false)
		want(t, k.told(t), []string{"identification_status Declined"})
		want(t, pass(h, k, 1000*time.Hour), none)
	})
	t.Run("Archived", func(t *testing.T) {
		h, k, customer, _ := begin(t, "approve@b", direct)
		h.answer("PUT", "/customers/"+customer+"/archive", "")
		want(t, k.told(t), []string{"identification_status Archived", "customer_status Archived"})
		want(t, pass(h, k, 1000*time.Hour), none)
	})
	t.Run("Superseded", func(t *testing.T) { // the older one goes on, and means nothing to the customer
		h, k, customer, _ := begin(t, "approve@b", reliance)
		h.Advance(time.Second)
		h.identifies(customer, "", reliance)
		want(
			t, pass(h, k, 9*time.Second),
			[]string{
				"identification_status PendingReview", "identification_status PendingReview", "identification_status Approved",
			},
		)
		want(t, h.customer(customer).Status, "IdentificationRequired")
		want(t, pass(h, k, time.Second), []string{"identification_status Approved", "customer_status Active"})
		h.identifies(customer, "", reliance)
		want(t, k.told(t), []string{"customer_status IdentificationRequired"})
	})
	t.Run("Signed", func(t *testing.T) { // before the approval that was to come, and means more then
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.set("signings", "first")
		customer := h.makes("Person", "approve@b")
		h.identifies(customer, "", reliance)
		h.answer(
			"POST", "/customers/"+customer+"/signings", `{"content_id":"22222222-2222-4222-8222-222222222222","signed":true}`,
		)
		want(t, k.told(t), []string{"customer_created CustomerCreated", "customer_status IdentificationRequired"})
		want(
			t, pass(h, k, 10*time.Second),
			[]string{"identification_status PendingReview", "identification_status Approved", "customer_status Active"},
		)
		want(t, pass(h, k, time.Hour), none)
	})
	t.Run("Reset", func(t *testing.T) {
		h, k, _, _ := begin(t, "approve@b", direct)
		h.answer("POST", "/sandbox/reset", "")
		want(t, pass(h, k, 1000*time.Hour), none)
	})
	t.Run("Lost", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.set("callbacks", "lost")
		h.identifies(h.makes("Person", "approve@b"), "", direct)
		want(t, pass(h, k, time.Hour), none)
	})
}

// TestWebhook_Schedule: six tries, each with an id and a time of its own; any 2xx ends them.
func TestWebhook_Schedule(t *testing.T) {
	for _, scale := range []float64{1, 20} {
		k := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{500, 401, 302, 404, 503}}}
		h := openOn(t, &sandboxtest.Memory{}, k.to, func(o *options) { o.TimeScale = scale })
		h.makes("Person", "noor@example.com")
		for n, pause := range []time.Duration{
			time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute,
		} {
			h.Advance(time.Duration(float64(pause)/scale) - 1)
			h.Deliver()
			want(t, len(k.Got), n+1)
			h.Advance(1)
			h.Deliver()
			want(t, len(k.Got), n+2)
			want(t, k.Got[n+1].timestamp, fmt.Sprint(h.Now().Unix()))
		}
		h.Advance(1000 * time.Hour)
		h.Deliver()
		want(t, len(k.Got), 6)
		ids := map[string]bool{}
		for _, got := range k.Got {
			ids[got.id] = true
			want(t, got.signature, signed("sandbox-iron-webhook-secret", got.timestamp, got.body))
			want(t, got.body, k.Got[0].body)
		}
		want(t, len(ids), 6)
	}
	for _, status := range []int{200, 202, 204, 299} {
		k := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{503, status}}}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.makes("Person", "noor@example.com")
		for range 3 {
			h.Advance(time.Hour)
			h.Deliver()
		}
		var rows []string
		for _, r := range h.Rows("?partner=iron&operation=callback") {
			rows = append(rows, fmt.Sprintf("%d %t", r.Status, r.Effect))
		}
		want(t, rows, []string{"503 false", fmt.Sprint(status, " true")})
	}
}

func TestWebhook_Faults(t *testing.T) {
	arm := func(h *harness, fault string) {
		want(
			t,
			h.Do(
				sandboxtest.Request("POST", "/sandbox/faults", `{"partner":"iron","operation":"callback","fault":"`+fault+`"}`),
			).Code,
			200,
		)
	}
	t.Run("Duplicate", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		arm(h, "duplicate_callback")
		h.makes("Person", "noor@example.com")
		want(t, len(k.Got), 2)
		want(t, k.Got[0].body == k.Got[1].body && k.Got[0].id != k.Got[1].id, true)
	})
	t.Run("Late", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		arm(h, "late_callback")
		h.makes("Person", "noor@example.com")
		h.Advance(90*time.Minute - 1)
		h.Deliver()
		want(t, len(k.Got), 0)
		h.Advance(1)
		h.Deliver()
		want(t, k.Got[0].timestamp, fmt.Sprint(sandboxtest.Start.Add(90*time.Minute).Unix())) // of the attempt
	})
	t.Run("Forged", func(t *testing.T) {
		k := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{401}}}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		arm(h, "forged_callback")
		h.makes("Person", "noor@example.com")
		right := signed("sandbox-iron-webhook-secret", k.Got[0].timestamp, k.Got[0].body)
		want(t, len(k.Got[0].signature) == len(right) && k.Got[0].signature != right, true)
		h.Advance(24 * time.Hour)
		h.Deliver()
		want(t, len(k.Got), 1)
	})
}
