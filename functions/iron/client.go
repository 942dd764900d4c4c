// Package iron is everything that knows Iron, where a customer is identified: an identification is created once, and
// then becomes something over time. In this folder, §n is a row of the table "The contract" in README.md.
package iron

import (
	"cmp"
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
	"sallyport/shared/upstream"
)

// Config is where Iron is reached, such as "https://api.sandbox.iron.xyz/api", without a slash at the end, and what
// else may be set.
type Config struct {
	BaseURL string
	Now     func() time.Time // nil for time.Now
	KeyLife time.Duration    // zero for KeyLife
}

func (c Config) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// KeyLife is how long the partner is trusted to honour an idempotency key: it keeps one for 24 hours (§9).
const KeyLife = 23 * time.Hour

func (c Config) keyLife() time.Duration { return cmp.Or(c.KeyLife, KeyLife) }

// forgotten reports whether the partner may have forgotten a call's key.
func (c Config) forgotten(call operation.Call) bool {
	return c.now().Sub(call.FirstSent) >= c.keyLife()
}

// maxVersion is how long the header X-API-Version may be, in bytes.
const maxVersion = 100

// scope is what a caller says in headers of how a call is meant.
type scope struct {
	SubPartner string `json:"sub_partner,omitzero"`
	Version    string `json:"version,omitzero"`
}

// readScope reads it; a state machine names the sub-partner in its query.
func readScope(req gateway.Request) (s scope, err error) {
	s = scope{SubPartner: req.Header["x-sub-partner-id"], Version: req.Header["x-api-version"]}
	if req.FromStateMachine {
		s.SubPartner = req.Query["sub_partner_id"]
	}
	switch {
	case s.SubPartner != "" && !isUUID(s.SubPartner):
		return s, &gateway.InputError{
			Pointer: "X-SUB-PARTNER-ID", Reason: "must be a UUID", Source: source.Published("§1.3"),
		}
	case len(s.Version) > maxVersion || strings.ContainsFunc(s.Version, func(r rune) bool { return r < ' ' || r > '~' }):
		return s, &gateway.InputError{
			Pointer: "X-API-Version", Reason: "must have 100 characters of ASCII at most", Source: source.Safety("a header"),
		}
	}
	s.SubPartner = canonicalID(s.SubPartner)
	return s, nil
}

// requireKey checks that a caller of a creation has sent an idempotency key that is a UUID (§1). State machines
// have keys of their own.
func requireKey(req gateway.Request) error {
	if req.FromStateMachine {
		return nil
	}
	key, err := gateway.IdempotencyKey(req.Header)
	switch {
	case err != nil:
		return err
	case key == "":
		return rejected(
			http.StatusBadRequest, messageKeyMissing, "idempotency_key_missing", "IDEMPOTENCY-KEY: is required",
			source.Published("§1.2"),
		)
	case !isUUID(key):
		return rejected(
			http.StatusBadRequest, messageKeyNotUUID, "idempotency_key_invalid", "IDEMPOTENCY-KEY: must be a UUID",
			source.Published("§1.2"),
		)
	}
	return nil
}

// pathID reads a path parameter.
func pathID(req gateway.Request, name string) (string, error) {
	if !isUUID(req.Params[name]) {
		return "", &gateway.InputError{Pointer: name, Reason: "must be a UUID", Source: source.Published("§2.1")}
	}
	return canonicalID(req.Params[name]), nil
}

// request is one call of the partner.
type request struct {
	method, path string
	query        url.Values
	body         []byte
	scope        scope
	key          string // idempotency key; empty for none
}

// send makes one request. Where no answer to it came, or one that does not depend on what was asked for, failed says
// what that means.
func (c Config) send(
	ctx context.Context, call operation.Call, r request,
) (resp upstream.Response, failed *operation.Outcome) {
	var creds credentials
	if err := json.Unmarshal(call.Secret, &creds); err != nil || creds.APIKey == "" {
		return resp, &operation.Outcome{Class: operation.Credentials, Code: "credentials_malformed"}
	}
	address := c.BaseURL + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequest(r.method, address, nil)
	if err != nil {
		return resp, &operation.Outcome{Class: operation.Unavailable, Code: "base_url"}
	}
	req.Header.Set("X-API-Key", creds.APIKey)
	req.Header.Set("Accept", "application/json")
	for name, value := range map[string]string{
		"X-SUB-PARTNER-ID": r.scope.SubPartner, "X-API-Version": r.scope.Version, "IDEMPOTENCY-KEY": r.key,
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if len(r.body) > 0 {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	resp, err = call.Do(ctx, req, r.body)
	return resp, operation.Failed(resp, err)
}

// classify is Iron's one table from answers to classes (§8). There are no codes: the status decides. missing is
// what a record is answered with that isn't there, or is another tenant's: nobody shall tell the two apart.
func classify(resp upstream.Response, missing string) operation.Outcome {
	outcome := operation.Outcome{
		Class: operation.Unknown, Code: "http_" + strconv.Itoa(resp.Status), Reply: operation.PassOn(resp),
	}
	switch {
	case resp.Status == http.StatusOK || resp.Status == http.StatusCreated:
		if tolerant.JSON(outcome.Reply.Body).Kind() == '{' {
			outcome.Class, outcome.Code = operation.Done, "ok"
		}
	case resp.Status == http.StatusRequestTimeout:
	case resp.Status == http.StatusNotFound:
		outcome.Class, outcome.Reply = operation.Invalid, failure(http.StatusNotFound, missing)
	case resp.Status == http.StatusConflict:
		outcome.Class = operation.Conflict
	case resp.Status >= 400 && resp.Status < 500:
		outcome.Class = operation.Invalid
	}
	if outcome.Reply.Status == 0 && outcome.Class != operation.Unknown { // some of its errors are plain text
		outcome.Reply = failure(resp.Status, http.StatusText(resp.Status))
	}
	return outcome
}

// read makes a request that changes nothing.
func (c Config) read(
	ctx context.Context, call operation.Call, s scope, path string, query url.Values, missing string,
) operation.Outcome {
	resp, failed := c.send(ctx, call, request{method: http.MethodGet, path: path, query: query, scope: s})
	if failed == nil {
		outcome := classify(resp, missing)
		if outcome.Class == operation.Done && resp.Status != http.StatusOK { // no page has it so
			outcome.Class, outcome.Code = operation.Unknown, "http_"+strconv.Itoa(resp.Status)
		}
		failed = &outcome
	}
	if failed.Class == operation.Unknown {
		failed.Class = operation.Unavailable // nothing has happened
	}
	return *failed
}

func unreadable() operation.Outcome {
	return operation.Outcome{Class: operation.Unavailable, Code: "unreadable"}
}

const (
	pageSize = 100 // the most that the partner gives (§2)
	maxPages = 20
)

// each reads a list to its end, page by page, until visit returns false. Where it can't be read to its end, failed says
// why.
func (c Config) each(
	ctx context.Context, call operation.Call, s scope, path string, query url.Values, visit func(jsontext.Value) bool,
) (failed *operation.Outcome) {
	query.Set("page_size", strconv.Itoa(pageSize))
	for range maxPages {
		outcome := c.read(ctx, call, s, path, query, messageNoCustomer)
		if outcome.Class != operation.Done {
			return &outcome
		}
		p, ok := readPage(outcome.Reply.Body)
		if !ok {
			break
		}
		for _, item := range p.Items {
			if !visit(item) {
				return nil
			}
		}
		if p.Cursor == "" {
			return nil
		}
		query.Set("cursor", p.Cursor)
	}
	outcome := unreadable()
	return &outcome
}

// finder looks for what an earlier attempt of a creation may have created.
type finder func() (operation.Outcome, operation.Finding)

// create makes a creation, unless guard has something against it. The partner honours the key for a day, so a repeat
// with the key comes before any search. But it may not keep a fault as a key's answer (§9), and after a day it
// keeps none: then the repeat looks first for what the attempts before it have created. It looks as well where it is
// refused. That it is refused for what there is is definite only where guard confirms it.
func (c Config) create(
	ctx context.Context, call operation.Call, r request, find finder, guard func(keyTells bool) *operation.Outcome,
	done func(gateway.Reply) operation.Outcome,
) (outcome operation.Outcome) {
	faulty := strings.HasPrefix(call.Before, "http_5")
	defer func() {
		if faulty && outcome.Class == operation.Unknown {
			outcome.Code = call.Before // for the attempts to come
		}
	}()
	forgotten := c.forgotten(call)
	if call.Again && (forgotten || faulty) {
		switch found, finding := find(); {
		case finding == operation.Found:
			return found
		case finding == operation.Undetermined && forgotten:
			return undetermined(found)
		}
	}
	if against := guard(call.Again && !forgotten); against != nil {
		return *against
	}
	r.method, r.key = http.MethodPost, partnerKey(call)
	resp, failed := c.send(ctx, call, r)
	if failed != nil {
		return *failed
	}
	outcome = classify(resp, messageNoCustomer)
	if outcome.Class == operation.Done {
		outcome = done(outcome.Reply)
		outcome.Fresh = true
		return outcome
	}
	if call.Again && outcome.Class != operation.Unknown {
		switch found, finding := find(); {
		case finding == operation.Found && (forgotten || faulty):
			return found
		case finding != operation.NotFound: // it may be this call's, or that of another which will claim it
			return undetermined(found)
		}
		if outcome.Class == operation.Conflict && guard(false) == nil {
			return undetermined(outcome) // an attempt before it may be running still
		}
	}
	return outcome
}

// undetermined is what a repeat is that can't be told from the attempts before it. Credentials that were rejected are
// renewed first.
func undetermined(looked operation.Outcome) operation.Outcome {
	if looked.Class == operation.Credentials {
		return looked
	}
	return operation.Outcome{Class: operation.Unknown, Code: looked.Code}
}

// partnerKey is what the partner gets as idempotency key: the same for every attempt of which none has a definite
// answer, and another after one, as it would give a stored refusal again.
func partnerKey(call operation.Call) string {
	reference := call.Reference("iron idempotency key", call.ID, call.Fingerprint, strconv.Itoa(call.Generation))
	return uuid.NewHash(sha256.New(), uuid.Nil, []byte(reference), 4).String()
}
