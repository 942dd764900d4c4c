package ezto_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox/ezto"
	"sallyport/functions/sandbox/sandboxtest"
)

type hooks struct{ sandboxtest.Hooks[hook] }

type hook struct{ url, contentType, body string }

func (k *hooks) to(o *options) {
	k.Take(&o.Options, func(r *http.Request, body string) (hook, error) {
		if r.Header.Get("Authorization") != "" {
			return hook{}, fmt.Errorf("credentials were sent, which the contract does not have")
		}
		return hook{r.Method + " " + r.URL.String(), r.Header.Get("Content-Type"), body}, nil
	})
}

func (h *harness) arm(fault string) {
	h.T.Helper()
	h.Arm("ezto", "callback", fault)
}

// everyResponse has an application for each hook and response type, by their names in lower case: "ping-token".
func everyResponse(o *options) {
	o.Partner.Applications = map[string]ezto.Application{}
	for _, hook := range []ezto.Hook{ezto.Poll, ezto.Ping, ezto.Push} {
		for _, response := range []ezto.ResponseType{ezto.Plaintext, ezto.Token, ezto.Encrypted} {
			name := strings.ToLower(string(hook) + "-" + string(response))
			o.Partner.Applications[name] = ezto.Application{
				ID: "app-" + name, Secrets: []string{"s"}, Hook: hook, Response: response, Consent: true, Skippable: true,
			}
		}
	}
}

// plain returns what a callback says, checked and decrypted as its application's response type has it.
func (h *harness) plain(name, body string) string {
	h.T.Helper()
	var in struct{ Token, Encrypted string }
	_, response, _ := strings.Cut(name, "-")
	if response == "plaintext" {
		return body
	}
	if err := json.Unmarshal(
		[]byte(body), &in, json.MatchCaseInsensitiveNames(true), json.RejectUnknownMembers(true),
	); err != nil {
		h.T.Fatal(err)
	}
	if response == "encrypted" {
		parsed, err := jose.ParseEncryptedCompact(
			in.Encrypted, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A128CBC_HS256},
		)
		if err != nil {
			h.T.Fatal(err)
		}
		plain, err := parsed.Decrypt([]byte("sandbox-ezto-encryption-key-0001"))
		if err != nil {
			h.T.Fatal(err)
		}
		return string(plain)
	}

	// A token: signed by the key that the realm shows.
	signed, err := jose.ParseSignedCompact(in.Token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		h.T.Fatal(err)
	}
	payload, err := signed.Verify(h.certs())
	if err != nil {
		h.T.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		h.T.Fatal(err)
	}
	at := float64(sandboxtest.Start.Unix())
	for name, value := range map[string]any{
		"iss": "http://example.com/sandbox/ezto/auth/realms/acme-trade", "aud": "app-" + name, "iat": at, "exp": at + 24*3600,
	} {
		want(h.T, claims[name], value)
		delete(claims, name)
	}
	rest, err := json.Marshal(claims, json.Deterministic(true))
	if err != nil {
		h.T.Fatal(err)
	}
	return string(rest)
}

// certs returns the keys that the realm shows, to whoever asks.
func (h *harness) certs() jose.JSONWebKeySet {
	h.T.Helper()
	return sandboxtest.Decoded[jose.JSONWebKeySet](h.T, h.Do(sandboxtest.Keyless("GET", realm+"/certs", "")), 200)
}

// sorted returns a JSON object with its members in the order of their names.
func sorted(t *testing.T, object string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(object), &members); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestCallback: what each hook sends in each form, for each way in which a transaction ends.
func TestCallback(t *testing.T) {
	for _, hook := range []string{"poll", "ping", "push"} {
		for _, response := range []string{"plaintext", "token", "encrypted"} {
			for end, test := range map[string]struct{ step, body, pushed string }{
				"COMPLETED": {"iec", `{"iec":"AAXCT4821K"}`, verified("u-7731", sandboxtest.ID(1))},
				"SKIPPED":   {"skip", `{}`, envelope("verification", "u-7731", sandboxtest.ID(1))},
				"FAILED": {
					"iec", `{"iec":"AAHCE5000E"}`,
					`{"user_id":"u-7731","request_id":"` + sandboxtest.ID(1) + `","error":"request_failed","error_description":"the source register could not be asked"}`,
				},
				"DENIED": {
					"consent", `{"accept":false}`,
					`{"user_id":"u-7731","request_id":"` + sandboxtest.ID(1) + `","error":"access_denied","error_description":"the user declined the consent"}`,
				},
			} {
				name := hook + "-" + response
				t.Run(name+"/"+end, func(t *testing.T) {
					k := &hooks{}
					h := openOn(t, &sandboxtest.Memory{}, k.to, everyResponse)
					r := request(name, "/transaction", formOf("request", asking))
					r.Header.Set("Authorization", sandboxtest.Basic("app-"+name, "s"))
					got := sandboxtest.Decoded[triggered](h.T, h.Do(r), 200)
					if end != "DENIED" {
						h.submits("consent", `{"accept":true}`)
					}
					want(t, len(k.Got), 0)
					want(
						t, sandboxtest.Text(h.submits(test.step, test.body)),
						`200 {"request_id":"`+sandboxtest.ID(1)+`","status":"`+end+`"}`,
					)
					told := test.pushed
					switch hook {
					case "poll":
						want(t, len(k.Got), 0)
						return
					case "ping":
						told = `{"auth_req_id":"` + got.AuthReqID + `","request_id":"` + sandboxtest.ID(1) + `","status":"` + end + `"}`
					}
					want(t, len(k.Got), 1)
					url := "POST http://gateway/callbacks/ezto/" + name
					if response == "plaintext" {
						url += "?key=sandbox-ezto-callback-key"
					}
					want(t, k.Got[0].url, url)
					want(t, k.Got[0].contentType, "application/json")
					if response == "token" {
						told = sorted(t, told)
					}
					want(t, h.plain(name, k.Got[0].body), told)
				})
			}
		}
	}
}

// TestCallback_Key: a deployment's own key, which nobody is told but the gateway.
func TestCallback_Key(t *testing.T) {
	k, logs := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{503}}}, &strings.Builder{}
	h := openOn(t, &sandboxtest.Memory{}, k.to, func(o *options) {
		o.Partner.CallbackKey, o.Log = "key of ours & no other", slog.New(slog.NewTextHandler(logs, nil))
	})
	h.triggers("push", user("u-1"))
	h.submits("iec", `{"iec":"AAXCT4821K"}`)
	want(t, k.Got[0].url, "POST http://gateway/callbacks/ezto/push?key=key+of+ours+%26+no+other")
	rows := sandboxtest.Text(h.Do(sandboxtest.Request("GET", "/sandbox/requests?partner=ezto", "")))
	want(t, strings.Contains(rows, `"operation":"callback"`) && strings.Contains(logs.String(), "sandbox callback"), true)
	want(
		t, strings.Contains(rows+logs.String(), "key of ours") || strings.Contains(rows+logs.String(), "key+of+ours"), false,
	)
}

// TestCallback_AtTrigger: of a transaction that needs nobody too.
func TestCallback_AtTrigger(t *testing.T) {
	k := &hooks{}
	h := openOn(t, &sandboxtest.Memory{}, k.to, func(o *options) {
		app := ezto.Defaults().Applications["push"]
		app.ModuleOff = true
		o.Partner.Applications = map[string]ezto.Application{"push": app}
	})
	h.triggers("push", user("u-1"))
	want(
		t, k.Got,
		[]hook{
			{
				"POST http://gateway/callbacks/ezto/push?key=sandbox-ezto-callback-key", "application/json",
				envelope("verification", "u-1", sandboxtest.ID(1)),
			},
		},
	)
}

// TestCallback_Shapes: settings shape what is pushed as they shape what is read.
func TestCallback_Shapes(t *testing.T) {
	k := &hooks{}
	h := openOn(t, &sandboxtest.Memory{}, k.to)
	h.set("trailing_comma", "yes")
	h.set("iec_name", "iec_code")
	h.set("pushed_handle", "yes")
	got := h.triggers("push", user("u-1"))
	h.submits("iec", `{"iec":"AAXCT4821K"}`)
	result := strings.Replace(verified("u-1", sandboxtest.ID(1)), `"ie_code"`, `"iec_code"`, 1)
	want(t, k.Got[0].body, strings.TrimSuffix(result, "}")+`,"auth_req_id":"`+got.AuthReqID+`",}`)
	want(t, h.result("push", got.AuthReqID), "200 "+strings.TrimSuffix(result, "}")+`,}`)
	h.triggers("ping", user("u-1"))
	h.submits("iec", `{"iec":"AAXCT4821K"}`)
	want(t, strings.HasSuffix(k.Got[1].body, `"COMPLETED"}`), true) // no result, so no comma
}

// TestCallback_Schedule: six tries, the pauses of which are scaled; any 2xx ends them.
func TestCallback_Schedule(t *testing.T) {
	for _, scale := range []float64{1, 60} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			k := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{500, 401, 302, 404, 503, 503}}}
			h := openOn(t, &sandboxtest.Memory{}, k.to, func(o *options) { o.TimeScale = scale })
			h.triggers("push", user("u-1"))
			h.submits("iec", `{"iec":"AAXCT4821K"}`)
			for i, seconds := range []time.Duration{1, 5, 30, 120, 600} {
				pause := time.Duration(float64(seconds*time.Second) / scale)
				h.Advance(pause - time.Nanosecond)
				h.Deliver()
				want(t, len(k.Got), i+1)
				h.Advance(time.Nanosecond)
				h.Deliver()
				want(t, len(k.Got), i+2)
			}
			h.Advance(1000 * time.Hour)
			h.Deliver()
			var rows []string
			for _, r := range h.Rows("?partner=ezto&operation=callback") {
				rows = append(rows, fmt.Sprintf("%d %t", r.Status, r.Effect))
			}
			want(t, rows, []string{"500 false", "401 false", "302 false", "404 false", "503 false", "503 false"})
			for _, got := range k.Got {
				want(t, got, k.Got[0])
			}
		})
	}
	t.Run("Taken", func(t *testing.T) {
		k := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{503, 204}}}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.triggers("push", user("u-1"))
		h.submits("iec", `{"iec":"AAXCT4821K"}`)
		for range 3 {
			h.Advance(time.Hour)
			h.Deliver()
		}
		want(t, len(k.Got), 2)
	})
}

func TestCallback_Faults(t *testing.T) {
	t.Run("Duplicate", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.arm("duplicate_callback")
		h.triggers("push", user("u-1"))
		h.submits("iec", `{"iec":"AAXCT4821K"}`)
		told := hook{
			"POST http://gateway/callbacks/ezto/push?key=sandbox-ezto-callback-key", "application/json",
			verified("u-1", sandboxtest.ID(1)),
		}
		want(t, k.Got, []hook{told, told})
	})
	t.Run("Late", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.arm("late_callback")
		h.triggers("push", user("u-1"))
		h.submits("iec", `{"iec":"AAXCT4821K"}`)
		h.Advance(90*time.Minute - time.Nanosecond)
		h.Deliver()
		want(t, len(k.Got), 0)
		h.Advance(time.Nanosecond)
		h.Deliver()
		want(t, len(k.Got), 1)
	})
	t.Run("Lost", func(t *testing.T) {
		k := &hooks{}
		h := openOn(t, &sandboxtest.Memory{}, k.to)
		h.set("callbacks", "lost")
		got := h.triggers("push", user("u-1"))
		h.submits("iec", `{"iec":"AAXCT4821K"}`)
		h.Advance(24 * time.Hour)
		h.Deliver()
		want(t, len(k.Got), 0)
		want(t, h.result("push", got.AuthReqID), "200 "+verified("u-1", sandboxtest.ID(1)))
	})
}

// TestCallback_Forged: sent once, in the place of the true one; nothing in it holds when it is checked.
func TestCallback_Forged(t *testing.T) {
	forged := func(t *testing.T, app string, settings ...string) (h *harness, body string, got triggered) {
		k := &hooks{sandboxtest.Hooks[hook]{Statuses: []int{401}}}
		h = openOn(t, &sandboxtest.Memory{}, k.to)
		for _, setting := range settings {
			name, value, _ := strings.Cut(setting, "=")
			h.set(name, value)
		}
		h.arm("forged_callback")
		got = h.triggers(app, user("u-1"))
		h.submits("iec", `{"iec":"AAFFR1190C"}`)
		h.Advance(24 * time.Hour)
		h.Deliver()
		want(t, len(k.Got), 1)
		// as a thief of the URL would
		want(t, strings.HasSuffix(k.Got[0].url, "?key=sandbox-ezto-callback-key"), !strings.Contains(app, "-"))
		return h, k.Got[0].body, got
	}
	const licence = `{"workflow":"verification","user_id":"u-1","request_id":"00000000-0000-4000-8000-000000000001","ie_code":"AAXCF6660F",` +
		`"iec_verified":"true","address":"1 Forger Lane, Mumbai 400001","iec_verified_at":"1767323045","name":"FORGED EXPORTS PVT LTD",` +
		`"iec_status":"Valid","pan":"AAXCF6660F"}`
	t.Run("Plaintext", func(t *testing.T) {
		h, body, got := forged(t, "push")
		want(t, body, licence)
		want(t, strings.Contains(h.result("push", got.AuthReqID), `"iec_status":"Suspended"`), true)
	})
	t.Run("PlaintextOddly", func(t *testing.T) {
		_, body, _ := forged(t, "push", "trailing_comma=yes", "envelope=camelCase")
		want(t, body, licence)
	})
	t.Run("Ping", func(t *testing.T) {
		h, body, _ := forged(t, "ping")
		var in map[string]string
		want(t, json.Unmarshal([]byte(body), &in), nil)
		want(t, in["status"], "COMPLETED")
		want(t, h.result("ping", in["auth_req_id"]), noHandle)
	})
	t.Run("Token", func(t *testing.T) {
		h, body, _ := forged(t, "push-token")
		var in map[string]string
		want(t, json.Unmarshal([]byte(body), &in), nil)
		signed, err := jose.ParseSignedCompact(in["token"], []jose.SignatureAlgorithm{jose.RS256})
		want(t, err, nil)
		_, err = signed.Verify(h.certs())
		want(t, err != nil, true)
	})
	t.Run("Encrypted", func(t *testing.T) {
		_, body, _ := forged(t, "push-encrypted")
		var in map[string]string
		want(t, json.Unmarshal([]byte(body), &in), nil)
		parsed, err := jose.ParseEncryptedCompact(
			in["encrypted"], []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A128CBC_HS256},
		)
		want(t, err, nil)
		_, err = parsed.Decrypt([]byte("sandbox-ezto-encryption-key-0001"))
		want(t, err != nil, true)
	})
}

// TestCerts: where no key is given one is made, once for the store; a reset makes another one.
func TestCerts(t *testing.T) {
	store := &sandboxtest.Memory{}
	own := func(o *options) { o.Partner.SigningKey = nil }
	h := openOn(t, store, own)
	first := h.Do(sandboxtest.Keyless("GET", realm+"/certs", ""))
	keys := sandboxtest.Decoded[jose.JSONWebKeySet](h.T, first, 200).Keys
	want(
		t, len(keys) == 1 && keys[0].IsPublic() && keys[0].Valid() && keys[0].Use == "sig" && keys[0].Algorithm == "RS256",
		true,
	)
	want(t, len(keys[0].KeyID), base64.RawURLEncoding.EncodedLen(32))
	want(
		t, sandboxtest.Text(openOn(t, store, own).Do(sandboxtest.Keyless("GET", realm+"/certs", ""))),
		sandboxtest.Text(first),
	)
	want(t, h.Admin("/sandbox/reset", ""), "204")
	want(t, sandboxtest.Text(h.Do(sandboxtest.Keyless("GET", realm+"/certs", ""))) == sandboxtest.Text(first), false)
}

// TestCallback_WrongKey: an encryption key of another length is trouble of the sandbox's own.
func TestCallback_WrongKey(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{}, func(o *options) { o.Partner.EncryptionKey = "short" })
	h.triggers("push-encrypted", user("u-1"))
	want(t, h.submits("iec", `{"iec":"AAXCT4821K"}`).Code, 500)
}
