package digit9_test

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sallyport/functions/digit9"
	"sallyport/shared/callback"
	"sallyport/shared/ledger"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
)

// waiting is a ledger in which one journey waits for whatever event comes, and an orchestrator that notes what it is
// answered.
type waiting struct {
	record string // of the last event
	answer string
	err    error
}

func (w *waiting) AddEvent(_ context.Context, record string, e ledger.Event, _ bool) (ledger.Correlation, error) {
	w.record = record
	return ledger.Correlation{
		Waiters: []ledger.Waiter{{Tenant: "acme", Journey: "j"}}, Events: []ledger.Event{e},
	}, w.err
}

func (w *waiting) Journey(context.Context, string, string) (ledger.Journey, error) {
	return ledger.Journey{
			ID: "j", Tenant: "acme", Status: ledger.JourneyWaiting, Awaiting: &ledger.Awaiting{Token: "token", Record: w.record},
		},
		nil
}

func (w *waiting) UpdateJourney(_ context.Context, j ledger.Journey) (ledger.Journey, error) {
	return j, nil
}

func (w *waiting) AddWaiter(context.Context, string, ledger.Waiter) (ledger.Correlation, error) {
	return ledger.Correlation{}, nil
}

func (w *waiting) RemoveWaiter(context.Context, string, ledger.Waiter) error { return nil }

func (w *waiting) Answer(_ context.Context, _ string, output []byte) error {
	w.answer = string(output)
	return nil
}

// secretSource is a secrets.Source of one document.
type secretSource struct {
	value string
	err   error
}

func (s *secretSource) Secret(_ context.Context, name string) ([]byte, error) {
	if name != "sallyport/test/partners/digit9" {
		return nil, secrets.ErrNotFound
	}
	return []byte(s.value), s.err
}

const (
	callbackSecret = `{"callback":{"bearer":["old-token","new-token",""],"hash":["old-hash","new-hash",""]}}`
	closure        = `{"aml_scan_status":"Accepted","ecrn":"7841009900000025","customer_status":"ACTIVE"}`
)

type receiver struct {
	callback.Handler
	*waiting
	source *secretSource
	logs   *strings.Builder
	now    time.Time
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	ring, err := seal.NewRing(seal.GenerateKeys())
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{
		waiting: &waiting{}, source: &secretSource{value: callbackSecret}, logs: &strings.Builder{},
		now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
	}
	now := func() time.Time { return r.now }
	log := slog.New(slog.NewTextHandler(r.logs, nil))
	r.Handler = callback.Handler{
		Receiver: digit9.Callback(digit9.Config{}),
		Correlator: &callback.Correlator{
			Ledger: r.waiting, Orchestrator: r.waiting, Ring: func(context.Context) (*seal.Ring, error) { return ring, nil },
			Log: log, Now: now,
		},
		Secrets: secrets.NewCache(r.source, "test", now), Log: log, Now: now,
	}
	return r
}

var bearer = map[string]string{"Authorization": "Bearer new-token"}

func (r *receiver) post(t testing.TB, headers map[string]string, body string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	return r.send(t, events.APIGatewayV2HTTPRequest{Headers: headers, Body: body})
}

func (r *receiver) send(t testing.TB, event events.APIGatewayV2HTTPRequest) (got events.APIGatewayV2HTTPResponse) {
	t.Helper()
	event.RequestContext.RequestID = "req-1"
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	r.record, r.answer = "", ""
	out, err := r.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Headers["X-Request-Id"] != "req-1" || got.Headers["Content-Type"] != "application/json" {
		t.Errorf("headers %v", got.Headers)
	}
	return got
}

const acknowledged = `{"status":"success","status_code":200,"message":"Acknowledged","state":"ACKNOWLEDGED"}`

func refused(status int, message string) string {
	return fmt.Sprintf(`{"status":"failed","status_code":%d,"message":%q}`, status, message)
}

func (r *receiver) want(t testing.TB, got events.APIGatewayV2HTTPResponse, body string) {
	t.Helper()
	var said struct {
		Code int `json:"status_code"`
	}
	if err := json.Unmarshal([]byte(got.Body), &said); err != nil || got.StatusCode != said.Code || got.Body != body {
		t.Errorf("got %d %s, want %s", got.StatusCode, got.Body, body)
	}
	if (r.answer != "") != (body == acknowledged) {
		t.Errorf("%s, and answered %q", got.Body, r.answer)
	}
}

// TestCallback: what is known is delivered as it is known, what isn't as "other" (§8).
func TestCallback(t *testing.T) {
	for name, test := range map[string]struct{ body, record, aml, status string }{
		"Plain": {closure, "7841009900000025", "Accepted", "ACTIVE"},
		"WithSpace": {
			`{"ecrn":"1","aml_scan_status":"Under Investigation","customer_status":"KYC PENDING"}`, "1", "Under Investigation",
			"KYC_PENDING",
		},
		"Underscore": {
			`{"ecrn":"1","aml_scan_status":"Failed","customer_status":"KYC_PENDING"}`, "1", "Failed", "KYC_PENDING",
		},
		"OddCase": {
			`{"ecrn":"1","aml_scan_status":"Rejected","customer_status":" kyc pending\n"}`, "1", "Rejected", "KYC_PENDING",
		},
		"Trimmed":     {`{"ecrn":" 1\t","aml_scan_status":"  N/A ","customer_status":" BLOCKED "}`, "1", "N/A", "BLOCKED"},
		"ScanIsExact": {`{"ecrn":"1","aml_scan_status":"accepted","customer_status":"inactive"}`, "1", "other", "INACTIVE"},
		"Unknown":     {`{"ecrn":"1","aml_scan_status":"Pending","customer_status":"DORMANT"}`, "1", "other", "other"},
		"Texts": {
			`{"ecrn":"1","aml_scan_status":"NOOR EXAMPLE","customer_status":"784199000000017"}`, "1", "other", "other",
		},
		"Missing":  {`{"ecrn":"1"}`, "1", "other", "other"},
		"Nulls":    {`{"ecrn":"1","aml_scan_status":null,"customer_status":null}`, "1", "other", "other"},
		"OddTypes": {`{"ecrn":"1","aml_scan_status":["Accepted"],"customer_status":{"a":1}}`, "1", "other", "other"},
		"Number": {
			`{"ecrn":7841009900000025,"aml_scan_status":"Accepted","customer_status":"REJECTED"}`, "7841009900000025",
			"Accepted", "REJECTED",
		},
		"MoreMembers": {
			`{"event":{"a":[1]},"ecrn":"aZ09","aml_scan_status":"Accepted","customer_status":"ACTIVE","x":null}`, "aZ09",
			"Accepted", "ACTIVE",
		},
		"TwentyDigits": {
			`{"ecrn":"12345678901234567890","aml_scan_status":"Accepted","customer_status":"ACTIVE"}`, "12345678901234567890",
			"Accepted", "ACTIVE",
		},
		"Mark":   {"\uFEFF" + `{"ecrn":"1","aml_scan_status":"Failed"}`, "1", "Failed", "other"},
		"Twice":  {`{"ecrn":"2","ecrn":"1","aml_scan_status":"Failed"}`, "1", "Failed", "other"},
		"NoText": {"{\"ecrn\":\"1\",\"x\":\"\xff\"}", "1", "other", "other"},
		"Escaped": {
			`{"ecrn":"\u0031","aml_scan_status":"Acc\u0065pted","customer_status":"ACTIVE"}`, "1", "Accepted", "ACTIVE",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			r.want(t, r.post(t, bearer, test.body), acknowledged)
			want := fmt.Sprintf(`{"aml_scan_status":%q,"customer_status":%q,"kind":"callback"}`, test.aml, test.status)
			if r.record != "digit9/ecrn/"+test.record || r.answer != want {
				t.Errorf("answered %s of %s, want %s", r.answer, r.record, want)
			}
		})
	}
	t.Run("Base64", func(t *testing.T) {
		r := newReceiver(t)
		r.want(
			t,
			r.send(
				t,
				events.APIGatewayV2HTTPRequest{
					Headers: bearer, Body: base64.StdEncoding.EncodeToString([]byte(closure)), IsBase64Encoded: true,
				},
			),
			acknowledged,
		)
	})
}

func TestCallbackThatIsNotValid(t *testing.T) {
	const noObject = "the body is not a JSON object"
	for _, body := range []string{``, `{`, `[]`, `"x"`, `<xml/>`, `null`, `a=b`, closure + closure} {
		r := newReceiver(t)
		r.want(t, r.post(t, bearer, body), refused(400, noObject))
	}
	for _, body := range []string{ // about no customer, which Digit9 may repeat as often as it will
		`{}`, `{"ecrn":""}`, `{"ecrn":" "}`, `{"ecrn":null}`, `{"ecrn":{}}`, `{"ecrn":"123456789012345678901"}`, `{"ecrn":"1 2"}`,
		`{"ecrn":"1/2"}`, `{"ecrn":"é"}`, `{"ecrn":1.5}`, `{"ecrn":true}`, `{"ecrn":"784199000000017 NOOR"}`, `{"ECRN":"1"}`,
		`{"ecrn":-1}`, `{"event":"transaction.status.changed","transaction_id":"7"}`,
	} {
		r := newReceiver(t)
		if got := r.post(t, bearer, body); got.StatusCode != 200 || got.Body != acknowledged || r.answer != "" ||
			r.record != "" || strings.Contains(r.logs.String(), "NOOR") || !strings.Contains(r.logs.String(), "count=0") {
			t.Errorf("%s: answered %s, made an event of %q; logged %s", body, got.Body, r.record, r.logs)
		}
		r.want(t, r.post(t, map[string]string{"Authorization": "Bearer forged"}, body), refused(401, "Not authorized"))
	}
	r := newReceiver(t)
	r.want(
		t, r.send(t, events.APIGatewayV2HTTPRequest{Headers: bearer, Body: "~", IsBase64Encoded: true}),
		refused(400, "The body is not valid"),
	)
	r.want(
		t, r.post(t, map[string]string{"Authorization": "Bearer new-token", "Content-Length": "65537"}, ""),
		refused(413, "The body is too large"),
	)
	r.want(
		t, r.post(t, bearer, closure[:len(closure)-1]+`,"x":"`+strings.Repeat("x", 65536)+`"}`),
		refused(413, "The body is too large"),
	)
	if _, err := r.Invoke(t.Context(), []byte("no event")); err == nil {
		t.Error("what is no event must be an error")
	}
}

func hash(body, secret string) string {
	sum := sha512.Sum512([]byte(body + secret))
	return hex.EncodeToString(sum[:])
}

// TestCallbackSender: of a Bearer token and a hash one at least must be shown, and whatever is shown must be right.
func TestCallbackSender(t *testing.T) {
	right, upper := hash(closure, "new-hash"), strings.ToUpper(hash(closure, "old-hash"))
	for name, test := range map[string]struct {
		headers map[string]string
		known   bool
	}{
		"New":              {map[string]string{"Authorization": "Bearer new-token"}, true},
		"Old":              {map[string]string{"authorization": "bearer  old-token "}, true},
		"Hash":             {map[string]string{"hash": right}, true},
		"UpperHash":        {map[string]string{"Hash": " " + upper + " "}, true},
		"OneOfHashes":      {map[string]string{"hash": strings.Repeat("0", 128) + " " + right}, true},
		"CommaOfHashes":    {map[string]string{"hash": upper + "," + strings.Repeat("0", 128)}, true},
		"NoneOfHashes":     {map[string]string{"hash": right[:64] + " " + right[64:]}, false},
		"Both":             {map[string]string{"authorization": "Bearer old-token", "hash": right}, true},
		"Nothing":          {nil, false},
		"WrongBearer":      {map[string]string{"authorization": "Bearer new-tokeN"}, false},
		"EmptyBearer":      {map[string]string{"authorization": "Bearer "}, false},
		"SchemeAlone":      {map[string]string{"authorization": "Bearer"}, false},
		"OtherScheme":      {map[string]string{"authorization": "Basic new-token"}, false},
		"NoScheme":         {map[string]string{"authorization": "new-token"}, false},
		"EmptyHeader":      {map[string]string{"authorization": ""}, false},
		"WrongHash":        {map[string]string{"hash": hash(closure, "another")}, false},
		"HashOfTheOther":   {map[string]string{"hash": hash(closure+" ", "new-hash")}, false},
		"HashNoSecret":     {map[string]string{"hash": hash(closure, "")}, false},
		"EmptyHash":        {map[string]string{"hash": ""}, false},
		"RightAndWrong":    {map[string]string{"authorization": "Bearer new-token", "hash": hash(closure, "another")}, false},
		"WrongAndRight":    {map[string]string{"authorization": "Bearer another", "hash": right}, false},
		"RightAndEmpty":    {map[string]string{"authorization": "Bearer new-token", "hash": ""}, false},
		"KeyOfACaller":     {map[string]string{"x-api-key": "new-token"}, false},
		"HashAsTheBearer":  {map[string]string{"authorization": "Bearer new-hash"}, false},
		"BearerAsTheHash":  {map[string]string{"hash": hash(closure, "new-token")}, false},
		"CutHash":          {map[string]string{"hash": right[:64]}, false},
		"TokensInOneField": {map[string]string{"authorization": "Bearer old-token,new-token"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			want := refused(401, "Not authorized")
			if test.known {
				want = acknowledged
			}
			r.want(t, r.post(t, test.headers, closure), want)
		})
	}
	t.Run("NothingIsConfigured", func(t *testing.T) {
		for _, value := range []string{secret, `{"callback":{"bearer":[],"hash":[""]}}`, `{}`, ``, `[]`} {
			r := newReceiver(t)
			r.source.value = value
			for _, headers := range []map[string]string{nil, {"authorization": "Bearer "}, {"hash": hash(closure, "")}} {
				r.want(t, r.post(t, headers, closure), refused(401, "Not authorized"))
			}
		}
	})
	t.Run("Rotated", func(t *testing.T) {
		r := newReceiver(t)
		r.want(t, r.post(t, bearer, closure), acknowledged)
		r.source.value = `{"callback":{"bearer":["newest"]}}`
		r.now = r.now.Add(time.Minute)
		r.want(t, r.post(t, map[string]string{"authorization": "Bearer newest"}, closure), acknowledged)
		r.want(t, r.post(t, bearer, closure), refused(401, "Not authorized"))
	})
	t.Run("SecretsDown", func(t *testing.T) {
		r := newReceiver(t)
		r.source.err = errors.New("down")
		r.want(t, r.post(t, bearer, closure), refused(503, "Try again later"))
	})
	t.Run("LedgerDown", func(t *testing.T) { // an answer other than a 200 makes the partner repeat it
		r := newReceiver(t)
		r.err = errors.New("down")
		r.want(t, r.post(t, bearer, closure), refused(503, "Try again later"))
	})
}

var knownEvent = regexp.MustCompile(
	`^{"aml_scan_status":"(Accepted|Rejected|Under Investigation|Failed|N/A|other)","customer_status":"(ACTIVE|KYC_PENDING|INACTIVE|REJECTED|BLOCKED|other)","kind":"callback"}$`,
)

// FuzzCallback: whatever is sent, it is answered, and what is delivered is made of known words alone.
func FuzzCallback(f *testing.F) {
	f.Add([]byte(closure))
	f.Add([]byte(`{"ecrn":7841009900000025,"aml_scan_status":" N/A","customer_status":"kyc pending"}`))
	f.Add([]byte(`{"ecrn":"1","ecrn":"2"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := newReceiver(t)
		got := r.send(
			t,
			events.APIGatewayV2HTTPRequest{
				Headers: bearer, Body: base64.StdEncoding.EncodeToString(body), IsBase64Encoded: true,
			},
		)
		switch {
		case got.StatusCode == 200 && got.Body == acknowledged && r.record == "" && r.answer == "": // about nobody
		case got.StatusCode == 200 && got.Body == acknowledged:
			if !knownEvent.MatchString(r.answer) ||
				!regexp.MustCompile(`^digit9/ecrn/[A-Za-z0-9]{1,20}$`).MatchString(r.record) || !json.Valid(body) {
				t.Errorf("%q: answered %q of %q", body, r.answer, r.record)
			}
		case got.StatusCode != 400 && got.StatusCode != 413, r.answer != "", !strings.Contains(got.Body, `"status":"failed"`):
			t.Errorf("%q: answered %d %s, the journey %q", body, got.StatusCode, got.Body, r.answer)
		}
	})
}
