package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
)

type mbanqHooks struct{ hooks[mbanqHook] }

type mbanqHook struct{ url, contentType, entity, action, signature, body string }

func (k *mbanqHooks) to(o *sandbox.Options) {
	k.take(o, func(r *http.Request, body string) (mbanqHook, error) {
		return mbanqHook{r.Method + " " + r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("X-Fineract-Entity"),
			r.Header.Get("X-Fineract-Action"), r.Header.Get("signature"), body}, nil
	})
}

// about returns the actions that were told, in the order in which they came.
func (k *mbanqHooks) about() (actions []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, got := range k.got {
		actions = append(actions, got.action)
	}
	return actions
}

func mbanqSigned(secret, body string) string {
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// mbanqTold is a webhook of the sandbox, as it must arrive.
func mbanqTold(action, client string, at time.Time) mbanqHook {
	body := `{"entity":"CLIENT","action":"` + action + `","tenantId":"sandbox-tenant","timestamp":"` + at.Format(time.RFC3339Nano) + `",` +
		`"payload":{"clientId":` + client + `,"resourceId":` + client + `}}`
	return mbanqHook{"POST http://gateway/callbacks/mbanq", "application/json", "CLIENT", action, mbanqSigned("sandbox-webhook-secret", body), body}
}

func (h *harness) hookRows() (rows []string) {
	h.t.Helper()
	for _, r := range h.rows("?partner=mbanq&operation=callback") {
		rows = append(rows, fmt.Sprintf("%d %t", r.Status, r.Effect))
	}
	return rows
}

func (h *harness) armHook(fault string) {
	h.t.Helper()
	want(h.t, h.do(request("POST", "/sandbox/faults", `{"partner":"mbanq","operation":"callback","fault":"`+fault+`"}`)).Code, 200)
}

func TestMbanqWebhook(t *testing.T) {
	k := &mbanqHooks{}
	h := openOn(t, &memory{}, k.to)
	id := h.mbanqComplete()
	h.mbanqVerifies(id, "PARTIAL")
	h.advance(1500 * time.Millisecond)
	h.mbanqVerifies(id, "FULL")
	h.mbanqActivates(id)
	late := start.Add(1500 * time.Millisecond)
	want(t, k.got, []mbanqHook{mbanqTold("CREATE", id, start), mbanqTold("VERIFY", id, start), mbanqTold("VERIFY", id, late), mbanqTold("ACTIVATE", id, late)})
	want(t, h.hookRows(), []string{"200 true", "200 true", "200 true", "200 true"})

	// What changes nothing is not told.
	h.mbanqVerifies(id, "FULL")
	h.mbanqActivates(id)
	other := h.mbanqMakes()
	h.mbanqVerifies(other, "FULL")
	h.mbanqActivates(other)
	h.mb("DELETE", "/v1/clients/"+other, "")
	want(t, k.about(), []string{"CREATE", "VERIFY", "VERIFY", "ACTIVATE", "CREATE"})
}

// TestMbanqWebhook_Vector: the one of mbanq §10.
func TestMbanqWebhook_Vector(t *testing.T) {
	k, store := &mbanqHooks{}, &memory{}
	h := openOn(t, store, k.to, func(o *sandbox.Options) { o.Mbanq.WebhookSecret = "mbq-demo" })
	queued, err := json.Marshal(map[string]any{
		"partner": "mbanq", "path": "/callbacks/mbanq", "body": []byte(`{"entity":"CLIENT","action":"VERIFY"}`), "due": start,
	})
	if err != nil {
		t.Fatal(err)
	}
	err = store.Update(t.Context(), func(tx sandbox.Tx) error { return tx.Put("callbacks/1", queued) })
	if err != nil {
		t.Fatal(err)
	}
	h.deliver()
	want(t, k.got, []mbanqHook{{"POST http://gateway/callbacks/mbanq", "application/json", "CLIENT", "VERIFY",
		"c7646efb019f2fc99752b64bb7b3d5ec4df83f63dbf6751a116eaeb193a6fd71f2fe86948b352205342c0020aa8b936360099b64d8d88ac143558bb22250b19a",
		`{"entity":"CLIENT","action":"VERIFY"}`}})
}

// TestMbanqWebhook_Schedule: five tries, the pauses of which are scaled; any 2xx ends them.
func TestMbanqWebhook_Schedule(t *testing.T) {
	for _, scale := range []float64{1, 60} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			k := &mbanqHooks{hooks[mbanqHook]{statuses: []int{500, 401, 302, 404, 503}}}
			h := openOn(t, &memory{}, k.to, func(o *sandbox.Options) { o.TimeScale = scale })
			id := h.mbanqMakes()
			for i, minutes := range []time.Duration{1, 5, 15, 60} {
				h.advance(time.Duration(float64(minutes*time.Minute)/scale) - time.Nanosecond)
				h.deliver()
				want(t, len(k.got), i+1)
				h.advance(time.Nanosecond)
				h.deliver()
				want(t, len(k.got), i+2)
			}
			h.advance(1000 * time.Hour)
			h.deliver()
			want(t, h.hookRows(), []string{"500 false", "401 false", "302 false", "404 false", "503 false"})
			for _, got := range k.got {
				want(t, got, mbanqTold("CREATE", id, start))
			}
		})
	}
	for _, status := range []int{200, 202, 204, 299} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			k := &mbanqHooks{hooks[mbanqHook]{statuses: []int{503, status}}}
			h := openOn(t, &memory{}, k.to)
			h.mbanqMakes()
			for range 3 {
				h.advance(time.Hour)
				h.deliver()
			}
			want(t, h.hookRows(), []string{"503 false", fmt.Sprint(status, " true")})
		})
	}
}

func TestMbanqWebhook_Faults(t *testing.T) {
	t.Run("Duplicate", func(t *testing.T) {
		k := &mbanqHooks{}
		h := openOn(t, &memory{}, k.to)
		h.armHook("duplicate_callback")
		id := h.mbanqMakes()
		want(t, k.got, []mbanqHook{mbanqTold("CREATE", id, start), mbanqTold("CREATE", id, start)})
	})
	t.Run("Late", func(t *testing.T) {
		k := &mbanqHooks{}
		h := openOn(t, &memory{}, k.to, func(o *sandbox.Options) { o.TimeScale = 90 })
		h.armHook("late_callback")
		id := h.mbanqMakes()
		h.advance(time.Minute - time.Nanosecond)
		h.deliver()
		want(t, len(k.got), 0)
		h.advance(time.Nanosecond)
		h.deliver()
		want(t, k.got, []mbanqHook{mbanqTold("CREATE", id, start)})
	})
	t.Run("Forged", func(t *testing.T) {
		k := &mbanqHooks{hooks[mbanqHook]{statuses: []int{401}}}
		h := openOn(t, &memory{}, k.to)
		h.armHook("forged_callback")
		id := h.mbanqMakes()
		right := mbanqTold("CREATE", id, start)
		want(t, len(k.got[0].signature) == len(right.signature) && k.got[0].signature != right.signature, true)
		k.got[0].signature = right.signature
		want(t, k.got[0], right)
		h.advance(24 * time.Hour)
		h.deliver()
		want(t, len(k.got), 1) // instead of the true one, and once
	})
	t.Run("Lost", func(t *testing.T) {
		k := &mbanqHooks{}
		h := openOn(t, &memory{}, k.to)
		h.setMbanq("callbacks", "lost")
		h.armHook("duplicate_callback")
		id := h.mbanqComplete()
		h.mbanqVerifies(id, "FULL")
		h.advance(24 * time.Hour)
		h.deliver()
		want(t, len(k.got), 0)
		h.setMbanq("callbacks", "sent")
		h.mbanq.token = ""
		h.mbanqMakes()
		want(t, k.about(), []string{"CREATE", "CREATE"}) // what is not sent uses up no fault
	})
}

// TestMbanqWebhook_Async: a verification that runs is told of when it is over, whatever came of it.
func TestMbanqWebhook_Async(t *testing.T) {
	for has, state := range map[string]string{"address 41 44": "APPROVED", "address 41": "REJECTED"} {
		t.Run(state, func(t *testing.T) {
			k := &mbanqHooks{}
			h := openOn(t, &memory{}, k.to, func(o *sandbox.Options) { o.TimeScale = 10 })
			h.setMbanq("verify", "async")
			id := h.mbanqHaving(has)
			h.mbanqVerifies(id, "FULL")
			h.advance(3*time.Second - time.Nanosecond)
			h.deliver()
			want(t, k.about(), []string{"CREATE"})
			h.advance(time.Nanosecond)
			h.deliver()
			want(t, k.got[1:], []mbanqHook{mbanqTold("VERIFY", id, start.Add(3*time.Second))})
			want(t, strings.Contains(h.mb("GET", "/v1/clients/"+id, ""), `"clientVerificationStatus":"`+state+`"`), true)
		})
	}
	t.Run("Late", func(t *testing.T) {
		k := &mbanqHooks{}
		h := openOn(t, &memory{}, k.to)
		h.setMbanq("verify", "async")
		id := h.mbanqComplete()
		h.armHook("late_callback")
		h.mbanqVerifies(id, "FULL")
		h.advance(90*time.Minute + 30*time.Second - time.Nanosecond)
		h.deliver()
		want(t, len(k.got), 1)
		h.advance(time.Nanosecond)
		h.deliver()
		want(t, len(k.got), 2)
	})
	t.Run("Reset", func(t *testing.T) {
		k := &mbanqHooks{}
		h := openOn(t, &memory{}, k.to)
		h.setMbanq("verify", "async")
		h.mbanqVerifies(h.mbanqComplete(), "FULL")
		want(t, h.post("/sandbox/reset", ""), "204")
		h.advance(time.Hour)
		h.deliver()
		want(t, k.about(), []string{"CREATE"})
	})
}
