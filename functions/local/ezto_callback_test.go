package main_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	main "sallyport/functions/local"
	eztosim "sallyport/functions/sandbox/ezto"
)

// called waits for so many callbacks and returns what they were answered with.
func (s *stack) called(n int) (statuses []int) {
	s.t.Helper()
	waitFor(s.t, func() bool { return len(s.arrivals("ezto/callback")) >= n })
	for _, r := range s.arrivals("ezto/callback") {
		statuses = append(statuses, r.Status)
	}
	return statuses
}

// recorded are the statuses of EZTO's callbacks in the log, in the order in which they were answered.
func (s *stack) recorded() (statuses []int) {
	s.t.Helper()
	for line := range strings.Lines(s.logs.String()) {
		var row struct {
			Msg, Operation string
			Status         int
		}
		if MustDecode(s.t, line, &row); row.Msg == "callback" && row.Operation == "ezto/callback" {
			statuses = append(statuses, row.Status)
		}
	}
	return statuses
}

// keepsQuiet fails the test where something personal, or a callback itself, is in the log.
func (s *stack) keepsQuiet(secrets ...string) {
	s.t.Helper()
	for _, secret := range append(
		secrets, "AAXCT4821K", "TARANG", "Dock Road", "eyJ", "sandbox-ezto-encryption-key", "sandbox-ezto-callback-key",
	) {
		if strings.Contains(s.logs.String(), secret) {
			s.t.Errorf("%q is in the log", secret)
		}
	}
}

// TestEZTOCallbackMatrix: each hook and form that the partner has arrives, however the transaction ends.
func TestEZTOCallbackMatrix(t *testing.T) {
	t.Parallel()
	for _, application := range []string{"ping", "ping-token", "ping-encrypted", "push", "push-token", "push-encrypted"} {
		t.Run(application, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			handle := s.trigger(application, "u-7731@example.com")
			if got := s.enterIEC("AAXCT4821K"); got.status != http.StatusOK {
				t.Fatalf("the page: %d %s", got.status, got.body)
			}
			if got := s.called(1); !slices.Equal(got, []int{200}) {
				t.Errorf("answered %v", got)
			}
			s.keepsQuiet(handle, "u-7731")
		})
		t.Run(application+"/Comma", func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.setEZTO("trailing_comma=yes", "pushed_handle=yes", "envelope=camelCase")
			s.trigger(application, "u-7731@example.com")
			s.enterIEC("AAHCE5000E") // the register can't be asked
			s.trigger(application, "u-7732@example.com")
			s.enterIEC("AAXCT4821K")
			if got := s.called(2); !slices.Equal(got, []int{200, 200}) {
				t.Errorf("answered %v", got)
			}
			s.keepsQuiet("u-7731", "u-7732")
		})
	}
}

// TestEZTOCallbackForged: what nobody signed or encrypted is refused; in plain text it is a hint that changes nothing.
func TestEZTOCallbackForged(t *testing.T) {
	t.Parallel()
	for application, want := range map[string]int{
		"ping": 200, "ping-token": 401, "ping-encrypted": 401, "push": 200, "push-token": 401, "push-encrypted": 401,
	} {
		t.Run(application, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.arm("ezto", "callback", "forged_callback")
			handle := s.trigger(application, "u-7731@example.com")
			s.enterIEC("AAXCT4821K")
			if got := s.called(1); !slices.Equal(got, []int{want}) || !slices.Equal(s.recorded(), got) {
				t.Errorf("answered %v, recorded %v", got, s.recorded())
			}
			s.keepsQuiet(handle, "u-7731", "FORGED", "Forger")
			if got := s.post(
				resultURL, "", resultOf(application, handle),
			); !strings.Contains(got.body, `"ie_code":"AAXCT4821K"`) {
				t.Errorf("the result: %d %s", got.status, got.body)
			}
		})
	}
}

// TestEZTOCallbackKeys: while the realm's keys can't be had, the partner is asked to repeat, and does; the realm is
// asked no sooner than a minute later.
func TestEZTOCallbackKeys(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{
		"refuse_connection", "status_429", "status_503_before_effect", "malformed", "truncated",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			var ahead atomic.Int64 // the gateway's clock, of the partner's
			s := MustRun(t, func(m *main.Main) {
				m.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			})
			s.arm("ezto", "list-certs", fault)
			s.trigger("push-token", "u-7731@example.com")
			s.enterIEC("AAXCT4821K")
			s.called(2)
			ahead.Store(int64(time.Minute))
			waitFor(t, func() bool { got := s.called(2); return got[len(got)-1] == 200 })
			got := s.called(3)
			for _, status := range got[:len(got)-1] {
				if status != 503 {
					t.Errorf("answered %v", got)
				}
			}
			want := 2
			if fault == "refuse_connection" {
				want = 1 // arrived
			}
			if n := len(s.arrivals("ezto/list-certs")); n != want {
				t.Errorf("the realm was asked %d times", n)
			}
			s.keepsQuiet("u-7731")
		})
	}
}

// TestEZTOCallbackByHand: what does not come from the partner.
func TestEZTOCallbackByHand(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	const ping = `{"auth_req_id":"a-handle","request_id":"r","status":"COMPLETED"}`
	for name, test := range map[string]struct {
		application, body string
		status            int
	}{
		"Unknown":     {"ping?key=sandbox-ezto-callback-key", ping, 200}, // perhaps the trigger's answer is still on its way
		"Escaped":     {"p%69ng?key=sandbox-ezto%2Dcallback-key", ping, 200},
		"Truncated":   {"ping?key=sandbox-ezto-callback-key", ping[:40], 400},
		"Nothing":     {"push?key=sandbox-ezto-callback-key", `{}`, 200},
		"NoKey":       {"ping", ping, 401},
		"OtherKey":    {"ping?key=sandbox-ezto-encryption-key-0001", ping, 401},
		"TwoKeys":     {"ping?key=sandbox-ezto-callback-key&key=sandbox-ezto-callback-key", ping, 401},
		"WrongForm":   {"push-token", ping, 401},
		"NoSuchThing": {"nobody", ping, 401},
		"NoToken":     {"push-token", `{"token":"a.b.c"}`, 401},
		"TooLarge":    {"ping", `{"auth_req_id":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
	} {
		if got := s.do(
			"POST", "/callbacks/ezto/"+test.application, http.Header{"No-Key": {""}}, test.body,
		); got.status != test.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	s.keepsQuiet("a-handle")
}

// overheard are the callbacks that the partner has sent, as they came.
type overheard struct {
	mu     sync.Mutex
	bodies []string
}

// overhear puts a proxy between the partner and the gateway. It is where the stack says that it answers, and so what
// the partner is told.
func (s *stack) overhear() *overheard {
	s.t.Helper()
	gateway, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	o, next := &overheard{}, httputil.NewSingleHostReverseProxy(gateway)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/callbacks/ezto/") {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			o.mu.Lock()
			o.bodies = append(o.bodies, string(body))
			o.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	}))
	s.t.Cleanup(proxy.Close)
	s.URL = proxy.URL
	return o
}

// told is how many callbacks have come.
func (o *overheard) told() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.bodies)
}

func (o *overheard) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bodies[len(o.bodies)-1]
}

// tell sends a callback by hand, to the URL that the application's hook calls.
func (s *stack) tell(application, body string) int {
	s.t.Helper()
	o := eztosim.Defaults()
	if o.Applications[application].Response == eztosim.Plaintext {
		application += "?key=" + o.CallbackKey
	}
	return s.tellAt(application, body)
}

// tellAt sends one to a URL under that of all hooks.
func (s *stack) tellAt(path, body string) int {
	s.t.Helper()
	return s.do("POST", "/callbacks/ezto/"+path, http.Header{"No-Key": {""}}, body).status
}

// reads counts the results that were asked for.
func (s *stack) reads() int {
	s.t.Helper()
	n, _ := s.reached("ezto/get-result")
	return n
}

// startHooked starts a journey that goes by the callbacks of an application, and waits until it waits.
func (s *stack) startHooked(key, application, user string) (id string) {
	s.t.Helper()
	way, _, _ := strings.Cut(application, "-")
	s.configure(application, "", `,"notification_way":"`+way+`"`)
	id = s.startIEC(key, application, user, "")
	s.follow(id, waiting)
	return id
}

// finishHooked has the person of a journey enter a number, and returns the callback that ended it.
func (s *stack) finishHooked(o *overheard, id, number, want string) (told string) {
	s.t.Helper()
	before := o.told()
	s.enterIEC(number)
	if view := s.follow(id, ended); view.Status+" "+view.Reason != want {
		s.t.Fatalf("got %s (%s), want %s", view.Status, view.Reason, want)
	}
	waitFor(s.t, func() bool { return o.told() > before }) // the interval may have ended the journey earlier
	return o.last()
}

// goesOn checks that a journey waits as before, after so many results were read.
func (s *stack) goesOn(id string, reads int) {
	s.t.Helper()
	waitFor(s.t, func() bool { return s.reads() >= reads })
	if view := s.follow(id, waiting); view.Status != "WAITING" || view.Awaiting == nil || view.Awaiting.Kind != "iec" {
		s.t.Fatalf("got %s (%s)", view.Status, view.Reason)
	}
	if n := s.reads(); n != reads {
		s.t.Errorf("%d results were read, want %d", n, reads)
	}
}

// handleOf is the handle of a journey's transaction, which its state machine knows and nobody is told.
func (s *stack) handleOf(id string) string {
	s.t.Helper()
	execution, err := s.Execution(id)
	text, _ := json.Marshal(execution)
	found := regexp.MustCompile(`\\*"auth_req_id\\*":\\*"([^"\\]+)`).FindStringSubmatch(string(text))
	if err != nil || found == nil {
		s.t.Fatalf("no handle: %v", err)
	}
	return found[1]
}

// realmKey is the key that the realm shows.
func (s *stack) realmKey() jose.JSONWebKey {
	s.t.Helper()
	var set jose.JSONWebKeySet
	MustDecode(
		s.t,
		s.do(
			"GET", "/sandbox/ezto/auth/realms/acme-trade/protocol/openid-connect/certs", http.Header{"No-Key": {""}}, "",
		).body,
		&set,
	)
	if len(set.Keys) != 1 {
		s.t.Fatalf("%d keys", len(set.Keys))
	}
	return set.Keys[0]
}

// signedBy is a callback with a token.
func signedBy(t *testing.T, alg jose.SignatureAlgorithm, key any, kid, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid),
	)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return `{"token":"` + text + `"}`
}

// encryptedBy is a callback with a ciphertext.
func encryptedBy(t *testing.T, key, plain string) string {
	t.Helper()
	encrypter, err := jose.NewEncrypter(jose.A128CBC_HS256, jose.Recipient{Algorithm: jose.DIRECT, Key: []byte(key)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := encrypter.Encrypt([]byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	text, err := encrypted.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return `{"encrypted":"` + text + `"}`
}

// withPart replaces a part of the compact text in a callback.
func withPart(t *testing.T, body string, part int, change func([]byte) []byte) string {
	t.Helper()
	var in map[string]string
	MustDecode(t, body, &in)
	for name, text := range in {
		parts := strings.Split(text, ".")
		plain, err := base64.RawURLEncoding.DecodeString(parts[part])
		if err != nil {
			t.Fatal(err)
		}
		parts[part] = base64.RawURLEncoding.EncodeToString(change(plain))
		return `{"` + name + `":"` + strings.Join(parts, ".") + `"}`
	}
	return ""
}

func flipLast(b []byte) []byte { b[len(b)-1] ^= 1; return b }

// strangerKey signs for nobody.
var strangerKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// TestIECJourneyRefusedResultsMatrix: what is forged, cut off, in another form than the application's, meant for
// another one or too old is refused and recorded, and the journey that it would be about waits on, without a word to
// the partner. The true result still ends it.
func TestIECJourneyRefusedResultsMatrix(t *testing.T) {
	t.Parallel()
	for application, other := range map[string]string{
		"ping": "", "ping-token": "push-token", "ping-encrypted": "", "push": "", "push-token": "ping-token",
		"push-encrypted": "",
	} {
		t.Run(application, func(t *testing.T) {
			t.Parallel()
			var ahead atomic.Int64 // the gateway's clock, of the partner's
			s := MustRun(t, func(m *main.Main) {
				m.TimeScale = 0.1 // only callbacks end a wait
				m.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			})
			o := s.overhear()
			way, response, _ := strings.Cut(application, "-")

			// True ones, to make false ones of.
			genuine := s.finishHooked(o, s.startHooked("first", application, "u-1"), "AAXCT4821K", "SUCCEEDED valid")
			reads, meant := 1, ""
			if other != "" {
				meant = s.finishHooked(o, s.startHooked("other", other, "u-2"), "AAXCT4821K", "SUCCEEDED valid")
				reads++
			}
			id := s.startHooked("second", application, "u-2")
			before := s.follow(id, waiting).Awaiting.ID

			// What would be told of the journey's own transaction, had it ended as somebody likes it to.
			plain := `"workflow":"verification","user_id":"u-2","request_id":"` + s.openTransaction() + `","ie_code":"AAXCF6660F","iec_verified":"true","iec_status":"Valid"`
			if way == "ping" {
				plain = `"auth_req_id":"` + s.handleOf(id) + `","request_id":"` + s.openTransaction() + `","status":"COMPLETED"`
			}
			claims := fmt.Sprintf(
				`{%s,"aud":%q,"iat":%d,"exp":%d}`, plain, eztosim.Defaults().Applications[application].ID, time.Now().Unix(),
				time.Now().Add(time.Hour).Unix(),
			)
			plain = "{" + plain + "}"
			realm := s.realmKey()
			public, err := x509.MarshalPKIXPublicKey(realm.Key)
			if err != nil {
				t.Fatal(err)
			}
			stranger, err := strangerKey()
			if err != nil {
				t.Fatal(err)
			}
			token := signedBy(t, jose.RS256, stranger, realm.KeyID, claims)
			ciphertext := encryptedBy(t, "another-ezto-encryption-key-0001", plain)
			type refused struct {
				name, body string
				status     int
			}
			tests := []refused{{"Truncated", genuine[:len(genuine)/2], 400}, {"Nothing", "", 400}}
			switch response {
			case "":
				tests = append(tests, refused{"Token", token, 401}, refused{"Encrypted", ciphertext, 401})
			case "token":
				payload := base64.RawURLEncoding.EncodeToString([]byte(claims))
				unsigned := base64.RawURLEncoding.EncodeToString(
					[]byte(`{"alg":"none","kid":"`+realm.KeyID+`"}`),
				) + "." + payload + "."
				tests = append(tests,
					refused{"Plaintext", plain, 401},
					refused{"Encrypted", ciphertext, 401},
					refused{"OtherKey", token, 401},
					refused{"None", `{"token":"` + unsigned + `"}`, 401},
					refused{
						"HS256ByPEM",
						signedBy(t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), realm.KeyID, claims),
						401,
					},
					refused{"HS256ByDER", signedBy(t, jose.HS256, public, realm.KeyID, claims), 401},
					refused{"OtherClaims", withPart(t, genuine, 1, func([]byte) []byte { return []byte(claims) }), 401},
					refused{"FlippedSignature", withPart(t, genuine, 2, flipLast), 401},
					refused{"CutSignature", withPart(t, genuine, 2, func(b []byte) []byte { return b[:len(b)-1] }), 401},
					refused{"OtherAudience", meant, 401},
				)
			case "encrypted":
				tests = append(tests,
					refused{"Plaintext", plain, 401},
					refused{"Token", token, 401},
					refused{"OtherKey", ciphertext, 401},
					refused{"FlippedTag", withPart(t, genuine, 4, flipLast), 401},
					refused{"CutTag", withPart(t, genuine, 4, func(b []byte) []byte { return b[:len(b)-1] }), 401},
					refused{"FlippedText", withPart(t, genuine, 3, flipLast), 401},
					refused{"CutText", withPart(t, genuine, 3, func(b []byte) []byte { return b[:len(b)-16] }), 401},
				)
			}
			recorded := s.recorded()
			for _, test := range tests {
				if got := s.tell(application, test.body); got != test.status {
					t.Errorf("%s: answered %d, want %d", test.name, got, test.status)
				}
				recorded = append(recorded, test.status)
			}
			if response == "" { // from somebody who knows the application's name alone
				for _, path := range []string{application, application + "?key=sandbox-ezto-callback-keys"} {
					if got := s.tellAt(path, plain); got != 401 {
						t.Errorf("%s: answered %d", path, got)
					}
					recorded = append(recorded, 401)
				}
			}
			if response == "token" { // as it came, a day and an hour later
				ahead.Store(int64(25 * time.Hour))
				if got := s.tell(application, genuine); got != 401 {
					t.Errorf("expired: answered %d", got)
				}
				recorded = append(recorded, 401)
				ahead.Store(0)
			}
			if got := s.recorded(); !slices.Equal(got, recorded) {
				t.Errorf("recorded %v, want %v", got, recorded)
			}
			s.goesOn(id, reads)
			if after := s.follow(id, waiting).Awaiting.ID; after != before {
				t.Error("the wait is another one")
			}

			// In plain text nothing shows that it is forged: the partner is asked.
			if response == "" {
				forged := strings.Replace(plain, `"COMPLETED"`, `"FAILED"`, 1)
				if way == "push" {
					forged = strings.Replace(plain, `"workflow":`, `"error":"request_failed","workflow":`, 1)
				}
				if got := s.tell(application, forged); got != 200 {
					t.Errorf("a hint: answered %d", got)
				}
				reads++
				s.goesOn(id, reads)
			}
			s.keepsQuiet("u-2", "AAXCF6660F")

			// The true result.
			s.finishHooked(o, id, "AAFFR1190C", "REJECTED suspended")
			if n := s.reads(); n != reads+1 {
				t.Errorf("%d results were read, want %d", n, reads+1)
			}
		})
	}
}

// TestIECJourneyReplayedResultsMatrix: a true callback that is sent once more is a hint at most. The partner is asked,
// and the journey waits on.
func TestIECJourneyReplayedResultsMatrix(t *testing.T) {
	t.Parallel()
	for _, application := range []string{"ping", "ping-token", "ping-encrypted", "push", "push-token", "push-encrypted"} {
		// Of a transaction that failed, which another one of the same user's has not.
		t.Run(application+"/Failed", func(t *testing.T) {
			t.Parallel()
			s := MustRun(t, func(m *main.Main) { m.TimeScale = 0.1 }) // only callbacks end a wait
			o := s.overhear()
			first := s.startHooked("first", application, "u-1")
			replayed := s.finishHooked(o, first, "AAHCE5000E", "FAILED request_failed")
			id, reads := s.startHooked("second", application, "u-1"), 1
			if strings.HasPrefix(application, "push") {
				reads++ // it names the user, so the second journey finds it and asks; once, however often it comes
			}
			s.goesOn(id, reads)
			for range 3 {
				if got := s.tell(application, replayed); got != 200 {
					t.Errorf("answered %d", got)
				}
			}
			s.goesOn(id, reads)
			own := s.finishHooked(o, id, "AAFFR1190C", "REJECTED suspended")

			// Of a journey that has ended by it.
			_, before := s.journey(id)
			for range 2 {
				for _, told := range []string{own, replayed} {
					if got := s.tell(application, told); got != 200 {
						t.Errorf("after the end: answered %d", got)
					}
				}
			}
			if _, after := s.journey(id); after.body != before.body || s.reads() != reads+1 {
				t.Errorf("after the end: %s, %d results were read", after.body, s.reads())
			}
			if view := s.follow(first, ended); view.Status != "FAILED" {
				t.Errorf("the first one: %s (%s)", view.Status, view.Reason)
			}
			s.keepsQuiet("u-1")
		})
		if strings.HasPrefix(application, "ping") {
			continue // which names the transaction
		}
		// Of a licence that is good. Its user's next transaction tells the same, so that the interval may be what ends the
		// wait.
		t.Run(application+"/Good", func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			o := s.overhear()
			replayed := s.finishHooked(o, s.startHooked("first", application, "u-1"), "AAXCT4821K", "SUCCEEDED valid")
			id := s.startHooked("second", application, "u-1")
			if got := s.tell(application, replayed); got != 200 {
				t.Errorf("answered %d", got)
			}
			asked := s.reads()
			waitFor(t, func() bool { return s.reads() > asked })
			if view := s.follow(id, waiting); view.Status != "WAITING" {
				t.Fatalf("got %s (%s)", view.Status, view.Reason)
			}
			request := s.openTransaction()
			s.finishHooked(o, id, "AAFFR1190C", "REJECTED suspended")
			view, _ := s.journey(id)
			if got, want := iecOutcome(view, request), verified(
				"AAFFR1190C", "REDDY AND RAO TRADERS", "3 Harbour Street, Visakhapatnam 530001", "Suspended", "AAFFR1190C",
			); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
