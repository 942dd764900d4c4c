package mbanq_test

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
	"sallyport/functions/sandbox/sandboxtest"
)

type hooks struct{ sandboxtest.Hooks[hook] }

type hook struct{ url, contentType, entity, action, signature, body string }

func (k *hooks) to(o *options) {
	k.Take(&o.Options, func(r *http.Request, body string) (hook, error) {
		return hook{r.Method + " " + r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("X-Fineract-Entity"),
			r.Header.Get("X-Fineract-Action"), r.Header.Get("signature"), body}, nil
	})
}

// about returns the actions that were told, in the order in which they came.
func (k *hooks) about() (actions []string) {
	k.Lock()
	defer k.Unlock()
	for _, got := range k.Got {
		actions = append(actions, got.action)
	}
	return actions
}

func signed(secret, body string) string {
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// told is a webhook of the sandbox, as it must arrive.
func told(action, client string, at time.Time) hook {
	body := `{"entity":"CLIENT","action":"` + action + `","tenantId":"sandbox-tenant","timestamp":"` + at.Format(time.RFC3339Nano) + `",` +
		`"payload":{"clientId":` + client + `,"resourceId":` + client + `}}`
	return hook{
		"POST http://gateway/callbacks/mbanq", "application/json", "CLIENT", action, signed("sandbox-webhook-secret", body),
		body,
	}
}

func (h *harness) hookRows() []string {
	h.T.Helper()
	return h.Sent("mbanq")
}

func (h *harness) armHook(fault string) {
	h.T.Helper()
	h.Arm("mbanq", "callback", fault)
}

func TestWebhook(t *testing.T) {
	k := &hooks{}
	h := openOn(t, &sandboxtest.Memory{}, k.to)
	id := h.complete()
	h.verifies(id, "PARTIAL")
	h.Advance(1500 * time.Millisecond)
	h.verifies(id, "FULL")
	h.activates(id)
	late := sandboxtest.Start.Add(1500 * time.Millisecond)
	want(
		t, k.Got,
		[]hook{
			told("CREATE", id, sandboxtest.Start), told("VERIFY", id, sandboxtest.Start), told("VERIFY", id, late),
			told("ACTIVATE", id, late),
		},
	)
	want(t, h.hookRows(), []string{"200 true", "200 true", "200 true", "200 true"})

	// What changes nothing is not told.
	h.verifies(id, "FULL")
	h.activates(id)
	other := h.makes()
	h.verifies(other, "FULL")
	h.activates(other)
	h.answer("DELETE", "/v1/clients/"+other, "")
	want(t, k.about(), []string{"CREATE", "VERIFY", "VERIFY", "ACTIVATE", "CREATE"})
}

// TestWebhook_Vector: the one of §10.
func TestWebhook_Vector(t *testing.T) {
	k, store := &hooks{}, &sandboxtest.Memory{}
	h := openOn(t, store, k.to, func(o *options) { o.Partner.WebhookSecret = "mbq-demo" })
	queued, err := json.Marshal(map[string]any{
		"partner": "mbanq", "path": "/callbacks/mbanq", "body": []byte(`{"entity":"CLIENT","action":"VERIFY"}`),
		"due": sandboxtest.Start,
	})
	if err != nil {
		t.Fatal(err)
	}
	err = store.Update(t.Context(), func(tx sandbox.Tx) error { return tx.Put("callbacks/1", queued) })
	if err != nil {
		t.Fatal(err)
	}
	h.Deliver()
	want(t, k.Got, []hook{{"POST http://gateway/callbacks/mbanq", "application/json", "CLIENT", "VERIFY",
		"c7646efb019f2fc99752b64bb7b3d5ec4df83f63dbf6751a116eaeb193a6fd71f2fe86948b352205342c0020aa8b936360099b64d8d88ac143558bb22250b19a",
		`{"entity":"CLIENT","action":"VERIFY"}`}})
}

// TestWebhook_Schedule: five tries, the pauses of which are scaled; any 2xx ends them.
func TestWebhook_Schedule(t *testing.T) {
	for _, scale := range []float64{1, 60} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			k := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{500, 401, 302, 404, 503}}}
			h := openOn(t, &sandboxtest.Memory{}, k.to, func(o *options) { o.TimeScale = scale })
			id := h.makes()
			for i, minutes := range []time.Duration{1, 5, 15, 60} {
				h.Advance(time.Duration(float64(minutes*time.Minute)/scale) - time.Nanosecond)
				h.Deliver()
				want(t, len(k.Got), i+1)
				h.Advance(time.Nanosecond)
				h.Deliver()
				want(t, len(k.Got), i+2)
			}
			h.Advance(1000 * time.Hour)
			h.Deliver()
			want(t, h.hookRows(), []string{"500 false", "401 false", "302 false", "404 false", "503 false"})
			for _, got := range k.Got {
				want(t, got, told("CREATE", id, sandboxtest.Start))
			}
		})
	}
	for _, status := range []int{200, 202, 204, 299} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			k := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{503, status}}}
			h := openOn(t, &sandboxtest.Memory{}, k.to)
			h.makes()
			for range 3 {
				h.Advance(time.Hour)
				h.Deliver()
			}
			want(t, h.hookRows(), []string{"503 false", fmt.Sprint(status, " true")})
		})
	}
}

func TestWebhook_Faults(t *testing.T) {
	t.Run("Duplicate", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.armHook("duplicate_callback")
		id := h.makes()
		want(t, k.Got, []hook{told("CREATE", id, sandboxtest.Start), told("CREATE", id, sandboxtest.Start)})
	})
	t.Run("Late", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to, func(o *options) { o.TimeScale = 90 })
		h.armHook("late_callback")
		id := h.makes()
		h.Advance(time.Minute - time.Nanosecond)
		h.Deliver()
		want(t, len(k.Got), 0)
		h.Advance(time.Nanosecond)
		h.Deliver()
		want(t, k.Got, []hook{told("CREATE", id, sandboxtest.Start)})
	})
	t.Run("Forged", func(t *testing.T) {
		k := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{401}}}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.armHook("forged_callback")
		id := h.makes()
		right := told("CREATE", id, sandboxtest.Start)
		want(t, len(k.Got[0].signature) == len(right.signature) && k.Got[0].signature != right.signature, true)
		k.Got[0].signature = right.signature
		want(t, k.Got[0], right)
		h.Advance(24 * time.Hour)
		h.Deliver()
		want(t, len(k.Got), 1) // instead of the true one, and once
	})
	t.Run("Lost", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.set("callbacks", "lost")
		h.armHook("duplicate_callback")
		id := h.complete()
		h.verifies(id, "FULL")
		h.Advance(24 * time.Hour)
		h.Deliver()
		want(t, len(k.Got), 0)
		h.set("callbacks", "sent")
		h.token = ""
		h.makes()
		want(t, k.about(), []string{"CREATE", "CREATE"}) // what is not sent uses up no fault
	})
}

// TestWebhook_Async: a verification that runs is told of when it is over, whatever came of it.
func TestWebhook_Async(t *testing.T) {
	for has, state := range map[string]string{"address 41 44": "APPROVED", "address 41": "REJECTED"} {
		t.Run(state, func(t *testing.T) {
			k := &hooks{}
			h := openOn(t, &sandboxtest.Memory{}, k.to, func(o *options) { o.TimeScale = 10 })
			h.set("verify", "async")
			id := h.having(has)
			h.verifies(id, "FULL")
			h.Advance(3*time.Second - time.Nanosecond)
			h.Deliver()
			want(t, k.about(), []string{"CREATE"})
			h.Advance(time.Nanosecond)
			h.Deliver()
			want(t, k.Got[1:], []hook{told("VERIFY", id, sandboxtest.Start.Add(3*time.Second))})
			want(t, strings.Contains(h.answer("GET", "/v1/clients/"+id, ""), `"clientVerificationStatus":"`+state+`"`), true)
		})
	}
	t.Run("Late", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.set("verify", "async")
		id := h.complete()
		h.armHook("late_callback")
		h.verifies(id, "FULL")
		h.Advance(90*time.Minute + 30*time.Second - time.Nanosecond)
		h.Deliver()
		want(t, len(k.Got), 1)
		h.Advance(time.Nanosecond)
		h.Deliver()
		want(t, len(k.Got), 2)
	})
	t.Run("Reset", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.set("verify", "async")
		h.verifies(h.complete(), "FULL")
		want(t, h.Admin("/sandbox/reset", ""), "204")
		h.Advance(time.Hour)
		h.Deliver()
		want(t, k.about(), []string{"CREATE"})
	})
}
