package ezto

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
	"sallyport/shared/upstream"
)

// Response types, each a form of what an application's hook sends (§7); which member wraps the last two is
// inferred.
const (
	responsePlaintext = "plaintext"
	responseToken     = "token"     // {"token":"<JWT, RS256>"}
	responseEncrypted = "encrypted" // {"encrypted":"<compact JWE, dir and A128CBC-HS256>"}
)

const (
	leeway      = time.Minute      // for the partner's clock
	keysLife    = 10 * time.Minute // for which the realm's keys are good
	keysPause   = time.Minute      // between two questions for them, however the first one went
	keysTimeout = 5 * time.Second  // the partner waits meanwhile
	maxKeys     = 64 << 10         // bytes of all of them

	minCallbackKey    = 16   // characters
	encryptionKeySize = 32   // bytes
	encodedTag        = 22   // characters, of 16 bytes
	minModulus        = 2048 // bits of a signing key
	maxModulus        = 8192 // the more, the longer a check takes
)

// Callback is what the hook of an application tells (§7, §11): that a transaction has ended, or with which result.
// In plain text it shows no more than that its sender knows the hook's URL, so it is a hint whatever its form: it ends
// the waits, and they ask the partner.
func Callback(c Config) callback.Receiver {
	c.Client = cmp.Or(c.Client, upstream.New())
	keys := &realmKeys{Config: c}
	return callback.Receiver{
		Name: "ezto/callback",
		Verify: func(ctx context.Context, secret []byte, req gateway.Request) (payload []byte, err error) {
			return verify(ctx, keys, secret, req)
		},
		Translate:   translate,
		Acknowledge: acknowledge,
	}
}

// verify takes a callback in its application's own form only, lest somebody without keys choose the form that needs
// none. In plain text its URL must be the one that was told to the partner alone.
func verify(ctx context.Context, keys *realmKeys, secret []byte, req gateway.Request) (payload []byte, err error) {
	creds, app, ok := receiving(secret, req)
	if !ok || app.responseType() == responsePlaintext && !app.knows(req.Query["key"]) {
		return nil, callback.ErrNotAuthentic
	}
	m := object(req.Body)
	if m == nil {
		return nil, &gateway.InputError{
			Reason: "the body is not a JSON object", Source: source.Safety("a callback that can be read"),
		}
	}
	form, text := unwrap(m)
	if form == app.responseType() && !strings.ContainsAny(text, "\r\n") { // the library would skip line breaks
		switch form {
		case responsePlaintext:
			return req.Body, nil
		case responseToken:
			return keys.verify(ctx, creds.url(keys.Config, certsPath), app.ID, text)
		case responseEncrypted:
			return decrypt(app.EncryptionKeys, text)
		}
	}
	return nil, callback.ErrNotAuthentic
}

// receiving returns the application that a callback's path names, and the credentials that have it.
func receiving(secret []byte, req gateway.Request) (creds credentials, app application, ok bool) {
	if tolerant.Read(secret, &creds) != nil || creds.Workspace == "" {
		return creds, app, false
	}
	app, ok = creds.Applications[req.Params["application"]]
	return creds, app, ok && app.ID != ""
}

func (a application) responseType() string {
	if a.ResponseType == "" {
		return responsePlaintext
	}
	return strings.ToLower(a.ResponseType)
}

// knows reports whether a key is one of those that the hook's URL may have.
func (a application) knows(key string) bool {
	return callback.AnyOf(a.CallbackKeys, func(live string) bool {
		return callback.SameText(key, live) && len(live) >= minCallbackKey
	})
}

// unwrap tells the form of a callback, empty if it could be two of them, and the text that is wrapped.
func unwrap(m tolerant.Object) (form, text string) {
	_, token := m["token"]
	_, encrypted := m["encrypted"]
	switch {
	case token && encrypted:
		return "", ""
	case token:
		return responseToken, m.Word("token")
	case encrypted:
		return responseEncrypted, m.Word("encrypted")
	}
	return responsePlaintext, ""
}

// translate takes which transaction a callback is about, if any, and how that ended, in one word. What is pushed
// without the handle names who takes part, who may take part again (§10: dedupe on request_id); what names both
// makes an event of each.
func translate(req gateway.Request) (events []callback.Event, err error) {
	m := object(req.Body)
	if m == nil {
		return nil, errors.New("the body is not a JSON object")
	}
	codes := map[string]string{"status": ending(req.Body)}
	handle, user := m.Text("auth_req_id"), m.Text("user_id", "userId")
	if handle != "" && len(handle) <= maxHandle {
		events = append(events, callback.Event{Record: ownedTransaction(handle), Codes: codes})
	}
	if user != "" {
		events = append(events, callback.Event{
			Record: userRecord, SubjectID: userOf(req.Params["application"], user),
			Codes: codes, EventID: m.Text("request_id", "requestId"),
		})
	}
	return events, nil
}

// ending is completed, failed, denied, skipped or other.
func ending(told []byte) string {
	m := object(told)
	switch m.Word("error") {
	case codeFailed:
		return "failed"
	case codeDenied:
		return "denied"
	case "":
	default:
		return "other"
	}
	switch status := strings.ToLower(m.Word("status")); status {
	case "completed", "failed", "denied", "skipped":
		return status
	case "":
	default:
		return "other"
	}
	result, ok := ReadResult(told)
	switch {
	case !ok:
		return "other"
	case result.state("") == "skipped":
		return "skipped"
	}
	return "completed"
}

// acknowledge goes by the status: what the partner reads of an answer is not known.
func acknowledge(status int, message string) gateway.Reply {
	switch {
	case status == http.StatusOK:
		return gateway.JSON(http.StatusOK, []byte(`{"status":"acknowledged"}`))
	case status == http.StatusUnauthorized:
		return failure(status, codeClient, message)
	case status < http.StatusInternalServerError:
		return failure(status, codeInvalid, message)
	}
	return failure(status, codeServerError, message)
}

// realmKeys are what the realm of a workspace signs tokens with (§11), kept while the container lives.
type realmKeys struct {
	Config

	mu      sync.Mutex
	from    string                    // the URL
	keys    map[string]*rsa.PublicKey // by id
	read    time.Time                 // when they were had
	asked   time.Time                 // when they were asked for
	lacking string                    // the id that they were last asked for, and didn't have
}

// verify returns the claims of a token for the application with an app_id. Errors: those of callback.Receiver.Verify.
func (k *realmKeys) verify(ctx context.Context, from, id, text string) (claims []byte, err error) {
	token, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, callback.ErrNotAuthentic
	}
	header, unverified := token.Signatures[0].Protected, object(token.UnsafePayloadWithoutVerification())
	// The claims come first, so that not every text has the partner asked for its keys; they count with the signature
	// only.
	if extended(header) || header.KeyID == "" || !current(unverified, id, k.now()) {
		return nil, callback.ErrNotAuthentic
	}
	key, err := k.find(ctx, from, header.KeyID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", callback.ErrUnavailable, err)
	case key == nil:
		return nil, callback.ErrNotAuthentic
	}
	if claims, err = token.Verify(key); err != nil {
		return nil, callback.ErrNotAuthentic
	}
	return claims, nil
}

// current reports whether claims are for an application, and for now.
func current(claims tolerant.Object, id string, now time.Time) bool {
	var audience []string
	if tolerant.Read(claims["aud"], &audience) != nil {
		audience = []string{claims.Word("aud")}
	}
	date := func(name string) (seconds float64, ok bool) {
		seconds, err := strconv.ParseFloat(claims.Text(name), 64)
		return seconds, err == nil && math.Abs(seconds) <= math.MaxFloat64 // neither "Inf" nor "NaN"
	}
	expires, hasEnd := date("exp")
	issued, hasStart := date("iat")
	earliest, latest := float64(now.Add(-leeway).Unix()), float64(now.Add(leeway).Unix())
	if begins, ok := date("nbf"); claims["nbf"] != nil && (!ok || begins > latest) {
		return false
	}
	return slices.Contains(audience, id) && hasEnd && expires > earliest && hasStart && issued <= latest
}

// find returns the key of an id, nil if the realm has none. The realm is asked once in a pause, however it answers and
// for whatever ids: meanwhile, and while it can't be asked, a key that it had counts on, and an id that it has not been
// asked for is an error, for it may be that of a key which has just been rotated in.
func (k *realmKeys) find(ctx context.Context, from, id string) (*rsa.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.from != from {
		k.from, k.keys, k.read, k.asked, k.lacking = from, nil, time.Time{}, time.Time{}, ""
	}
	now, known := k.now(), k.keys[id]
	switch {
	case known != nil && now.Sub(k.read) < keysLife:
		return known, nil
	case now.Sub(k.asked) >= keysPause:
		return k.refresh(ctx, now, id)
	case known != nil || id == k.lacking:
		return known, nil
	}
	return nil, errors.New("ezto: the realm was asked for its keys a moment ago")
}

// refresh asks the realm for its keys, and returns the one of an id.
func (k *realmKeys) refresh(ctx context.Context, now time.Time, id string) (*rsa.PublicKey, error) {
	k.asked, k.lacking = now, ""
	keys, err := k.fetch(ctx, k.from)
	switch known := k.keys[id]; {
	case err != nil && known != nil:
		return known, nil
	case err != nil:
		return nil, err
	}
	if keys[id] == nil {
		k.lacking = id
	}
	k.keys, k.read = keys, now
	return keys[id], nil
}

// fetch asks the realm. What is no key for RS256 is left out.
func (k *realmKeys) fetch(ctx context.Context, from string) (map[string]*rsa.PublicKey, error) {
	req, err := http.NewRequest(http.MethodGet, from, nil)
	if err != nil {
		return nil, errors.New("ezto: base URL")
	}
	req.Header.Set("Accept", "application/json")
	ctx, cancel := context.WithTimeout(ctx, keysTimeout)
	defer cancel()
	resp, err := k.Client.Do(ctx, req, nil, maxKeys)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if resp.Status != http.StatusOK || tolerant.Read(resp.Body, &set) != nil {
		return nil, errors.New("ezto: no keys, http_" + strconv.Itoa(resp.Status))
	}
	keys := map[string]*rsa.PublicKey{}
	for _, text := range set.Keys {
		m := object(text)
		if key := readKey(m); key != nil {
			keys[m.Word("kid")] = key
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("ezto: no keys of use")
	}
	return keys, nil
}

// readKey reads a JWK; nil for what is no RSA key to check RS256 with. What else it carries, such as certificates, is
// not read.
func readKey(m tolerant.Object) *rsa.PublicKey {
	text, err := json.Marshal(map[string]string{"kty": m.Word("kty"), "n": m.Word("n"), "e": m.Word("e")})
	var key jose.JSONWebKey
	if err != nil || key.UnmarshalJSON(text) != nil ||
		m["use"] != nil && m.Word("use") != "sig" || m["alg"] != nil && m.Word("alg") != string(jose.RS256) {
		return nil
	}
	public, ok := key.Key.(*rsa.PublicKey)
	if !ok || public.N.BitLen() < minModulus || public.N.BitLen() > maxModulus ||
		public.E < 3 || public.E > 1<<31-1 || public.E%2 == 0 {
		return nil
	}
	return public
}

// extended reports whether a header changes what its text means: by an extension that must be understood, by
// compression, or by a payload that is not encoded.
func extended(h jose.Header) bool {
	for _, name := range []jose.HeaderKey{"crit", "zip", "b64"} {
		if _, ok := h.ExtraHeaders[name]; ok {
			return true
		}
	}
	return false
}

// decrypt returns what a JWE says that was made with one of the keys, else callback.ErrNotAuthentic.
func decrypt(keys []string, text string) (plain []byte, err error) {
	sealed, err := jose.ParseEncryptedCompact(text,
		[]jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A128CBC_HS256})
	if err != nil || extended(sealed.Header) {
		return nil, callback.ErrNotAuthentic
	}
	// Of its five parts the second is a key that was sent along, which there is none of, and the last is the tag.
	if parts := strings.Split(text, "."); parts[1] != "" || len(parts[4]) != encodedTag {
		return nil, callback.ErrNotAuthentic
	}
	err = callback.ErrNotAuthentic
	for _, key := range keys {
		if opened, failed := sealed.Decrypt(readEncryptionKey(key)); failed == nil {
			plain, err = opened, nil
		}
	}
	return plain, err
}

// readEncryptionKey reads a key as it stands or in base64, also with blanks around it. One of another length opens
// nothing.
func readEncryptionKey(text string) []byte {
	trimmed := strings.TrimSpace(text)
	for _, key := range []string{text, trimmed} {
		if len(key) == encryptionKeySize {
			return []byte(key)
		}
	}
	return tolerant.Base64(trimmed)
}
