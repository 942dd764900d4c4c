package ezto_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-jose/go-jose/v4"

	"sallyport/functions/ezto"
	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/telemetry"
)

// The primes of a key for tests, so that it is the same in every process.
const (
	testP = "fa529ba3fe3bfada7cf20724d953ee261d87cec31f7296ab7961fd925d39d0a89a2ef80f58ee8571f4998d7c4093f6dea268aa872607679d6050914a9d33a01c353c631cdfd43f371200339d068739fa9d1de2a05d158a2ff2ee4e4519f9919c895fd7b326b94c7f9118bb16000f49c81a358ca00d75985d99c94309570dc195"
	testQ = "dc84893f3e8c48e4fd81b7d3640c073323496bdc6cb7bf2617e7087453c2ff77f9c4924f8b701a8aa95010f2d8fd87c1f7edc7b0b4522c9ece9010a4e127528713ca3d6c133e4e41e12550ef0603b99ffa7d918b68aff90fb0374e87b2b1bbfb2daf67ecc830308fd9d6ac9a43b8ca6fde26c8bfe01c96d95bccf2d28c3cf649"
)

// They differ in their first half, which authenticates, as random ones do.
const (
	oldKey = "1: an encryption key of 32 bytes"
	newKey = "2: an encryption key of 32 bytes"
)

// What plaintext callbacks show; both are live, and of each length that counts.
const (
	oldHook = "a hook's URL has"
	newHook = "a hook's next URL has this & more"
)

// hooked is the credentials document with an application of each response type; "rotating" has two live keys, the first
// of which has bytes that are no text. Of the plaintext ones "unhooked" has no key, and "shorthook" none that counts.
var hooked = `{"workspace":"acme-trade","applications":{
	"default":{"app_id":"app-0","app_secret":"s","callback_keys":["` + oldHook + `"]},
	"plaintext":{"app_id":"app-1","app_secret":"s","response_type":"plaintext","callback_keys":["` + oldHook + `","` + newHook + `","","fifteen letters"]},
	"unhooked":{"app_id":"app-7","app_secret":"s"},
	"shorthook":{"app_id":"app-8","app_secret":"s","response_type":"Plaintext","callback_keys":["","fifteen letters"]},
	"token":{"app_id":"app-2","app_secret":"s","response_type":"Token"},
	"encrypted":{"app_id":"app-3","app_secret":"s","response_type":"encrypted","encryption_keys":["` + oldKey + `"]},
	"rotating":{"app_id":"app-4","app_secret":"s","response_type":"encrypted","encryption_keys":["` + base64.StdEncoding.EncodeToString(binaryKey()) + `","` + newKey + `","","short"]},
	"keyless":{"app_id":"app-5","app_secret":"s","response_type":"encrypted"},
	"odd":{"app_id":"app-6","app_secret":"s","response_type":"carrier pigeon"},
	"nameless":{"app_secret":"s"}}}`

func binaryKey() []byte { return append([]byte{0, 0xff}, bytes.Repeat([]byte{0x80}, 30)...) }

// signingKey returns that of the realm, under its id.
func signingKey(t testing.TB) jose.JSONWebKey {
	t.Helper()
	p, _ := new(big.Int).SetString(testP, 16)
	q, _ := new(big.Int).SetString(testQ, 16)
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, D: new(big.Int).ModInverse(big.NewInt(65537), phi),
		Primes: []*big.Int{p, q},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: "realm-1", Algorithm: "RS256", Use: "sig"}
}

func otherKey(t testing.TB, bits int, id string) jose.JSONWebKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: id, Algorithm: "RS256", Use: "sig"}
}

// realm shows keys, and counts how often it was asked.
type realm struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	body   string
	asked  []string
	now    time.Time
}

func newRealm(t testing.TB, keys ...jose.JSONWebKey) *realm {
	t.Helper()
	r := &realm{status: 200, now: time.Unix(1772443001, 0)}
	r.shows(t, keys...)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asked = append(r.asked, req.Method+" "+req.URL.Path+" "+req.Header.Get("Authorization"))
		w.WriteHeader(r.status)
		_, _ = w.Write([]byte(r.body))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *realm) shows(t testing.TB, keys ...jose.JSONWebKey) {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, key := range keys {
		set.Keys = append(set.Keys, key.Public())
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.body = string(text)
}

func (r *realm) questions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

func (r *realm) receiver() callback.Receiver {
	return ezto.Callback(ezto.Config{BaseURL: r.URL, Now: func() time.Time { return r.now }})
}

// kept is the ledger that events are kept in; nobody waits for them.
type kept struct {
	callback.Ledger
	records []string
	err     error
}

func (l *kept) AddEvent(_ context.Context, record string, _ ledger.Event, _ bool) (ledger.Correlation, error) {
	l.records = append(l.records, record)
	return ledger.Correlation{}, l.err
}

// document is every secret.
type document string

func (d document) Secret(context.Context, string) ([]byte, error) { return []byte(d), nil }

// gate is a whole callback function.
type gate struct {
	callback.Handler
	t       testing.TB
	kept    *kept
	ring    *seal.Ring
	logs    *bytes.Buffer
	metrics *bytes.Buffer
}

func newGate(t testing.TB, r callback.Receiver) *gate {
	t.Helper()
	ring, err := seal.NewRing(seal.GenerateKeys())
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, kept: &kept{}, ring: ring, logs: &bytes.Buffer{}, metrics: &bytes.Buffer{}}
	log := telemetry.NewLogger(g.logs, slog.LevelDebug)
	now := func() time.Time { return time.Unix(1772443001, 0) }
	g.Handler = callback.Handler{
		Receiver: r, Secrets: secrets.NewCache(document(hooked), "test", now), Log: log, Now: now,
		Metrics: telemetry.NewMetrics(g.metrics, "test", now),
		Correlator: &callback.Correlator{
			Ledger: g.kept, Log: log, Now: now, Ring: func(context.Context) (*seal.Ring, error) { return ring, nil },
		},
	}
	return g
}

// takes sends a callback to the hook's URL and returns the answer's status.
func (g *gate) takes(application, body string) int {
	g.t.Helper()
	return g.called(application, arriving(application, "").Query, body)
}

// called sends one with a query.
func (g *gate) called(application string, query map[string]string, body string) int {
	g.t.Helper()
	payload, err := json.Marshal(
		events.APIGatewayV2HTTPRequest{
			PathParameters: map[string]string{"application": application}, QueryStringParameters: query, Body: body,
		},
	)
	if err != nil {
		g.t.Fatal(err)
	}
	out, err := g.Invoke(g.t.Context(), payload)
	var reply events.APIGatewayV2HTTPResponse
	if err = errors.Join(err, json.Unmarshal(out, &reply)); err != nil {
		g.t.Fatal(err)
	}
	return reply.StatusCode
}

// recorded checks that the only callback so far is in the log by its status, and counted by it.
func (g *gate) recorded(status int) {
	g.t.Helper()
	if line := fmt.Sprintf(`"operation":"ezto/callback","status":%d}`, status); strings.Count(g.logs.String(), line) != 1 {
		g.t.Errorf("no %s in the log: %s", line, g.logs)
	}
	var counted struct {
		Operation, State string
		Calls            int
	}
	if err := json.Unmarshal(g.metrics.Bytes(), &counted); err != nil || counted.Operation != "ezto/callback" ||
		counted.State != http.StatusText(status) || counted.Calls != 1 {
		g.t.Errorf("counted %s", g.metrics)
	}
}

// arriving is a callback to the hook's URL, which for plaintext has a key.
func arriving(application, body string) gateway.Request {
	req := gateway.Request{
		Method: "POST", Params: map[string]string{"application": application}, Header: map[string]string{},
		Body: []byte(body),
	}
	if application == "plaintext" || application == "default" {
		req.Query = map[string]string{"key": oldHook}
	}
	return req
}

// claims are those of a token for "token", good at the realm's time, but for what is given.
func claims(t testing.TB, told string, changes ...any) string {
	t.Helper()
	all := map[string]any{}
	if err := json.Unmarshal([]byte(told), &all); err != nil {
		t.Fatal(err)
	}
	all["iss"], all["aud"] = "https://acme-trade.example/auth/realms/acme-trade", "app-2"
	all["iat"], all["exp"] = 1772443001, 1772443001+86400
	for i := 0; i < len(changes); i += 2 {
		if all[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
			delete(all, changes[i].(string))
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sign makes a compact JWS.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, payload string, header ...string) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for i := 0; i < len(header); i += 2 {
		options = options.WithHeader(jose.HeaderKey(header[i]), header[i+1])
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options.WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func encrypt(
	t testing.TB, enc jose.ContentEncryption, key []byte, payload string, options *jose.EncrypterOptions,
) string {
	t.Helper()
	encrypter, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: jose.DIRECT, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := encrypter.Encrypt([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := encrypted.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func wrapped(name, text string) string { return `{"` + name + `":"` + text + `"}` }

// altered replaces one part of a compact text.
func altered(text string, part int, replace func([]byte) []byte) string {
	parts := strings.Split(text, ".")
	plain, _ := base64.RawURLEncoding.DecodeString(parts[part])
	parts[part] = base64.RawURLEncoding.EncodeToString(replace(plain))
	return strings.Join(parts, ".")
}

// tagMoved moves all that is encrypted before the tag.
func tagMoved(jwe string) string {
	parts := strings.Split(jwe, ".")
	sealed, _ := base64.RawURLEncoding.DecodeString(parts[3])
	parts[3] = ""
	return altered(strings.Join(parts, "."), 4, func(tag []byte) []byte { return append(sealed, tag...) })
}

func flipped(at int) func([]byte) []byte {
	return func(b []byte) []byte { b[at] ^= 1; return b }
}

const ping = `{"auth_req_id":"hdr..iv.body.tag","request_id":"5b0c7a52-90de-4a1f-8f33-2d6e1c90ab47","status":"COMPLETED"}`

// TestCallback: what is taken, and what is refused of what somebody sends who lacks the keys.
func TestCallback(t *testing.T) {
	key := signingKey(t)
	other := otherKey(t, 2048, "realm-1") // by the name of ours
	private, public := key.Key.(*rsa.PrivateKey), key.Public().Key.(*rsa.PublicKey)
	pkix, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	inPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})
	jwk, err := json.Marshal(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	good := claims(t, ping)
	token := sign(t, jose.RS256, key, good)
	jwe := encrypt(t, jose.A128CBC_HS256, []byte(oldKey), result, nil)
	dots := strings.Split(token, ".")
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"realm-1"}`)) + "." + dots[1] + "."
	header := func(text string) string { // with a signature of its own over it
		input := base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + dots[1]
		sum := crypto.SHA256.New()
		sum.Write([]byte(input))
		signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, sum.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		return wrapped("token", input+"."+base64.RawURLEncoding.EncodeToString(signature))
	}
	const ignored = 0 // acknowledged, without an event
	for name, test := range map[string]struct {
		application, body string
		want              int
	}{
		"Ping": {"plaintext", ping, 200},
		"Push": {"plaintext", result, 200},
		"PushFailed": {
			"plaintext", `{"user_id":"u-7731","request_id":"r","error":"request_failed","error_description":"x"}`, 200,
		},
		"Comma":           {"plaintext", strings.TrimSuffix(result, "}") + ",\n}", 200},
		"ByDefault":       {"default", ping, 200},
		"NoApplication":   {"nobody", ping, 401},
		"NoName":          {"", ping, 401},
		"NoID":            {"nameless", ping, 401},
		"OddType":         {"odd", ping, 401},
		"Truncated":       {"plaintext", result[:200], 400},
		"Empty":           {"plaintext", "", 400},
		"Array":           {"plaintext", "[" + ping + "]", 400},
		"AboutNothing":    {"plaintext", `{}`, ignored},
		"UnknownKind":     {"plaintext", `{"event":"workflow.published","workflow":"verification"}`, ignored},
		"HugeHandle":      {"plaintext", wrapped("auth_req_id", strings.Repeat("x", 48<<10+1)), ignored},
		"TooLarge":        {"plaintext", wrapped("auth_req_id", strings.Repeat("x", 64<<10)), 413},
		"TokenForPlain":   {"plaintext", wrapped("token", token), 401},
		"SealedForPlain":  {"plaintext", wrapped("encrypted", jwe), 401},
		"NullForPlain":    {"plaintext", strings.TrimSuffix(ping, "}") + `,"token":null}`, 401},
		"Token":           {"token", wrapped("token", token), 200},
		"TokenComma":      {"token", `{"token":"` + token + `", }`, 200},
		"TokenAndMore":    {"token", `{"type":"result","token":"` + token + `"}`, 200},
		"TokenOfResult":   {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, result))), 200},
		"TokenOfNothing":  {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, `{}`))), ignored},
		"TokenTruncated":  {"token", wrapped("token", token)[:300], 400},
		"TokenCutOff":     {"token", wrapped("token", token[:len(token)-4]), 401},
		"PlainForToken":   {"token", ping, 401},
		"SealedForToken":  {"token", wrapped("encrypted", jwe), 401},
		"Both":            {"token", `{"token":"` + token + `","encrypted":"` + jwe + `"}`, 401},
		"BothForSealed":   {"encrypted", `{"token":"` + token + `","encrypted":"` + jwe + `"}`, 401},
		"NoToken":         {"token", wrapped("token", ""), 401},
		"OddToken":        {"token", `{"token":{"token":"x"}}`, 401},
		"TwoTokens":       {"token", `{"token":"` + token + `","token":"` + unsigned + `"}`, 401},
		"ForgedSignature": {"token", wrapped("token", altered(token, 2, flipped(3))), 401},
		"ForgedClaims": {
			"token",
			wrapped(
				"token",
				altered(token, 1, func(b []byte) []byte { return bytes.Replace(b, []byte("COMPLETED"), []byte("SKIPPED"), 1) }),
			),
			401,
		},
		"ForgedHeader": {
			"token", wrapped("token", altered(token, 0, func(b []byte) []byte { return append(b, ' ') })), 401,
		},
		"OtherKey": {"token", wrapped("token", sign(t, jose.RS256, other, good)), 401},
		"OtherKeyEmbedded": {
			"token",
			wrapped("token", sign(t, jose.RS256, other.Key, good, "kid", "realm-1", "jku", "https://evil.example/certs")), 401,
		},
		"NoKeyID":        {"token", wrapped("token", sign(t, jose.RS256, private, good)), 401},
		"None":           {"token", wrapped("token", unsigned), 401},
		"NoneSigned":     {"token", wrapped("token", unsigned+dots[2]), 401},
		"HS256ByPEM":     {"token", wrapped("token", sign(t, jose.HS256, inPEM, good, "kid", "realm-1")), 401},
		"HS256ByJWK":     {"token", wrapped("token", sign(t, jose.HS256, jwk, good, "kid", "realm-1")), 401},
		"HS256ByModulus": {"token", wrapped("token", sign(t, jose.HS256, public.N.Bytes(), good, "kid", "realm-1")), 401},
		"PS256":          {"token", wrapped("token", sign(t, jose.PS256, private, good, "kid", "realm-1")), 401},
		"RS512":          {"token", wrapped("token", sign(t, jose.RS512, private, good, "kid", "realm-1")), 401},
		"OwnHeader":      {"token", header(`{"alg":"RS256","kid":"realm-1"}`), 200},
		"TwoAlgorithms":  {"token", header(`{"alg":"none","kid":"realm-1","alg":"RS256"}`), 401},
		"Critical":       {"token", header(`{"alg":"RS256","kid":"realm-1","crit":["b64"],"b64":true}`), 401},
		"OddHeader":      {"token", header(`[]`), 401},
		"Compressed":     {"token", header(`{"alg":"RS256","kid":"realm-1","zip":"DEF"}`), 401},
		"NotEncoded":     {"token", header(`{"alg":"RS256","kid":"realm-1","b64":false}`), 401},
		"LineBreak":      {"token", wrapped("token", dots[0]+".\\n"+dots[1]+"."+dots[2]), 401},
		"WrongAudience":  {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "aud", "app-1"))), 401},
		"Audiences": {
			"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "aud", []string{"x", "app-2"}))), 200,
		},
		"OtherAudiences": {
			"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "aud", []string{"x", ""}))), 401,
		},
		"NoAudience":  {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "aud", nil))), 401},
		"JustExpired": {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "exp", 1772443001-59))), 200},
		"Expired":     {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "exp", 1772443001-60))), 401},
		"NoEnd":       {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "exp", nil))), 401},
		"EndAsText":   {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "exp", "9999999999"))), 200},
		"PastAsText":  {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "exp", "1772442941"))), 401},
		"OddEnd":      {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "exp", "Inf"))), 401},
		"HugeEnd":     {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "exp", 1e300))), 200},
		"JustIssued": {
			"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "iat", 1772443001.5+59))), 200,
		},
		"IssuedLater": {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "iat", 1772443001+61))), 401},
		"NoIssue":     {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "iat", nil))), 401},
		"NotYet":      {"token", wrapped("token", sign(t, jose.RS256, key, claims(t, ping, "nbf", 1772443001+61))), 401},
		"Sealed":      {"encrypted", wrapped("encrypted", jwe), 200},
		"SealedComma": {
			"encrypted",
			wrapped("encrypted", encrypt(t, jose.A128CBC_HS256, []byte(oldKey), strings.TrimSuffix(result, "}")+",}", nil)), 200,
		},
		"SealedTruncated": {"encrypted", wrapped("encrypted", jwe)[:300], 400},
		"SealedCutOff":    {"encrypted", wrapped("encrypted", jwe[:len(jwe)-4]), 401},
		"SealedNothing":   {"encrypted", wrapped("encrypted", encrypt(t, jose.A128CBC_HS256, []byte(oldKey), "", nil)), 400},
		"SealedNoJSON": {
			"encrypted", wrapped("encrypted", encrypt(t, jose.A128CBC_HS256, []byte(oldKey), "not JSON", nil)), 400,
		},
		"PlainForSealed": {"encrypted", result, 401},
		"TokenForSealed": {"encrypted", wrapped("token", token), 401},
		"WrongKey": {
			"encrypted", wrapped("encrypted", encrypt(t, jose.A128CBC_HS256, []byte(newKey), result, nil)), 401,
		},
		"SealedHeader": {
			"encrypted", wrapped("encrypted", altered(jwe, 0, func(b []byte) []byte { return append(b, ' ') })), 401,
		},
		"SealedKey": {
			"encrypted", wrapped("encrypted", altered(jwe, 1, func([]byte) []byte { return []byte("x") })), 401,
		},
		"SealedIV":        {"encrypted", wrapped("encrypted", altered(jwe, 2, flipped(0))), 401},
		"SealedText":      {"encrypted", wrapped("encrypted", altered(jwe, 3, flipped(5))), 401},
		"SealedTag":       {"encrypted", wrapped("encrypted", altered(jwe, 4, flipped(15))), 401},
		"NoTag":           {"encrypted", wrapped("encrypted", altered(jwe, 4, func([]byte) []byte { return nil })), 401},
		"TagMoved":        {"encrypted", wrapped("encrypted", tagMoved(jwe)), 401},
		"KeyAndTagMoved":  {"encrypted", wrapped("encrypted", strings.Replace(tagMoved(jwe), "..", ".AA.", 1)), 401},
		"SealedLineBreak": {"encrypted", wrapped("encrypted", strings.Replace(jwe, "..", "..\\n", 1)), 401},
		"GCM":             {"encrypted", wrapped("encrypted", encrypt(t, jose.A256GCM, []byte(oldKey), result, nil)), 401},
		"Deflated": {
			"encrypted",
			wrapped(
				"encrypted",
				encrypt(t, jose.A128CBC_HS256, []byte(oldKey), result, &jose.EncrypterOptions{Compression: jose.DEFLATE}),
			),
			401,
		},
		"NewKey": {
			"rotating", wrapped("encrypted", encrypt(t, jose.A128CBC_HS256, []byte(newKey), result, nil)), 200,
		},
		"BinaryKey": {"rotating", wrapped("encrypted", encrypt(t, jose.A128CBC_HS256, binaryKey(), result, nil)), 200},
		"KeyGone":   {"rotating", wrapped("encrypted", jwe), 401},
		"NoKeys":    {"keyless", wrapped("encrypted", jwe), 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRealm(t, key)
			g := newGate(t, r.receiver())
			kept := test.want == 200
			if test.want == ignored {
				test.want = 200
			}
			if got := g.takes(test.application, test.body); got != test.want || (len(g.kept.records) > 0) != kept {
				t.Errorf("answered %d, want %d, kept %q", got, test.want, g.kept.records)
			}
			g.recorded(test.want)
			if r.questions() > 1 {
				t.Errorf("asked for keys: %q", r.asked)
			}
			for _, secret := range []string{"u-7731", "TARANG", "AAXCT4821K", "hdr..iv", "eyJ", "acme-trade", oldKey, oldHook} {
				if strings.Contains(g.logs.String(), secret) {
					t.Errorf("%q is in the log", secret)
				}
			}
		})
	}
}

// TestCallbackKey: in plain text a callback must show that it knows the hook's URL, whatever else it says; the other
// forms need not.
func TestCallbackKey(t *testing.T) {
	r := newRealm(t, signingKey(t))
	sealed := wrapped("encrypted", encrypt(t, jose.A128CBC_HS256, []byte(oldKey), result, nil))
	key := func(value string) map[string]string { return map[string]string{"key": value} }
	for name, test := range map[string]struct {
		application string
		query       map[string]string
		body        string
		want        int
	}{
		"Old":            {"plaintext", key(oldHook), ping, 200},
		"New":            {"plaintext", key(newHook), result, 200},
		"AndMore":        {"plaintext", map[string]string{"key": newHook, "x": "y"}, ping, 200},
		"ByDefault":      {"default", key(oldHook), ping, 200},
		"OfAnother":      {"default", key(newHook), ping, 401},
		"None":           {"plaintext", nil, ping, 401},
		"Empty":          {"plaintext", key(""), ping, 401},
		"Wrong":          {"plaintext", key("a hook's URL hat"), ping, 401},
		"Cut":            {"plaintext", key(newHook[:16]), ping, 401},
		"Longer":         {"plaintext", key(oldHook + " "), ping, 401},
		"Twice":          {"plaintext", key(oldHook + "," + oldHook), ping, 401}, // as API Gateway puts two of a name
		"Short":          {"plaintext", key("fifteen letters"), ping, 401},
		"OtherName":      {"plaintext", map[string]string{"Key": oldHook}, ping, 401},
		"Secret":         {"plaintext", key("s"), ping, 401},
		"OnlyShort":      {"shorthook", key("fifteen letters"), ping, 401},
		"OnlyEmpty":      {"shorthook", key(""), ping, 401},
		"Unhooked":       {"unhooked", nil, ping, 401},
		"UnhookedEmpty":  {"unhooked", key(""), ping, 401},
		"UnhookedAny":    {"unhooked", key(oldHook), ping, 401},
		"NoApplication":  {"nobody", key(oldHook), ping, 401},
		"BeforeTheBody":  {"plaintext", nil, "[", 401},
		"AndThenTheBody": {"plaintext", key(oldHook), "[", 400},
		"PlainForSealed": {"encrypted", key(oldHook), result, 401},
		"Sealed":         {"encrypted", nil, sealed, 200},
		"SealedAndWrong": {"encrypted", key("another key, which is wrong"), sealed, 200},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t, r.receiver())
			if got := g.called(test.application, test.query, test.body); got != test.want ||
				(len(g.kept.records) > 0) != (got == 200) {
				t.Errorf("answered %d, want %d, kept %q", got, test.want, g.kept.records)
			}
			g.recorded(test.want)
			for _, secret := range []string{"hook's", "fifteen", "another key"} {
				if strings.Contains(g.logs.String()+g.metrics.String(), secret) {
					t.Errorf("%q is in the log", secret)
				}
			}
		})
	}
}

// TestTranslate: which transaction a callback is about, and how that ended, in one word.
func TestTranslate(t *testing.T) {
	const (
		handle  = "ezto/transaction/"
		user    = "ezto/user/ of shop\nu-7731"
		refused = "-"
		nothing = ""
	)
	r := ezto.Callback(ezto.Config{})
	for text, want := range map[string]string{
		ping: handle + " completed",
		strings.Replace(ping, "COMPLETED", "Failed", 1):   handle + " failed",
		strings.Replace(ping, "COMPLETED", "DENIED", 1):   handle + " denied",
		strings.Replace(ping, "COMPLETED", "skipped", 1):  handle + " skipped",
		strings.Replace(ping, "COMPLETED", "of Meera", 1): handle + " other",
		result: user + " completed",
		strings.Replace(result, "user_id", "userId", 1):                    user + " completed",
		`{"workflow":"verification","user_id":"u-7731","request_id":"r"}`:  user + " skipped",
		`{"workflow":"verification","user_id":"u-7731","request_id":"r",}`: user + " skipped",
		`{"user_id":"u-7731","request_id":"r","error":"request_failed"}`:   user + " failed",
		`{"user_id":"u-7731","request_id":"r","error":"access_denied"}`:    user + " denied",
		`{"user_id":"u-7731","request_id":"r","error":"of Meera"}`:         user + " other",
		`{"user_id":"u-7731"}`: user + " other",
		strings.Replace(
			result, "}", `,"auth_req_id":"hdr..iv.body.tag"}`, 1,
		): handle + " completed, " + user + " completed",
		`{"user_id":"u-7731","auth_req_id":"hdr..iv.body.tag","error":"request_failed",}`: handle + " failed, " + user + " failed",
		`{}`: nothing, `[]`: refused, `null`: refused, ``: refused, `{"user_id":7}`: "ezto/user/ of shop\n7 other",
		`{"user_id":" ","auth_req_id":""}`: nothing, `{"event":"workflow.published"}`: nothing, result[:50]: refused,
	} {
		events, err := r.Translate(arriving("shop", text))
		got := refused
		if err == nil {
			var all []string
			for _, event := range events {
				all = append(all, short(event))
			}
			got = strings.Join(all, ", ")
		} else if strings.Contains(err.Error(), "u-7731") || len(events) != 0 {
			t.Errorf("%s: %v, %+v", text, err, events)
		}
		if got != want {
			t.Errorf("%s gave %s, %v, want %s", text, got, err, want)
		}
	}
	for status, want := range map[int]string{
		200: `{"status":"acknowledged"}`, 400: `{"error":"invalid_request","error_description":"words"}`,
		401: `{"error":"invalid_client","error_description":"words"}`,
		413: `{"error":"invalid_request","error_description":"words"}`,
		500: `{"error":"server_error","error_description":"words"}`,
		503: `{"error":"server_error","error_description":"words"}`,
	} {
		if got := r.Acknowledge(status, "words"); got.Status != status || string(got.Body) != want {
			t.Errorf("answers %d %s", got.Status, got.Body)
		}
	}
}

// short writes an event without the digest of its handle.
func short(event callback.Event) string {
	text := event.Record
	if rest, ok := strings.CutPrefix(text, "ezto/transaction/"); ok && len(rest) == 32 {
		text = "ezto/transaction/"
	}
	if event.SubjectID != "" {
		text += " of " + event.SubjectID
	}
	for _, code := range event.Codes {
		text += " " + code
	}
	return text
}

// TestCallbackRecord: a pushed result is kept under the name that who triggered it knows, and nothing of the person is.
func TestCallbackRecord(t *testing.T) {
	g := newGate(t, newRealm(t, signingKey(t)).receiver())
	if got := g.takes("plaintext", result); got != 200 {
		t.Fatal(got)
	}
	want := callback.SubjectRecord(g.ring.Reference, "ezto/user/", "plaintext\nu-7731")
	if !slices.Equal(g.kept.records, []string{want}) || strings.Contains(want, "u-7731") {
		t.Errorf("kept %q, want %q", g.kept.records, want)
	}
	g.kept.err = errors.New("down")
	if got := g.takes("plaintext", result); got != 503 {
		t.Errorf("answered %d though nothing was kept", got)
	}
}

// TestCallbackOfAnother: what is pushed of somebody's next transaction is another event than of the last one; a repeat
// is the same.
func TestCallbackOfAnother(t *testing.T) {
	r := ezto.Callback(ezto.Config{})
	const of = "5b0c7a52-90de-4a1f-8f33-2d6e1c90ab47"
	for text, want := range map[string]string{
		result: of, strings.Replace(result, "request_id", "requestId", 1): of, strings.Replace(result, of, "r", 1): "r",
		`{"user_id":"u-7731"}`: "",
		ping:                   "", // its handle is a name of its own
	} {
		if events, err := r.Translate(arriving("shop", text)); err != nil || len(events) != 1 || events[0].EventID != want {
			t.Errorf("%s gave %+v, %v", text, events, err)
		}
	}
}

// TestSigningKeys: when the realm is asked for its keys, and what its answers are good for.
func TestSigningKeys(t *testing.T) {
	first, second := signingKey(t), otherKey(t, 2048, "realm-2")
	body := func(key jose.JSONWebKey) string {
		return wrapped("token", sign(t, jose.RS256, key, claims(t, ping)))
	}
	t.Run("Cached", func(t *testing.T) {
		r := newRealm(t, first)
		g := newGate(t, r.receiver())
		for range 3 {
			if got := g.takes("token", body(first)); got != 200 {
				t.Fatal(got)
			}
		}
		if !slices.Equal(r.asked, []string{"GET /auth/realms/acme-trade/protocol/openid-connect/certs "}) {
			t.Errorf("asked %q", r.asked)
		}
		r.now = r.now.Add(10 * time.Minute)
		if got := g.takes("token", body(first)); got != 200 || r.questions() != 2 {
			t.Errorf("later: %d after %d questions", got, r.questions())
		}
	})
	t.Run("Rotated", func(t *testing.T) {
		r := newRealm(t, first)
		g := newGate(t, r.receiver())
		g.takes("token", body(first))
		r.shows(t, first, second)
		r.now = r.now.Add(time.Minute - time.Second)
		if got := g.takes("token", body(second)); got != 503 || r.questions() != 1 {
			t.Errorf("within a minute: %d after %d questions", got, r.questions())
		}
		r.now = r.now.Add(time.Second)
		if got := g.takes("token", body(second)); got != 200 || r.questions() != 2 {
			t.Errorf("after it: %d after %d questions", got, r.questions())
		}
	})
	t.Run("NoSuchKey", func(t *testing.T) {
		r := newRealm(t, first)
		g := newGate(t, r.receiver())
		for range 5 {
			if got := g.takes("token", body(second)); got != 401 {
				t.Error(got)
			}
		}
		r.now = r.now.Add(time.Minute)
		for range 5 {
			if got := g.takes("token", body(second)); got != 401 {
				t.Error(got)
			}
		}
		if r.questions() != 2 {
			t.Errorf("asked %d times", r.questions())
		}
	})
	t.Run("LackingAndRotated", func(t *testing.T) { // that one id is lacking tells nothing of another
		r := newRealm(t, first)
		g := newGate(t, r.receiver())
		third := otherKey(t, 2048, "realm-3")
		g.takes("token", body(third))
		for _, test := range []struct {
			key  jose.JSONWebKey
			want int
		}{{second, 503}, {third, 401}, {first, 200}} {
			if got := g.takes("token", body(test.key)); got != test.want || r.questions() != 1 {
				t.Errorf("%s: %d after %d questions", test.key.KeyID, got, r.questions())
			}
		}
		r.shows(t, second)
		r.now = r.now.Add(time.Minute)
		if got := g.takes("token", body(second)); got != 200 || r.questions() != 2 {
			t.Errorf("after it: %d after %d questions", got, r.questions())
		}
	})
	t.Run("DownLater", func(t *testing.T) { // what is known counts on
		r := newRealm(t, first)
		g := newGate(t, r.receiver())
		g.takes("token", body(first))
		r.status, r.now = 503, r.now.Add(10*time.Minute)
		for range 2 {
			for key, want := range map[*jose.JSONWebKey]int{&first: 200, &second: 503} {
				for range 3 {
					if got := g.takes("token", body(*key)); got != want {
						t.Errorf("%s: %d, want %d", key.KeyID, got, want)
					}
				}
			}
			r.now = r.now.Add(time.Minute)
		}
		if r.questions() != 3 {
			t.Errorf("asked %d times", r.questions())
		}
		r.status = 200
		r.shows(t, second)
		if got := g.takes("token", body(second)); got != 200 {
			t.Errorf("once it is up: %d", got)
		}
		if got := g.takes("token", body(first)); got != 503 || r.questions() != 4 { // it was not asked for this one
			t.Errorf("withdrawn: %d after %d questions", got, r.questions())
		}
	})
	t.Run("Withdrawn", func(t *testing.T) {
		r := newRealm(t, first)
		g := newGate(t, r.receiver())
		g.takes("token", body(first))
		r.shows(t, second)
		r.now = r.now.Add(10 * time.Minute)
		if got := g.takes("token", body(first)); got != 401 {
			t.Error(got)
		}
	})
	t.Run("NotAsked", func(t *testing.T) { // for what no key could save
		r := newRealm(t, first)
		g := newGate(t, r.receiver())
		for _, body := range []string{
			wrapped("token", "a.b.c"), wrapped("token", sign(t, jose.RS256, first, claims(t, ping, "aud", "x"))),
			wrapped("token", sign(t, jose.PS256, first.Key, claims(t, ping))),
		} {
			if got := g.takes("token", body); got != 401 || r.questions() != 0 {
				t.Errorf("%d after %d questions", got, r.questions())
			}
		}
	})
	for name, test := range map[string]struct {
		status int
		body   string
	}{
		"Down": {503, `{}`}, "NotFound": {404, `{"keys":[]}`}, "Redirect": {302, `{"keys":[]}`}, "NoJSON": {200, `<html>`},
		"NoKeys": {200, `{"keys":[]}`}, "Odd": {200, `{"keys":{}}`},
		"TooLarge":   {200, `{"keys":[],"x":"` + strings.Repeat("x", 64<<10) + `"}`},
		"Encryption": {200, `{"keys":[` + jwkOf(t, first, "use", "enc") + `]}`},
		"Algorithm":  {200, `{"keys":[` + jwkOf(t, first, "alg", "RSA-OAEP") + `]}`},
		"Exponent":   {200, `{"keys":[` + jwkOf(t, first, "e", "AQ") + `]}`},
		"Even":       {200, `{"keys":[` + jwkOf(t, first, "e", "BA") + `]}`},
		"HugeE":      {200, `{"keys":[` + jwkOf(t, first, "e", "AQAAAAAB") + `]}`},
		"NoModulus":  {200, `{"keys":[` + jwkOf(t, first, "n", "") + `]}`},
		"Short":      {200, `{"keys":[` + jwkOf(t, otherKey(t, 1024, "realm-1"), "alg", "RS256") + `]}`},
		"Long":       {200, `{"keys":[` + jwkOf(t, first, "n", strings.Repeat("_", 2000)) + `]}`},
		"Symmetric":  {200, `{"keys":[{"kty":"oct","kid":"realm-1","k":"c2VjcmV0"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRealm(t)
			r.status, r.body = test.status, test.body
			g := newGate(t, r.receiver())
			if got := g.takes("token", body(first)); got != 503 || len(g.kept.records) != 0 {
				t.Errorf("answered %d", got)
			}
			if strings.Contains(g.logs.String(), r.URL) {
				t.Error(g.logs.String())
			}
			r.status = 200
			r.shows(t, second, first)
			questions := r.questions()
			r.now = r.now.Add(time.Minute - time.Second)
			if got := g.takes("token", body(first)); got != 503 || r.questions() != questions {
				t.Errorf("answered %d within the pause, after %d questions", got, r.questions()-questions)
			}
			r.now = r.now.Add(time.Second)
			if got := g.takes("token", body(first)); got != 200 || r.questions() != questions+1 {
				t.Errorf("answered %d once the keys were there", got)
			}
		})
	}
	t.Run("NotReached", func(t *testing.T) {
		r := newRealm(t, first)
		r.Close()
		if got := newGate(t, r.receiver()).takes("token", body(first)); got != 503 {
			t.Error(got)
		}
	})
	t.Run("AmongOthers", func(t *testing.T) {
		r := newRealm(t)
		r.body = `{"keys":[7,{"kty":"EC","kid":"realm-1"},` + jwkOf(t, first, "x5c", "odd") + `,` + jwkOf(
			t, otherKey(t, 2048, "realm-1"), "use", "enc",
		) + `]}`
		if got := newGate(t, r.receiver()).takes("token", body(first)); got != 200 {
			t.Error(got)
		}
	})
}

// TestEncryptionKeys: a key is taken as it stands, and from each kind of base64.
func TestEncryptionKeys(t *testing.T) {
	key := append(bytes.Repeat([]byte{0xfb, 0xff, 0xfe}, 10), 0xff, 0xfe) // each alphabet has its own letters for these
	body := wrapped("encrypted", encrypt(t, jose.A128CBC_HS256, key, result, nil))
	r := ezto.Callback(ezto.Config{})
	for text, want := range map[string]bool{
		base64.StdEncoding.EncodeToString(key): true, base64.RawStdEncoding.EncodeToString(key): true,
		base64.URLEncoding.EncodeToString(key): true, base64.RawURLEncoding.EncodeToString(key): true,
		base64.StdEncoding.EncodeToString(key[:31]): false, base64.StdEncoding.EncodeToString(key) + "*": false,
		"====": false,
	} {
		secret := `{"workspace":"w","applications":{"encrypted":{"app_id":"a","response_type":"encrypted","encryption_keys":["` + text + `"]}}}`
		payload, err := r.Verify(t.Context(), []byte(secret), arriving("encrypted", body))
		if want && (err != nil || string(payload) != result) ||
			!want && (!errors.Is(err, callback.ErrNotAuthentic) || payload != nil) {
			t.Errorf("%s: %q, %v", text, payload, err)
		}
	}
}

// jwkOf is the public part of a key, with one member changed.
func jwkOf(t testing.TB, key jose.JSONWebKey, name, value string) string {
	t.Helper()
	text, err := json.Marshal(key.Public())
	members := map[string]any{}
	if err = errors.Join(err, json.Unmarshal(text, &members)); err != nil {
		t.Fatal(err)
	}
	members[name] = value
	if text, err = json.Marshal(members); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzEZTOCallback: what is authentic the standards take for authentic as well, and it says the same; and whatever is
// said, an event is about a transaction or somebody who takes part in it, in a code.
func FuzzEZTOCallback(f *testing.F) {
	key := signingKey(f)
	r := newRealm(f, key)
	receiver := r.receiver()
	token, jwe := sign(f, jose.RS256, key, claims(f, result)), encrypt(f, jose.A128CBC_HS256, []byte(oldKey), ping, nil)
	for _, body := range []string{
		ping, result, strings.TrimSuffix(result, "}") + ",}", `{"user_id":"u","error":"access_denied"}`,
		wrapped("token", token), wrapped("encrypted", jwe),
		`{"token":"` + token + `",}`, wrapped("token", altered(token, 2, flipped(0))),
		wrapped("encrypted", altered(jwe, 3, flipped(0))), wrapped("encrypted", "e30..AA.AA.AA"),
		wrapped("token", sign(f, jose.RS256, key, claims(f, ping, "aud", []any{"app-2", nil}))),
		`{"token":null,"encrypted":[]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, application := range []string{"plaintext", "token", "encrypted"} {
			req := arriving(application, string(body))
			plain, err := receiver.Verify(t.Context(), []byte(hooked), req)
			var nothing *gateway.InputError
			// By another name than its key's a token is to be repeated, as the realm can't be asked each time.
			if err != nil && (plain != nil || !errors.Is(err, callback.ErrNotAuthentic) && !errors.As(err, &nothing) &&
				(application != "token" || !errors.Is(err, callback.ErrUnavailable))) {
				t.Fatalf("%s: %q, %v", application, plain, err)
			}
			if err != nil {
				continue
			}
			if want, err := oracle(application, key.Public().Key.(*rsa.PublicKey), body); err != nil ||
				!bytes.Equal(want, plain) {
				t.Errorf("%s: %q is authentic and says %q, %v", application, body, plain, err)
			}
			req.Body = plain
			events, err := receiver.Translate(req)
			if err != nil {
				continue
			}
			for _, about := range events {
				id, byHandle := strings.CutPrefix(about.Record, "ezto/transaction/")
				if byHandle == (about.SubjectID != "") || byHandle && len(id) != 32 || !byHandle && about.Record != "ezto/user/" ||
					len(about.Codes) != 1 ||
					!slices.Contains([]string{"completed", "failed", "denied", "skipped", "other"}, about.Codes["status"]) {
					t.Errorf("%q is an event of %+v", plain, about)
				}
			}
		}
	})
}

// oracle checks and opens a callback without a library for it, by RFC 7515 (RS256) and RFC 7518, 5.2.2.2
// (A128CBC-HS256).
func oracle(application string, key *rsa.PublicKey, body []byte) ([]byte, error) {
	if application == "plaintext" {
		return body, nil
	}
	if plain, ok := strings.CutSuffix(strings.TrimSpace(string(body)), "}"); ok {
		if before, comma := strings.CutSuffix(strings.TrimSpace(plain), ","); comma {
			body = []byte(before + "}")
		}
	}
	var wrap map[string]any // by exact names
	if err := json.Unmarshal(body, &wrap); err != nil {
		return nil, err
	}
	var parts [][]byte
	text := strings.TrimSpace(fmt.Sprint(wrap[application]))
	for part := range strings.SplitSeq(text, ".") {
		plain, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return nil, err
		}
		parts = append(parts, plain)
	}
	var header struct{ Alg, Enc string }
	if err := json.Unmarshal(parts[0], &header); err != nil {
		return nil, err
	}
	encoded := func(part int) string { return base64.RawURLEncoding.EncodeToString(parts[part]) }
	if application == "token" {
		if len(parts) != 3 || header.Alg != "RS256" {
			return nil, errors.New("not RS256")
		}
		sum := sha256.Sum256([]byte(encoded(0) + "." + encoded(1)))
		return parts[1], rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], parts[2])
	}
	if len(parts) != 5 || header.Alg != "dir" || header.Enc != "A128CBC-HS256" || len(parts[1]) != 0 {
		return nil, errors.New("not dir and A128CBC-HS256")
	}
	mac := hmac.New(sha256.New, []byte(oldKey[:16]))
	mac.Write([]byte(encoded(0)))
	mac.Write(parts[2])
	mac.Write(parts[3])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(encoded(0)))*8))
	block, err := aes.NewCipher([]byte(oldKey[16:]))
	if err != nil || !hmac.Equal(mac.Sum(nil)[:16], parts[4]) {
		return nil, errors.New("another tag")
	}
	plain := make([]byte, len(parts[3]))
	cipher.NewCBCDecrypter(block, parts[2]).CryptBlocks(plain, parts[3])
	return plain[:len(plain)-int(plain[len(plain)-1])], nil
}
