package sandbox_test

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

	"sallyport/functions/sandbox"
)

type eztoHooks struct{ hooks[eztoHook] }

type eztoHook struct{ url, contentType, body string }

func (k *eztoHooks) to(o *sandbox.Options) {
	k.take(o, func(r *http.Request, body string) (eztoHook, error) {
		if r.Header.Get("Authorization") != "" {
			return eztoHook{}, fmt.Errorf("credentials were sent, which the contract does not have")
		}
		return eztoHook{r.Method + " " + r.URL.String(), r.Header.Get("Content-Type"), body}, nil
	})
}

func (h *harness) armEZTO(fault string) {
	h.t.Helper()
	want(h.t, h.do(request("POST", "/sandbox/faults", `{"partner":"ezto","operation":"callback","fault":"`+fault+`"}`)).Code, 200)
}

// eztoMatrix has an application for each hook and response type, by their names in lower case: "ping-token".
func eztoMatrix(o *sandbox.Options) {
	o.EZTO.Applications = map[string]sandbox.EZTOApplication{}
	for _, hook := range []sandbox.EZTOHook{sandbox.EZTOPoll, sandbox.EZTOPing, sandbox.EZTOPush} {
		for _, response := range []sandbox.EZTOResponseType{sandbox.EZTOPlaintext, sandbox.EZTOToken, sandbox.EZTOEncrypted} {
			name := strings.ToLower(string(hook) + "-" + string(response))
			o.EZTO.Applications[name] = sandbox.EZTOApplication{
				ID: "app-" + name, Secrets: []string{"s"}, Hook: hook, Response: response, Consent: true, Skippable: true,
			}
		}
	}
}

// eztoPlain returns what a callback says, checked and decrypted as its application's response type has it.
func (h *harness) eztoPlain(name, body string) string {
	h.t.Helper()
	var in struct{ Token, Encrypted string }
	_, response, _ := strings.Cut(name, "-")
	if response == "plaintext" {
		return body
	}
	if err := json.Unmarshal([]byte(body), &in, json.MatchCaseInsensitiveNames(true), json.RejectUnknownMembers(true)); err != nil {
		h.t.Fatal(err)
	}
	if response == "encrypted" {
		parsed, err := jose.ParseEncryptedCompact(in.Encrypted, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A128CBC_HS256})
		if err != nil {
			h.t.Fatal(err)
		}
		plain, err := parsed.Decrypt([]byte("sandbox-ezto-encryption-key-0001"))
		if err != nil {
			h.t.Fatal(err)
		}
		return string(plain)
	}

	// A token: signed by the key that the realm shows.
	signed, err := jose.ParseSignedCompact(in.Token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		h.t.Fatal(err)
	}
	payload, err := signed.Verify(h.eztoCerts())
	if err != nil {
		h.t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		h.t.Fatal(err)
	}
	at := float64(start.Unix())
	for name, value := range map[string]any{
		"iss": "http://example.com/sandbox/ezto/auth/realms/acme-trade", "aud": "app-" + name, "iat": at, "exp": at + 24*3600,
	} {
		want(h.t, claims[name], value)
		delete(claims, name)
	}
	rest, err := json.Marshal(claims, json.Deterministic(true))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(rest)
}

// eztoCerts returns the keys that the realm shows, to whoever asks.
func (h *harness) eztoCerts() jose.JSONWebKeySet {
	h.t.Helper()
	return decoded[jose.JSONWebKeySet](h, h.do(keyless("GET", eztoRealm+"/certs", "")), 200)
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

// TestEZTOCallback: what each hook sends in each form, for each way in which a transaction ends.
func TestEZTOCallback(t *testing.T) {
	for _, hook := range []string{"poll", "ping", "push"} {
		for _, response := range []string{"plaintext", "token", "encrypted"} {
			for end, test := range map[string]struct{ step, body, pushed string }{
				"COMPLETED": {"iec", `{"iec":"AAXCT4821K"}`, eztoVerified("u-7731", id(1))},
				"SKIPPED":   {"skip", `{}`, eztoEnvelope("verification", "u-7731", id(1))},
				"FAILED":    {"iec", `{"iec":"AAHCE5000E"}`, `{"user_id":"u-7731","request_id":"` + id(1) + `","error":"request_failed","error_description":"the source register could not be asked"}`},
				"DENIED":    {"consent", `{"accept":false}`, `{"user_id":"u-7731","request_id":"` + id(1) + `","error":"access_denied","error_description":"the user declined the consent"}`},
			} {
				name := hook + "-" + response
				t.Run(name+"/"+end, func(t *testing.T) {
					k := &eztoHooks{}
					h := openOn(t, &memory{}, k.to, eztoMatrix)
					r := toEZTO(name, "/transaction", eztoForm("request", eztoAsking))
					r.Header.Set("Authorization", basic("app-"+name, "s"))
					got := decoded[eztoTriggered](h, h.do(r), 200)
					if end != "DENIED" {
						h.eztoSubmits("consent", `{"accept":true}`)
					}
					want(t, len(k.got), 0)
					want(t, text(h.eztoSubmits(test.step, test.body)), `200 {"request_id":"`+id(1)+`","status":"`+end+`"}`)
					told := test.pushed
					switch hook {
					case "poll":
						want(t, len(k.got), 0)
						return
					case "ping":
						told = `{"auth_req_id":"` + got.AuthReqID + `","request_id":"` + id(1) + `","status":"` + end + `"}`
					}
					want(t, len(k.got), 1)
					url := "POST http://gateway/callbacks/ezto/" + name
					if response == "plaintext" {
						url += "?key=sandbox-ezto-callback-key"
					}
					want(t, k.got[0].url, url)
					want(t, k.got[0].contentType, "application/json")
					if response == "token" {
						told = sorted(t, told)
					}
					want(t, h.eztoPlain(name, k.got[0].body), told)
				})
			}
		}
	}
}

// TestEZTOCallback_Key: a deployment's own key, which nobody is told but the gateway.
func TestEZTOCallback_Key(t *testing.T) {
	k, logs := &eztoHooks{hooks[eztoHook]{statuses: []int{503}}}, &strings.Builder{}
	h := openOn(t, &memory{}, k.to, func(o *sandbox.Options) {
		o.EZTO.CallbackKey, o.Log = "key of ours & no other", slog.New(slog.NewTextHandler(logs, nil))
	})
	h.eztoTriggers("push", eztoUser("u-1"))
	h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
	want(t, k.got[0].url, "POST http://gateway/callbacks/ezto/push?key=key+of+ours+%26+no+other")
	rows := text(h.do(request("GET", "/sandbox/requests?partner=ezto", "")))
	want(t, strings.Contains(rows, `"operation":"callback"`) && strings.Contains(logs.String(), "sandbox callback"), true)
	want(t, strings.Contains(rows+logs.String(), "key of ours") || strings.Contains(rows+logs.String(), "key+of+ours"), false)
}

// TestEZTOCallback_AtTrigger: of a transaction that needs nobody too.
func TestEZTOCallback_AtTrigger(t *testing.T) {
	k := &eztoHooks{}
	h := openOn(t, &memory{}, k.to, func(o *sandbox.Options) {
		app := sandbox.EZTODefaults().Applications["push"]
		app.ModuleOff = true
		o.EZTO.Applications = map[string]sandbox.EZTOApplication{"push": app}
	})
	h.eztoTriggers("push", eztoUser("u-1"))
	want(t, k.got, []eztoHook{{"POST http://gateway/callbacks/ezto/push?key=sandbox-ezto-callback-key", "application/json", eztoEnvelope("verification", "u-1", id(1))}})
}

// TestEZTOCallback_Shapes: settings shape what is pushed as they shape what is read.
func TestEZTOCallback_Shapes(t *testing.T) {
	k := &eztoHooks{}
	h := openOn(t, &memory{}, k.to)
	h.setEZTO("trailing_comma", "yes")
	h.setEZTO("iec_name", "iec_code")
	h.setEZTO("pushed_handle", "yes")
	got := h.eztoTriggers("push", eztoUser("u-1"))
	h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
	result := strings.Replace(eztoVerified("u-1", id(1)), `"ie_code"`, `"iec_code"`, 1)
	want(t, k.got[0].body, strings.TrimSuffix(result, "}")+`,"auth_req_id":"`+got.AuthReqID+`",}`)
	want(t, h.eztoResult("push", got.AuthReqID), "200 "+strings.TrimSuffix(result, "}")+`,}`)
	h.eztoTriggers("ping", eztoUser("u-1"))
	h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
	want(t, strings.HasSuffix(k.got[1].body, `"COMPLETED"}`), true) // no result, so no comma
}

// TestEZTOCallback_Schedule: six tries, the pauses of which are scaled; any 2xx ends them.
func TestEZTOCallback_Schedule(t *testing.T) {
	for _, scale := range []float64{1, 60} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			k := &eztoHooks{hooks[eztoHook]{statuses: []int{500, 401, 302, 404, 503, 503}}}
			h := openOn(t, &memory{}, k.to, func(o *sandbox.Options) { o.TimeScale = scale })
			h.eztoTriggers("push", eztoUser("u-1"))
			h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
			for i, seconds := range []time.Duration{1, 5, 30, 120, 600} {
				pause := time.Duration(float64(seconds*time.Second) / scale)
				h.advance(pause - time.Nanosecond)
				h.deliver()
				want(t, len(k.got), i+1)
				h.advance(time.Nanosecond)
				h.deliver()
				want(t, len(k.got), i+2)
			}
			h.advance(1000 * time.Hour)
			h.deliver()
			var rows []string
			for _, r := range h.rows("?partner=ezto&operation=callback") {
				rows = append(rows, fmt.Sprintf("%d %t", r.Status, r.Effect))
			}
			want(t, rows, []string{"500 false", "401 false", "302 false", "404 false", "503 false", "503 false"})
			for _, got := range k.got {
				want(t, got, k.got[0])
			}
		})
	}
	t.Run("Taken", func(t *testing.T) {
		k := &eztoHooks{hooks[eztoHook]{statuses: []int{503, 204}}}
		h := openOn(t, &memory{}, k.to)
		h.eztoTriggers("push", eztoUser("u-1"))
		h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
		for range 3 {
			h.advance(time.Hour)
			h.deliver()
		}
		want(t, len(k.got), 2)
	})
}

func TestEZTOCallback_Faults(t *testing.T) {
	t.Run("Duplicate", func(t *testing.T) {
		k := &eztoHooks{}
		h := openOn(t, &memory{}, k.to)
		h.armEZTO("duplicate_callback")
		h.eztoTriggers("push", eztoUser("u-1"))
		h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
		told := eztoHook{"POST http://gateway/callbacks/ezto/push?key=sandbox-ezto-callback-key", "application/json", eztoVerified("u-1", id(1))}
		want(t, k.got, []eztoHook{told, told})
	})
	t.Run("Late", func(t *testing.T) {
		k := &eztoHooks{}
		h := openOn(t, &memory{}, k.to)
		h.armEZTO("late_callback")
		h.eztoTriggers("push", eztoUser("u-1"))
		h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
		h.advance(90*time.Minute - time.Nanosecond)
		h.deliver()
		want(t, len(k.got), 0)
		h.advance(time.Nanosecond)
		h.deliver()
		want(t, len(k.got), 1)
	})
	t.Run("Lost", func(t *testing.T) {
		k := &eztoHooks{}
		h := openOn(t, &memory{}, k.to)
		h.setEZTO("callbacks", "lost")
		got := h.eztoTriggers("push", eztoUser("u-1"))
		h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
		h.advance(24 * time.Hour)
		h.deliver()
		want(t, len(k.got), 0)
		want(t, h.eztoResult("push", got.AuthReqID), "200 "+eztoVerified("u-1", id(1)))
	})
}

// TestEZTOCallback_Forged: sent once, in the place of the true one; nothing in it holds when it is checked.
func TestEZTOCallback_Forged(t *testing.T) {
	forged := func(t *testing.T, app string, settings ...string) (h *harness, body string, got eztoTriggered) {
		k := &eztoHooks{hooks[eztoHook]{statuses: []int{401}}}
		h = openOn(t, &memory{}, k.to)
		for _, setting := range settings {
			name, value, _ := strings.Cut(setting, "=")
			h.setEZTO(name, value)
		}
		h.armEZTO("forged_callback")
		got = h.eztoTriggers(app, eztoUser("u-1"))
		h.eztoSubmits("iec", `{"iec":"AAFFR1190C"}`)
		h.advance(24 * time.Hour)
		h.deliver()
		want(t, len(k.got), 1)
		want(t, strings.HasSuffix(k.got[0].url, "?key=sandbox-ezto-callback-key"), !strings.Contains(app, "-")) // as a thief of the URL would
		return h, k.got[0].body, got
	}
	const licence = `{"workflow":"verification","user_id":"u-1","request_id":"00000000-0000-4000-8000-000000000001","ie_code":"AAXCF6660F",` +
		`"iec_verified":"true","address":"1 Forger Lane, Mumbai 400001","iec_verified_at":"1767323045","name":"FORGED EXPORTS PVT LTD",` +
		`"iec_status":"Valid","pan":"AAXCF6660F"}`
	t.Run("Plaintext", func(t *testing.T) {
		h, body, got := forged(t, "push")
		want(t, body, licence)
		want(t, strings.Contains(h.eztoResult("push", got.AuthReqID), `"iec_status":"Suspended"`), true)
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
		want(t, h.eztoResult("ping", in["auth_req_id"]), eztoNoHandle)
	})
	t.Run("Token", func(t *testing.T) {
		h, body, _ := forged(t, "push-token")
		var in map[string]string
		want(t, json.Unmarshal([]byte(body), &in), nil)
		signed, err := jose.ParseSignedCompact(in["token"], []jose.SignatureAlgorithm{jose.RS256})
		want(t, err, nil)
		_, err = signed.Verify(h.eztoCerts())
		want(t, err != nil, true)
	})
	t.Run("Encrypted", func(t *testing.T) {
		_, body, _ := forged(t, "push-encrypted")
		var in map[string]string
		want(t, json.Unmarshal([]byte(body), &in), nil)
		parsed, err := jose.ParseEncryptedCompact(in["encrypted"], []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A128CBC_HS256})
		want(t, err, nil)
		_, err = parsed.Decrypt([]byte("sandbox-ezto-encryption-key-0001"))
		want(t, err != nil, true)
	})
}

// TestEZTOCerts: where no key is given one is made, once for the store; a reset makes another one.
func TestEZTOCerts(t *testing.T) {
	store := &memory{}
	own := func(o *sandbox.Options) { o.EZTO.SigningKey = nil }
	h := openOn(t, store, own)
	first := h.do(keyless("GET", eztoRealm+"/certs", ""))
	keys := decoded[jose.JSONWebKeySet](h, first, 200).Keys
	want(t, len(keys) == 1 && keys[0].IsPublic() && keys[0].Valid() && keys[0].Use == "sig" && keys[0].Algorithm == "RS256", true)
	want(t, len(keys[0].KeyID), base64.RawURLEncoding.EncodedLen(32))
	want(t, text(openOn(t, store, own).do(keyless("GET", eztoRealm+"/certs", ""))), text(first))
	want(t, h.post("/sandbox/reset", ""), "204")
	want(t, text(h.do(keyless("GET", eztoRealm+"/certs", ""))) == text(first), false)
}

// TestEZTOCallback_WrongKey: an encryption key of another length is trouble of the sandbox's own.
func TestEZTOCallback_WrongKey(t *testing.T) {
	h := openOn(t, &memory{}, func(o *sandbox.Options) { o.EZTO.EncryptionKey = "short" })
	h.eztoTriggers("push-encrypted", eztoUser("u-1"))
	want(t, h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`).Code, 500)
}
