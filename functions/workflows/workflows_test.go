package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/ezto/rule"
	"sallyport/functions/workflows"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
)

// epoch is when everything happens.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is the two routes over a ledger of their own, which two tenants share.
type world struct {
	*testing.T
	ledger   *ledgerbolt.Ledger
	put, get lambda.Handler
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l, err := ledgerbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	for key, c := range map[string]ledger.Caller{
		"acme-key":   {Tenant: "acme", Scopes: []string{"workspace"}},
		"globex-key": {Tenant: "globex", Scopes: []string{"*"}},
		"other-key":  {Tenant: "acme", Scopes: []string{"journeys"}},
	} {
		c.KeyHash = gateway.HashKey(key)
		if err := l.PutCaller(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	now := func() time.Time { return epoch }
	auth, log := gateway.NewAuthenticator(l, now), slog.New(slog.DiscardHandler)
	return &world{t, l, workflows.Put(l, rule.Check, auth, log, now), workflows.Get(l, auth, log)}
}

// call sends a request for the workflow name; header holds pairs.
func (w *world) call(h lambda.Handler, key, name, body string, header ...string) events.APIGatewayV2HTTPResponse {
	w.Helper()
	headers := map[string]string{"x-api-key": key}
	for i := 0; i < len(header); i += 2 {
		headers[header[i]] = header[i+1]
	}
	payload, err := json.Marshal(
		events.APIGatewayV2HTTPRequest{Headers: headers, PathParameters: map[string]string{"name": name}, Body: body},
	)
	if err != nil {
		w.Fatal(err)
	}
	out, err := h.Invoke(w.Context(), payload)
	if err != nil {
		w.Fatal(err)
	}
	var res events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &res); err != nil {
		w.Fatal(err)
	}
	return res
}

func (w *world) want(res events.APIGatewayV2HTTPResponse, status int, tag, body string) {
	w.Helper()
	if res.StatusCode != status || res.Headers["ETag"] != tag || res.Body != body {
		w.Fatalf("\n got %d %s %s\nwant %d %s %s", res.StatusCode, res.Headers["ETag"], res.Body, status, tag, body)
	}
}

const minimal = `{"modules":[{"type":"iec_verification"}]}`

func stored(name, module string, version int) string {
	return `{"name":"` + name + `","modules":[` + module + `],"version":` + strconv.Itoa(version) + `,"updated_at":"2026-03-01T12:00:00Z"}`
}

const full = `{"type":"iec_verification","enabled":true,"rule":"","claims":["iec_code","iec_verified","iec_verified_at","name","iec_status","pan"]}`

func TestPutAndGet(t *testing.T) {
	w := newWorld(t)
	notFound := `{"status":404,"title":"Not Found","code":"not_found"}`
	w.want(w.call(w.get, "acme-key", "iec", ""), 404, "", notFound)

	w.want(w.call(w.put, "acme-key", "iec", minimal), 201, `"1"`, stored("iec", full, 1))
	w.want(w.call(w.get, "acme-key", "iec", ""), 200, `"1"`, stored("iec", full, 1))

	changed := `{"type":"iec_verification","enabled":false,"rule":"country == 'IN'","claims":["iec_code","iec_verified"]}`
	w.want(w.call(
		w.put, "acme-key", "iec",
		`{"modules":[{"type":"iec_verification","enabled":false,"rule":"country == 'IN'","claims":["iec_verified","iec_code"]}]}`,
	),
		200, `"2"`, stored("iec", changed, 2))
	w.want(w.call(w.get, "acme-key", "iec", ""), 200, `"2"`, stored("iec", changed, 2))
	w.want(w.call(w.get, "acme-key", "iec", "", "if-none-match", `"1"`), 200, `"2"`, stored("iec", changed, 2))
	w.want(w.call(w.get, "acme-key", "iec", "", "if-none-match", `"1", W/"2"`), 304, `"2"`, "")

	w.want(w.call(
		w.put, "acme-key", "Named_2",
		`{"display_name":"Importers","description":"Checks importers","modules":[{"type":"iec_verification","display_name":"IEC"}]}`,
	),
		201, `"1"`,
		`{"name":"Named_2","display_name":"Importers","description":"Checks importers","modules":[`+strings.Replace(
			full, `,"enabled"`, `,"display_name":"IEC","enabled"`, 1,
		)+`],"version":1,"updated_at":"2026-03-01T12:00:00Z"}`)

	// tenants don't see each other's
	w.want(w.call(w.get, "globex-key", "iec", ""), 404, "", notFound)
	w.want(w.call(w.put, "globex-key", "iec", minimal), 201, `"1"`, stored("iec", full, 1))
	w.want(w.call(w.get, "acme-key", "iec", ""), 200, `"2"`, stored("iec", changed, 2))
	for _, name := range []string{"", "a b", "iec#", strings.Repeat("x", 65), "../iec"} {
		w.want(w.call(w.get, "acme-key", name, ""), 404, "", notFound)
	}
}

func TestPreconditions(t *testing.T) {
	w := newWorld(t)
	failed := `{"status":412,"title":"Precondition Failed","code":"precondition_failed","detail":"what is there has another version than the request names"}`
	for _, match := range []string{`"1"`, `*`, `"0"`, ``} {
		w.want(w.call(w.put, "acme-key", "iec", minimal, "if-match", match), 412, "", failed)
	}
	w.want(w.call(w.put, "acme-key", "iec", minimal, "if-none-match", "*"), 201, `"1"`, stored("iec", full, 1))
	w.want(
		w.call(w.put, "acme-key", "iec", `{"modules":[{"type":"iec_verification","enabled":false}]}`, "if-none-match", " * "),
		412, "", failed,
	)
	for _, match := range []string{`"2"`, `1`, `W/"1"`, `""`, `"0", "2"`} {
		w.want(w.call(w.put, "acme-key", "iec", minimal, "if-match", match), 412, "", failed)
	}
	off := strings.Replace(full, `"enabled":true`, `"enabled":false`, 1)
	body := `{"modules":[{"type":"iec_verification","enabled":false}]}`
	w.want(w.call(w.put, "acme-key", "iec", body, "if-match", `"1"`), 200, `"2"`, stored("iec", off, 2))
	w.want(w.call(w.put, "acme-key", "iec", minimal, "if-match", `"7", "2"`), 200, `"3"`, stored("iec", full, 3))
	w.want(w.call(w.put, "acme-key", "iec", body, "if-match", `*`), 200, `"4"`, stored("iec", off, 4))
	for _, header := range [][]string{{"if-none-match", `"4"`}, {"if-none-match", "*", "if-match", `"4"`}} {
		w.want(w.call(w.put, "acme-key", "iec", body, header...), 400, "",
			`{"status":400,"title":"Bad Request","code":"invalid_request","detail":"If-None-Match: must be *, without If-Match"}`)
	}
}

func TestErrors(t *testing.T) {
	w := newWorld(t)
	problem := func(status int, title, code, detail string) string {
		text, err := json.Marshal(detail)
		if err != nil {
			t.Fatal(err)
		}
		return `{"status":` + strconv.Itoa(status) + `,"title":"` + title + `","code":"` + code + `","detail":` + string(text) + `}`
	}
	withRule := func(rule string) string {
		text, err := json.Marshal(rule)
		if err != nil {
			t.Fatal(err)
		}
		return `{"modules":[{"type":"iec_verification","rule":` + string(text) + `}]}`
	}
	for name, test := range map[string]struct {
		name, body string
		detail     string
	}{
		"Name":    {"a b", minimal, `name: must be 1 to 64 letters, digits, - and _`},
		"Empty":   {"iec", ``, `body is empty`},
		"Modules": {"iec", `{}`, `/modules: must hold exactly one module, of type iec_verification`},
		"RulePlace": {
			"iec", withRule("country == 'IN' &&\n  user_id = 'mark@gmail.com'"),
			`/modules/0/rule: line 2, column 11: holds a character, or begins a text, that does not belong here`,
		},
		"RuleType": {
			"iec", withRule(`user_id == 'mark@gmail.com' ? 1 : 2`), `/modules/0/rule: must be of type bool, but is int`,
		},
		"RuleName": {
			"iec", withRule(`user_id == mark.gmail.com`),
			`/modules/0/rule: line 1, column 12: is neither a function nor one of user_id, metadata, country, device, claims, force_onboarding`,
		},
		"RuleSize": {"iec", withRule(
			strings.Repeat(" ", 4000) + `user_id == 'mark@gmail.com' || user_id == 'mary@gmail.com' || user_id == 'max@gmail.com'` + strings.Repeat(" ", 100),
		), `/modules/0/rule: has over 4096 bytes`},
		"RuleCost": {
			"iec", withRule(`metadata.a.all(x, metadata.b.all(y, x == y))`),
			`/modules/0/rule: may cost 2033155, over the limit of 100000: loop over less, or not within another loop`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{t, w.ledger, w.put, w.get}
			res := w.call(w.put, "acme-key", test.name, test.body)
			w.want(res, 400, "", problem(400, "Bad Request", "invalid_request", test.detail))
			if res.Headers["Content-Type"] != "application/problem+json" || res.Headers["Gateway-Error"] != "invalid_request" {
				t.Errorf("got %v", res.Headers)
			}
		})
	}
	w.want(
		w.call(w.put, "acme-key", "iec", `{"description":"`+strings.Repeat("x", 32<<10)+`"}`), 413, "",
		problem(413, "Request Entity Too Large", "too_large", "the body exceeds 32768 bytes"),
	)
	for _, h := range []lambda.Handler{w.put, w.get} {
		w.want(
			w.call(h, "other-key", "iec", minimal), 403, "",
			problem(403, "Forbidden", "forbidden", "this key may not use workspace"),
		)
		if res := w.call(h, "nobody", "iec", minimal); res.StatusCode != 401 {
			t.Errorf("got %d", res.StatusCode)
		}
	}
	if _, err := w.ledger.Setting(
		t.Context(), "acme", ledger.WorkflowSetting, "iec",
	); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("something was stored: %v", err)
	}
}

// TestConcurrentPuts counts who wins: with If-Match exactly one, without it everybody, each with a version of its own.
func TestConcurrentPuts(t *testing.T) {
	w := newWorld(t)
	w.want(w.call(w.put, "acme-key", "iec", minimal), 201, `"1"`, stored("iec", full, 1))
	const puts = 20
	answers := func(round string, header ...string) map[string]int { // at one time, what is put twice is a copy
		var mu sync.Mutex
		var wg sync.WaitGroup
		seen := map[string]int{}
		for i := range puts {
			wg.Go(func() {
				res := w.call(
					w.put, "acme-key", "iec", `{"description":"`+round+strconv.Itoa(i)+`","modules":[{"type":"iec_verification"}]}`,
					header...,
				)
				mu.Lock()
				defer mu.Unlock()
				seen[strconv.Itoa(res.StatusCode)+res.Headers["ETag"]]++
			})
		}
		wg.Wait()
		return seen
	}
	if got := answers("first ", "if-match", `"1"`); got[`200"2"`] != 1 || got["412"] != puts-1 {
		t.Fatalf("got %v", got)
	}
	got := answers("second ")
	for version := 3; version < 3+puts; version++ {
		if got[`200"`+strconv.Itoa(version)+`"`] != 1 {
			t.Fatalf("got %v", got)
		}
	}
}

// failing is a store that does not answer.
type failing struct{}

func (failing) Setting(context.Context, string, string, string) (ledger.Setting, error) {
	return ledger.Setting{}, errors.New("the ledger is down")
}

func (failing) PutSetting(context.Context, ledger.Setting, int) (ledger.Setting, error) {
	return ledger.Setting{}, errors.New("the ledger is down")
}

func TestLedgerDown(t *testing.T) {
	w := newWorld(t)
	auth, log := gateway.NewAuthenticator(w.ledger, time.Now), slog.New(slog.DiscardHandler)
	put, get := workflows.Put(failing{}, rule.Check, auth, log, time.Now), workflows.Get(failing{}, auth, log)
	const down = `{"status":503,"title":"Service Unavailable","code":"ledger_unavailable",` +
		`"detail":"what keeps the records does not answer now"}`
	w.want(w.call(put, "acme-key", "iec", minimal), 503, "", down)
	w.want(w.call(put, "acme-key", "iec", minimal, "if-match", `"1"`), 503, "", down)
	w.want(w.call(get, "acme-key", "iec", ""), 503, "", down)
}
