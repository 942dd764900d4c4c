package sandbox_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/sandboxtest"
)

func TestRequests(t *testing.T) {
	h := open(t)
	get := func(query string) string {
		return sandboxtest.Text(h.Do(sandboxtest.Request("GET", "/sandbox/requests"+query, "")))
	}
	want(t, get(""), "200 []")
	h.init()
	h.Advance(1500 * time.Millisecond)
	h.step1(sandboxtest.ID(1), "999900000017")
	const first = `{"partner":"equal","operation":"init-transaction","at":"2026-01-02T03:04:05Z","status":200,"effect":true}`
	const second = `{"partner":"equal","operation":"execute-journey","at":"2026-01-02T03:04:06.5Z","status":200,"effect":false}`
	want(t, get(""), "200 ["+first+","+second+"]")
	want(t, get("?partner=equal"), "200 ["+first+","+second+"]")
	want(t, get("?operation=execute-journey"), "200 ["+second+"]")
	want(t, get("?partner=equal&operation=init-transaction"), "200 ["+first+"]")
	want(t, get("?partner=equal&operation=fetch-data"), "200 []")
	want(t, h.Do(request("HEAD", "/sandbox/requests", "")).Code, 200)
}

func TestReset(t *testing.T) {
	for _, body := range []string{"", "{}", " {}\n"} {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"status_503_before_effect"}`)
		h.post("/sandbox/settings", `{"partner":"equal","name":"step1_status","value":"SUCCESS"}`)
		want(t, h.post("/sandbox/reset", body), "204")
		want(t, h.Rows(""), []sandbox.Request{})
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), invalidRequest)
		other := h.init()
		want(t, h.step1(other, number), sent(other, 5))
	}
}

func TestAdminErrors(t *testing.T) {
	h := open(t)
	const partners, operations = `equal`, `init-transaction, execute-journey, fetch-data`
	for _, test := range []struct {
		name, path, body string
		status           int
		detail           string // beginning
		where            string // pointer
	}{
		{"ErrNotJSON", "/sandbox/faults", `{`, 400, "the body is not valid JSON", ""},
		{
			"ErrEmpty", "/sandbox/faults", ``, 400,
			"the body must be a JSON object with the names: partner, operation, fault, times", "",
		},
		{"ErrArray", "/sandbox/faults", `[]`, 400, "the body must be a JSON object", ""},
		{"ErrTrailing", "/sandbox/faults", `{} x`, 400, "the body is not valid JSON", ""},
		{
			"ErrUnknownName", "/sandbox/faults", `{"partner":"equal","time":1}`, 400,
			"/time is not known; allowed: partner, operation, fault, times", "/time",
		},
		{"ErrNameCase", "/sandbox/faults", `{"Partner":"equal"}`, 400, "/Partner is not known", "/Partner"},
		{
			"ErrDuplicateName", "/sandbox/faults", `{"partner":"equal","partner":"equal"}`, 400, "/partner is given twice",
			"/partner",
		},
		{"ErrWrongType", "/sandbox/faults", `{"partner":1}`, 400, "/partner has the wrong type", "/partner"},
		{"ErrTimesType", "/sandbox/faults", `{"times":"1"}`, 400, "/times has the wrong type", "/times"},
		{"ErrTimesFraction", "/sandbox/faults", `{"times":1.5}`, 400, "/times has the wrong type", "/times"},
		{"ErrTimesHuge", "/sandbox/faults", `{"times":1e999}`, 400, "/times has the wrong type", "/times"},
		{
			"ErrPartnerMissing", "/sandbox/faults", `{}`, 422, "/partner is not a simulated partner; allowed: " + partners,
			"/partner",
		},
		{
			"ErrPartnerUnknown", "/sandbox/faults", `{"partner":"acme"}`, 422,
			"/partner is not a simulated partner; allowed: " + partners, "/partner",
		},
		{
			"ErrOperationUnknown", "/sandbox/faults", `{"partner":"equal","operation":"x"}`, 422,
			"/operation is not an operation of equal; allowed: " + operations, "/operation",
		},
		{
			"ErrFaultUnknown", "/sandbox/faults", `{"partner":"equal","operation":"fetch-data","fault":"x"}`, 422,
			"/fault is not a fault; allowed: refuse_connection, ", "/fault",
		},
		{
			"ErrCallbacks", "/sandbox/faults", `{"partner":"equal","operation":"fetch-data","fault":"late_callback"}`, 422,
			"/fault equal sends no callbacks", "/fault",
		},
		{
			"ErrNotHijackable", "/sandbox/faults", `{"partner":"equal","operation":"fetch-data","fault":"truncated"}`, 422,
			"/fault truncated needs a connection of the sandbox's own", "/fault",
		},
		{
			"ErrTimesZero", "/sandbox/faults", `{"partner":"equal","operation":"fetch-data","fault":"slow","times":0}`, 422,
			"/times is out of range; allowed: 1 to 1000", "/times",
		},
		{
			"ErrTimesMany", "/sandbox/faults", `{"partner":"equal","operation":"fetch-data","fault":"slow","times":1001}`, 422,
			"/times is out of range; allowed: 1 to 1000", "/times",
		},
		{
			"ErrSettingPartner", "/sandbox/settings", `{"partner":"acme","name":"step1_status","value":"SUCCESS"}`, 422,
			"/partner is not a simulated partner", "/partner",
		},
		{
			"ErrSettingName", "/sandbox/settings", `{"partner":"equal","name":"x","value":"SUCCESS"}`, 422,
			"/name is not a setting of equal; allowed: step1_status", "/name",
		},
		{
			"ErrSettingValue", "/sandbox/settings", `{"partner":"equal","name":"step1_status","value":"FAILURE"}`, 422,
			"/value is not a value of step1_status; allowed: IN_PROGRESS, SUCCESS", "/value",
		},
		{
			"ErrSettingUnknownName", "/sandbox/settings", `{"setting":"x"}`, 400,
			"/setting is not known; allowed: partner, name, value", "/setting",
		},
		{"ErrResetBody", "/sandbox/reset", `{"partner":"equal"}`, 400, "the body must be empty or {}", ""},
		{"ErrTooLarge", "/sandbox/faults", strings.Repeat(" ", 1<<20+1), 413, "the body is larger than 1 MiB", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			sandboxtest.WantProblem(t, h.Do(request("POST", test.path, test.body)), test.status, test.detail, test.where)
		})
	}
	for _, test := range []struct {
		name, query string
		status      int
		detail      string
	}{
		{"ErrQueryPartner", "?partner=acme", 422, "partner is not a simulated partner; allowed: " + partners},
		{"ErrQueryOperation", "?operation=x", 422, "operation is not an operation; allowed: " + operations},
		{
			"ErrQueryPartnerOperation", "?partner=equal&operation=x", 422,
			"operation is not an operation; allowed: " + operations,
		},
		{"ErrQueryUnknown", "?limit=1", 400, "limit is not known; allowed: partner, operation"},
		{"ErrQueryTwice", "?partner=equal&partner=equal", 400, "partner is given twice"},
		{"ErrQueryForm", "?partner=%zz", 400, "the query can't be parsed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			sandboxtest.WantProblem(
				t, h.Do(sandboxtest.Request("GET", "/sandbox/requests"+test.query, "")), test.status, test.detail, "",
			)
		})
	}
	t.Run("ErrTooManyArmed", func(t *testing.T) {
		const body = `{"partner":"equal","operation":"fetch-data","fault":"slow"}`
		for range 100 {
			want(t, h.Do(sandboxtest.Request("POST", "/sandbox/faults", body)).Code, 200)
		}
		sandboxtest.WantProblem(
			t, h.Do(sandboxtest.Request("POST", "/sandbox/faults", body)), 422, "/operation has 100 faults armed already",
			"/operation",
		)
	})
	want(t, h.Rows(""), []sandbox.Request{}) // none of this is a partner's request
}

func TestAdminNeedsKey(t *testing.T) {
	for name, h := range map[string]*harness{
		"WrongKey": open(t),
		"Closed":   open(t, func(o *sandbox.Options) { o.Authenticate = nil }),
	} {
		t.Run(name, func(t *testing.T) {
			for _, route := range []string{"GET requests", "POST faults", "POST settings", "POST reset"} {
				method, path, _ := strings.Cut(route, " ")
				r := sandboxtest.Request(method, "/sandbox/"+path, "")
				r.Header.Set("X-API-Key", "other")
				w := h.Do(r)
				sandboxtest.WantProblem(t, w, 401, "a caller's key is required", "")
				want(t, w.Header().Get("WWW-Authenticate"), "Bearer")
			}
		})
	}
}

func TestUnknownRoutes(t *testing.T) {
	h := open(t)
	for _, test := range []struct {
		method, path string
		status       int
		detail       string
		allow        string
	}{
		{"GET", initPath, 405, "the path takes another method; allowed: POST", "POST"},
		{"POST", "/sandbox/requests", 405, "the path takes another method; allowed: GET", "GET"},
		{"GET", "/sandbox/faults", 405, "the path takes another method; allowed: POST", "POST"},
		{
			"POST", "/sandbox/equal/ie/transaction", 404,
			"equal has no such path; allowed: POST /sandbox/equal/ie/transaction/init, ", "",
		},
		{"POST", initPath + "/", 404, "equal has no such path", ""},
		{"POST", "/sandbox/equal//ie/transaction/init", 404, "equal has no such path", ""},
		{"POST", "/sandbox/equal", 404, "equal has no such path", ""},
		{"POST", "/sandbox/acme/x", 404, "there is no such partner or route in the sandbox; allowed: equal", ""},
		{"GET", "/sandbox/", 404, "there is no such partner", ""},
		{"GET", "/", 404, "there is no such partner", ""},
		{"POST", "/sandbox/x/../equal/ie/transaction/init", 404, "there is no such partner", ""},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			w := h.Do(request(test.method, test.path, "{}"))
			sandboxtest.WantProblem(t, w, test.status, test.detail, "")
			want(t, w.Header().Get("Allow"), test.allow)
		})
	}
	want(t, h.Rows(""), []sandbox.Request{})
}

func TestBodyTooLarge(t *testing.T) {
	h := open(t)
	h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"status_429"}`)
	w := h.Do(request("POST", initPath, strings.Repeat("x", 1<<20+1)))
	sandboxtest.WantProblem(t, w, 413, "the body is larger than 1 MiB", "")
	want(t, h.Log(), []string{"init-transaction 413 false"})
	want(t, h.Do(request("POST", initPath, strings.Repeat(" ", 1<<20))).Code, 429) // the fault was not used up
}

func TestPersistence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.db")
	db := sandboxtest.OpenBolt(t, path)
	h := openOn(t, sandbox.NewBolt(db))
	h.init()
	h.step1(sandboxtest.ID(1), number)
	h.step2(sandboxtest.ID(1), number, "000000", "r")
	h.post("/sandbox/settings", `{"partner":"equal","name":"step1_status","value":"SUCCESS"}`)
	h.post(
		"/sandbox/faults", `{"partner":"equal","operation":"execute-journey","fault":"status_503_before_effect","times":2}`,
	)
	want(t, h.step2(sandboxtest.ID(1), number, "000000", "r"), "503")
	before := h.Rows("")
	h.Close()
	db.Close()

	h = openOn(t, sandbox.NewBolt(sandboxtest.OpenBolt(t, path)))
	h.Advance(time.Second)
	h.SetIDs(3)
	want(t, h.Rows(""), before)
	want(t, h.step2(sandboxtest.ID(1), number, "000000", "r"), "503")
	want(t, h.step2(sandboxtest.ID(1), number, "000000", "r"), failed(sandboxtest.ID(1), "invalid_otp", "otp is Invalid"))
	want(
		t, h.step2(sandboxtest.ID(1), number, "000000", "r"),
		failed(sandboxtest.ID(1), "otp_attempts_exceeded", "otp attempts exceeded"),
	)
	h.Advance(time.Minute)
	want(t, h.step1(sandboxtest.ID(1), number), strings.Replace(sent(sandboxtest.ID(1), 4), "IN_PROGRESS", "SUCCESS", 1))
	want(t, h.Log(), []string{
		"init-transaction 200 true", "execute-journey 200 true", "execute-journey 200 true", "execute-journey 503 false",
		"execute-journey 503 false", "execute-journey 200 true", "execute-journey 200 true", "execute-journey 200 true",
	})
}

func TestConcurrency(t *testing.T) {
	h := open(t)
	h.init()
	h.step1(sandboxtest.ID(1), number)
	const n = 200
	done := make(chan string, n)
	for i := range n {
		go func() {
			switch i % 4 {
			case 0:
				done <- h.step2(sandboxtest.ID(1), number, "000000", "r")
			default:
				w := h.Do(
					request(
						"POST", initPath, fmt.Sprintf(`{"gateway_instance_id":"gateway.equal.dev_test","idempotency_id":"o-%d"}`, i%3),
					),
				)
				done <- fmt.Sprint(w.Code)
			}
		}()
	}
	answers := map[string]int{}
	for range n {
		answers[<-done]++
	}
	want(t, answers, map[string]int{
		failed(sandboxtest.ID(1), "invalid_otp", "otp is Invalid"):                  2,
		failed(sandboxtest.ID(1), "otp_attempts_exceeded", "otp attempts exceeded"): 48,
		"200": 150,
	})
	rows, effects := h.Rows(""), map[string]int{}
	for _, r := range rows[2:] {
		if r.Effect {
			effects[r.Operation]++
		}
	}
	want(t, len(rows), n+2)
	want(t, effects, map[string]int{"execute-journey": 3, "init-transaction": 3})
}

func TestStoreFails(t *testing.T) {
	t.Run("RowOnly", func(t *testing.T) {
		store := &sandboxtest.Failing{Store: &sandboxtest.Memory{}, Times: 1}
		h := openOn(t, store)
		w := h.Do(request("POST", initPath, `{"gateway_instance_id":"gateway.equal.dev_test"}`))
		sandboxtest.WantProblem(t, w, 500, "the sandbox itself failed; the partner did nothing", "")
		want(t, h.Log(), []string{"init-transaction 500 false"})
		h.init()
	})
	t.Run("Nothing", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Failing{Store: &sandboxtest.Memory{}, Times: 2})
		w := h.Do(request("POST", initPath, `{"gateway_instance_id":"gateway.equal.dev_test"}`))
		sandboxtest.WantProblem(t, w, 500, "the sandbox itself failed; the partner did nothing", "")
		want(t, h.Rows(""), []sandbox.Request{})
	})
	t.Run("Admin", func(t *testing.T) {
		log := &strings.Builder{}
		h := openOn(
			t, &sandboxtest.Failing{Store: &sandboxtest.Memory{}, Times: 1},
			func(o *sandbox.Options) { o.Log = slog.New(slog.NewJSONHandler(log, nil)) },
		)
		w := h.Do(
			sandboxtest.Request("POST", "/sandbox/settings", `{"partner":"equal","name":"step1_status","value":"SUCCESS"}`),
		)
		sandboxtest.WantProblem(t, w, 500, "the sandbox's own store failed", "")
		if !strings.Contains(log.String(), "disk full") {
			t.Errorf("the log says nothing: %s", log)
		}
	})
}

func TestPanics(t *testing.T) {
	t.Run("Admin", func(t *testing.T) {
		h := open(t, func(o *sandbox.Options) { o.Authenticate = func(*http.Request) error { panic("x") } })
		sandboxtest.WantProblem(
			t, h.Do(sandboxtest.Request("GET", "/sandbox/requests", "")), 500, "the sandbox itself failed", "",
		)
		h.init()
	})
	t.Run("Operation", func(t *testing.T) {
		h := open(t, func(o *sandbox.Options) { o.NewID = func() string { panic("x") } })
		w := h.Do(request("POST", initPath, `{"gateway_instance_id":"gateway.equal.dev_test"}`))
		sandboxtest.WantProblem(t, w, 500, "the sandbox itself failed", "")
		want(t, h.Log(), []string{"init-transaction 500 false"})
	})
}

func TestClose(t *testing.T) {
	h := open(t)
	for range 2 {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	sandboxtest.WantProblem(t, h.Do(request("POST", initPath, "{}")), 503, "the sandbox is closed", "")
}
