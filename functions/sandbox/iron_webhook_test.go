package sandbox_test

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
)

type ironHooks struct{ hooks[ironHook] }

type ironHook struct{ url, contentType, id, timestamp, signature, body string }

func (k *ironHooks) to(o *sandbox.Options) {
	k.take(o, func(r *http.Request, body string) (ironHook, error) {
		return ironHook{r.Method + " " + r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("webhook-id"),
			r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), body}, nil
	})
}

// told returns what came since it was asked before: the status, or the kind of event, of each.
func (k *ironHooks) told(t testing.TB) (all []string) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, got := range k.got {
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
	k.got = nil
	return all
}

func ironSigned(secret, timestamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + body))
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// TestIronWebhook_Vector: the one of iron §11.
func TestIronWebhook_Vector(t *testing.T) {
	const body = `{"type":"identification_status","timestamp":"2026-03-02T09:16:40.118+00:00","data":{"customer_id":"7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21",` +
		`"message":{"IdentificationStatus":{"id":"e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10","status":"Approved"}}}}`
	for _, secret := range []string{"demo-secret-01", "whsec_ZGVtby1zZWNyZXQtMDE="} {
		k, store := &ironHooks{}, &memory{}
		h := openOn(t, store, k.to, func(o *sandbox.Options) { o.Iron.WebhookSecret = secret })
		h.advance(time.Unix(1772443001, 0).Sub(start))
		queued, err := json.Marshal(map[string]any{"partner": "iron", "path": "/callbacks/iron", "body": []byte(body), "due": start})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Update(t.Context(), func(tx sandbox.Tx) error { return tx.Put("callbacks/1", queued) }); err != nil {
			t.Fatal(err)
		}
		h.deliver()
		want(t, k.got, []ironHook{{"POST http://gateway/callbacks/iron", "application/json", id(1), "1772443001",
			"v1=9d12a0190499e7841011bf8edcc3b930323abbd739e2c38901eb6b04995df2bd", body}})
	}
}

func TestIronWebhook(t *testing.T) {
	k := &ironHooks{}
	h := openOn(t, &memory{}, k.to)
	customer := h.ironMakes("Person", "noor@example.com")
	h.advance(118 * time.Millisecond)
	d := h.ironIdentifies(customer, "", ironDirect)
	h.ironDecides(d.ID, true)
	body := func(kind, at, message string) string {
		return `{"type":"` + kind + `","timestamp":"2026-01-02T03:04:05.` + at + `+00:00","data":{"customer_id":"` + customer + `","message":` + message + `}}`
	}
	bodies := []string{
		body("customer_created", "000", `{"Event":{"id":"`+customer+`","kind":"CustomerCreated"}}`),
		body("identification_status", "118", `{"IdentificationStatus":{"id":"`+d.ID+`","status":"Approved"}}`),
		body("customer_status", "118", `{"CustomerStatus":{"id":"`+customer+`","status":"Active"}}`),
	}
	ids := map[string]bool{}
	want(t, len(k.got), len(bodies))
	for n, got := range k.got {
		ids[got.id] = true
		want(t, got, ironHook{"POST http://gateway/callbacks/iron", "application/json", got.id, "1767323045",
			ironSigned("sandbox-iron-webhook-secret", "1767323045", bodies[n]), bodies[n]})
	}
	want(t, len(ids), len(bodies))

	k.told(t)
	h.setIron("webhook_shape", "flat")
	h.ironMakes("Person", "flat@example.com")
	h.ir("PUT", "/identifications/"+d.ID+"/archive", "")
	want(t, len(k.got), 3)
	want(t, k.got[1].body, body("identification_status", "118", `{"id":"`+d.ID+`","status":"Archived"}`))
	want(t, k.got[2].body, body("customer_status", "118", `{"id":"`+customer+`","status":"IdentificationRequired"}`))
}

// TestIronWebhook_IDs: by default an id of an attempt is a UUIDv4.
func TestIronWebhook_IDs(t *testing.T) {
	k := &ironHooks{}
	h := openOn(t, &memory{}, k.to, func(o *sandbox.Options) { o.NewID = nil })
	h.ironMakes("Person", "noor@example.com")
	want(t, regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(k.got[0].id), true)
}

// TestIronWebhook_Moves: what comes by itself is told when it comes, and what was called off never.
func TestIronWebhook_Moves(t *testing.T) {
	pass := func(h *harness, k *ironHooks, d time.Duration) []string {
		h.advance(d)
		h.deliver()
		return k.told(t)
	}
	begin := func(t *testing.T, email, body string) (*harness, *ironHooks, string, ironIdentification) {
		k := &ironHooks{}
		h := openOn(t, &memory{}, k.to)
		customer := h.ironMakes("Person", email)
		d := h.ironIdentifies(customer, "", body)
		want(t, k.told(t), []string{"customer_created CustomerCreated"})
		return h, k, customer, d
	}
	none := []string(nil)
	t.Run("Approve", func(t *testing.T) {
		h, k, _, _ := begin(t, "approve@b", ironDirect)
		want(t, pass(h, k, 5*time.Second-1), none)
		want(t, pass(h, k, 1), []string{"identification_status Processed"})
		want(t, pass(h, k, 5*time.Second), []string{"identification_status PendingReview"})
		want(t, pass(h, k, 5*time.Second), []string{"identification_status Approved", "customer_status Active"})
		want(t, pass(h, k, 1000*time.Hour), none)
	})
	t.Run("AllAtOnce", func(t *testing.T) {
		h, k, _, _ := begin(t, "decline@b", ironDirect)
		want(t, pass(h, k, time.Hour), []string{"identification_status Processed", "identification_status PendingReview", "identification_status Declined"})
	})
	t.Run("Expires", func(t *testing.T) {
		h, k, _, _ := begin(t, "noor@b", ironDirect)
		want(t, pass(h, k, 168*time.Hour-1), none)
		want(t, pass(h, k, 1), []string{"identification_status Expired"})
	})
	t.Run("Decided", func(t *testing.T) {
		h, k, _, d := begin(t, "approve@b", ironDirect)
		want(t, pass(h, k, 7*time.Second), []string{"identification_status Processed"})
		h.ironDecides(d.ID, false)
		want(t, k.told(t), []string{"identification_status Declined"})
		want(t, pass(h, k, 1000*time.Hour), none)
	})
	t.Run("Archived", func(t *testing.T) {
		h, k, customer, _ := begin(t, "approve@b", ironDirect)
		h.ir("PUT", "/customers/"+customer+"/archive", "")
		want(t, k.told(t), []string{"identification_status Archived", "customer_status Archived"})
		want(t, pass(h, k, 1000*time.Hour), none)
	})
	t.Run("Superseded", func(t *testing.T) { // the older one goes on, and means nothing to the customer
		h, k, customer, _ := begin(t, "approve@b", ironReliance)
		h.advance(time.Second)
		h.ironIdentifies(customer, "", ironReliance)
		want(t, pass(h, k, 9*time.Second), []string{"identification_status PendingReview", "identification_status PendingReview", "identification_status Approved"})
		want(t, h.ironCustomer(customer).Status, "IdentificationRequired")
		want(t, pass(h, k, time.Second), []string{"identification_status Approved", "customer_status Active"})
		h.ironIdentifies(customer, "", ironReliance)
		want(t, k.told(t), []string{"customer_status IdentificationRequired"})
	})
	t.Run("Signed", func(t *testing.T) { // before the approval that was to come, and means more then
		k := &ironHooks{}
		h := openOn(t, &memory{}, k.to)
		h.setIron("signings", "first")
		customer := h.ironMakes("Person", "approve@b")
		h.ironIdentifies(customer, "", ironReliance)
		h.ir("POST", "/customers/"+customer+"/signings", `{"content_id":"22222222-2222-4222-8222-222222222222","signed":true}`)
		want(t, k.told(t), []string{"customer_created CustomerCreated", "customer_status IdentificationRequired"})
		want(t, pass(h, k, 10*time.Second), []string{"identification_status PendingReview", "identification_status Approved", "customer_status Active"})
		want(t, pass(h, k, time.Hour), none)
	})
	t.Run("Reset", func(t *testing.T) {
		h, k, _, _ := begin(t, "approve@b", ironDirect)
		h.ir("POST", "/sandbox/reset", "")
		want(t, pass(h, k, 1000*time.Hour), none)
	})
	t.Run("Lost", func(t *testing.T) {
		k := &ironHooks{}
		h := openOn(t, &memory{}, k.to)
		h.setIron("callbacks", "lost")
		h.ironIdentifies(h.ironMakes("Person", "approve@b"), "", ironDirect)
		want(t, pass(h, k, time.Hour), none)
	})
}

// TestIronWebhook_Schedule: six tries, each with an id and a time of its own; any 2xx ends them.
func TestIronWebhook_Schedule(t *testing.T) {
	for _, scale := range []float64{1, 20} {
		k := &ironHooks{hooks[ironHook]{statuses: []int{500, 401, 302, 404, 503}}}
		h := openOn(t, &memory{}, k.to, func(o *sandbox.Options) { o.TimeScale = scale })
		h.ironMakes("Person", "noor@example.com")
		for n, pause := range []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute} {
			h.advance(time.Duration(float64(pause)/scale) - 1)
			h.deliver()
			want(t, len(k.got), n+1)
			h.advance(1)
			h.deliver()
			want(t, len(k.got), n+2)
			want(t, k.got[n+1].timestamp, fmt.Sprint(h.now.Unix()))
		}
		h.advance(1000 * time.Hour)
		h.deliver()
		want(t, len(k.got), 6)
		ids := map[string]bool{}
		for _, got := range k.got {
			ids[got.id] = true
			want(t, got.signature, ironSigned("sandbox-iron-webhook-secret", got.timestamp, got.body))
			want(t, got.body, k.got[0].body)
		}
		want(t, len(ids), 6)
	}
	for _, status := range []int{200, 202, 204, 299} {
		k := &ironHooks{hooks[ironHook]{statuses: []int{503, status}}}
		h := openOn(t, &memory{}, k.to)
		h.ironMakes("Person", "noor@example.com")
		for range 3 {
			h.advance(time.Hour)
			h.deliver()
		}
		var rows []string
		for _, r := range h.rows("?partner=iron&operation=callback") {
			rows = append(rows, fmt.Sprintf("%d %t", r.Status, r.Effect))
		}
		want(t, rows, []string{"503 false", fmt.Sprint(status, " true")})
	}
}

func TestIronWebhook_Faults(t *testing.T) {
	arm := func(h *harness, fault string) {
		want(t, h.do(request("POST", "/sandbox/faults", `{"partner":"iron","operation":"callback","fault":"`+fault+`"}`)).Code, 200)
	}
	t.Run("Duplicate", func(t *testing.T) {
		k := &ironHooks{}
		h := openOn(t, &memory{}, k.to)
		arm(h, "duplicate_callback")
		h.ironMakes("Person", "noor@example.com")
		want(t, len(k.got), 2)
		want(t, k.got[0].body == k.got[1].body && k.got[0].id != k.got[1].id, true)
	})
	t.Run("Late", func(t *testing.T) {
		k := &ironHooks{}
		h := openOn(t, &memory{}, k.to)
		arm(h, "late_callback")
		h.ironMakes("Person", "noor@example.com")
		h.advance(90*time.Minute - 1)
		h.deliver()
		want(t, len(k.got), 0)
		h.advance(1)
		h.deliver()
		want(t, k.got[0].timestamp, fmt.Sprint(start.Add(90*time.Minute).Unix())) // of the attempt
	})
	t.Run("Forged", func(t *testing.T) {
		k := &ironHooks{hooks[ironHook]{statuses: []int{401}}}
		h := openOn(t, &memory{}, k.to)
		arm(h, "forged_callback")
		h.ironMakes("Person", "noor@example.com")
		right := ironSigned("sandbox-iron-webhook-secret", k.got[0].timestamp, k.got[0].body)
		want(t, len(k.got[0].signature) == len(right) && k.got[0].signature != right, true)
		h.advance(24 * time.Hour)
		h.deliver()
		want(t, len(k.got), 1)
	})
}
