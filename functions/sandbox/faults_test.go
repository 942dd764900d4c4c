package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/functions/sandbox"
)

func TestRegistry(t *testing.T) {
	want(t, sandbox.Operations(), []sandbox.Operation{
		{Partner: "equal", Name: "init-transaction", Method: "POST", Path: "/ie/transaction/init", Effect: true},
		{Partner: "equal", Name: "execute-journey", Method: "POST", Path: "/ie/transaction/journey/execute", Effect: true},
		{Partner: "equal", Name: "fetch-data", Method: "POST", Path: "/ie/transaction/journey/data/fetch"},
		{Partner: "digit9", Name: "issue-token", Method: "POST", Path: "/auth/realms/cdp/protocol/openid-connect/token"},
		{Partner: "digit9", Name: "lookup-customer", Method: "POST", Path: "/caas/api/v2/customer/validate"},
		{Partner: "digit9", Name: "onboard-customer", Method: "POST", Path: "/caas-lcm/api/v1/CAAS/onBoarding/customer", Effect: true},
		{Partner: "digit9", Name: "get-customer", Method: "GET", Path: "/caas/api/v2/customer/{ecrn}"},
		{Partner: "digit9", Name: "list-codes", Method: "GET", Path: "/raas/masters/v1/codes"},
		{Partner: "mbanq", Name: "issue-token", Method: "POST", Path: "/oauth/token"},
		{Partner: "mbanq", Name: "create-client", Method: "POST", Path: "/v1/clients", Effect: true},
		{Partner: "mbanq", Name: "list-clients", Method: "GET", Path: "/v1/clients"},
		{Partner: "mbanq", Name: "get-client", Method: "GET", Path: "/v1/clients/{id}"},
		{Partner: "mbanq", Name: "delete-client", Method: "DELETE", Path: "/v1/clients/{id}", Effect: true},
		{Partner: "mbanq", Name: "add-address", Method: "POST", Path: "/v1/client/{id}/addresses", Effect: true},
		{Partner: "mbanq", Name: "list-addresses", Method: "GET", Path: "/v1/client/{id}/addresses"},
		{Partner: "mbanq", Name: "add-identifier", Method: "POST", Path: "/v1/clients/{id}/identifiers", Effect: true},
		{Partner: "mbanq", Name: "list-identifiers", Method: "GET", Path: "/v1/clients/{id}/identifiers"},
		{Partner: "mbanq", Name: "attach-document", Method: "POST", Path: "/v1/client_identifiers/{iid}/documents", Effect: true},
		{Partner: "mbanq", Name: "client-command", Method: "POST", Path: "/v1/clients/{id}", Effect: true},
		{Partner: "mbanq", Name: "verification-status", Method: "GET", Path: "/v1/clients/{id}/verificationstatus"},
		{Partner: "mbanq", Name: "get-client-template", Method: "GET", Path: "/v1/clients/template"},
		{Partner: "mbanq", Name: "get-address-template", Method: "GET", Path: "/v1/client/addresses/template"},
		{Partner: "mbanq", Name: "get-identifier-template", Method: "GET", Path: "/v1/clients/{id}/identifiers/template"},
		{Partner: "iron", Name: "create-customer", Method: "POST", Path: "/customers", Effect: true},
		{Partner: "iron", Name: "list-customers", Method: "GET", Path: "/customers"},
		{Partner: "iron", Name: "get-customer", Method: "GET", Path: "/customers/{id}"},
		{Partner: "iron", Name: "find-customer", Method: "GET", Path: "/customers/{external_id}/external"},
		{Partner: "iron", Name: "archive-customer", Method: "PUT", Path: "/customers/{id}/archive", Effect: true},
		{Partner: "iron", Name: "create-identification", Method: "POST", Path: "/customers/{id}/identifications", Effect: true},
		{Partner: "iron", Name: "create-identification", Method: "POST", Path: "/customers/{id}/identifications/v2", Effect: true},
		{Partner: "iron", Name: "list-identifications", Method: "GET", Path: "/customers/{id}/identifications"},
		{Partner: "iron", Name: "get-identification", Method: "GET", Path: "/identifications/{id}"},
		{Partner: "iron", Name: "archive-identification", Method: "PUT", Path: "/identifications/{id}/archive", Effect: true},
		{Partner: "iron", Name: "list-signings", Method: "GET", Path: "/customers/{id}/required-signings"},
		{Partner: "iron", Name: "create-signing", Method: "POST", Path: "/customers/{id}/signings", Effect: true},
		{Partner: "iron", Name: "decide-identification", Method: "POST", Path: "/sandbox/identification/{id}", Effect: true},
		{Partner: "iron", Name: "reset-data", Method: "POST", Path: "/sandbox/reset", Effect: true},
		{Partner: "ezto", Name: "trigger-request", Method: "POST", Path: "/auth/realms/{workspace}/protocol/openid-connect/transaction", Effect: true},
		{Partner: "ezto", Name: "get-result", Method: "POST", Path: "/auth/realms/{workspace}/protocol/openid-connect/transaction/result"},
		{Partner: "ezto", Name: "list-certs", Method: "GET", Path: "/auth/realms/{workspace}/protocol/openid-connect/certs"},
	})
	var got []string
	for _, f := range sandbox.Faults() {
		if f.Description == "" || strings.Contains(f.Description, "\n") {
			t.Errorf("%s: description %q", f.Name, f.Description)
		}
		got = append(got, fmt.Sprintf("%s effect=%t wire=%t callbacks=%t", f.Name, f.Effect, f.NeedsWire, f.NeedsCallbacks))
	}
	want(t, got, []string{
		"refuse_connection effect=false wire=true callbacks=false",
		"timeout_before_effect effect=false wire=true callbacks=false",
		"timeout_after_effect effect=true wire=true callbacks=false",
		"late_effect effect=true wire=true callbacks=false",
		"reset_before_effect effect=false wire=true callbacks=false",
		"reset_after_effect effect=true wire=true callbacks=false",
		"status_429 effect=false wire=false callbacks=false",
		"status_500_before_effect effect=false wire=false callbacks=false",
		"status_500_after_effect effect=true wire=false callbacks=false",
		"status_503_before_effect effect=false wire=false callbacks=false",
		"status_503_after_effect effect=true wire=false callbacks=false",
		"malformed effect=true wire=false callbacks=false",
		"truncated effect=true wire=true callbacks=false",
		"slow effect=true wire=false callbacks=false",
		"expired_token effect=false wire=false callbacks=false",
		"duplicate_callback effect=true wire=false callbacks=true",
		"late_callback effect=true wire=false callbacks=true",
		"forged_callback effect=true wire=false callbacks=true",
	})
	for _, op := range sandbox.Operations() {
		for _, f := range sandbox.Faults() {
			if err := sandbox.Applicable(op.Partner, op.Name, f.Name); (err != nil) != f.NeedsCallbacks {
				t.Errorf("%s, %s: %v", op.Name, f.Name, err)
			}
		}
	}
	for _, f := range sandbox.Faults() {
		for _, partner := range []string{"digit9", "mbanq", "iron", "ezto"} {
			if err := sandbox.Applicable(partner, "callback", f.Name); (err == nil) != f.NeedsCallbacks {
				t.Errorf("%s, callback, %s: %v", partner, f.Name, err)
			}
		}
	}
	for _, bad := range [][3]string{
		{"x", "fetch-data", "slow"}, {"equal", "x", "slow"}, {"equal", "fetch-data", "x"}, {"equal", "callback", "late_callback"},
	} {
		if sandbox.Applicable(bad[0], bad[1], bad[2]) == nil {
			t.Errorf("%v is applicable", bad)
		}
	}
}

// bodyOf is a request to each operation that succeeds, in a sandbox where step 1 was taken in the first transaction.
func bodyOf(operation string) string {
	switch operation {
	case "init-transaction":
		return `{"gateway_instance_id":"gateway.equal.dev_test"}`
	case "execute-journey":
		return `{"transaction_id":"` + id(1) + `","journey_id":"aadhaar_otp_sim_v1","request_id":"r","input_data":{"aadhaar_no":"` + number + `","otp":"123456"}}`
	}
	return `{"transaction_id":"` + id(1) + `","journey_transaction_id":"` + run(2) + `"}`
}

// prepare brings a sandbox to where every operation can succeed.
func (h *harness) prepare() {
	h.t.Helper()
	h.init()
	h.step1(id(1), number)
	h.onboard(ordinary)
	h.prepareMbanq()
	h.prepareIron()
	h.prepareEZTO()
}

// requestTo returns a request to an operation of a prepared sandbox that succeeds.
func (h *harness) requestTo(op sandbox.Operation) *http.Request {
	h.t.Helper()
	switch op.Partner {
	case "digit9":
		return h.digit9Request(op.Name)
	case "mbanq":
		return h.mbanqRequest(op)
	case "iron":
		return h.ironRequest(op)
	case "ezto":
		return h.eztoRequest(op)
	}
	return request(op.Method, "/sandbox/"+op.Partner+op.Path, bodyOf(op.Name))
}

// failureOf returns what an operation answers where a fault makes it fail with a status.
func failureOf(op sandbox.Operation, status int) string {
	switch op.Partner {
	case "digit9":
		return digit9FailureOf(op.Name, status)
	case "mbanq":
		return mbanqFailureOf(op, status)
	case "iron":
		return ironFailures[status]
	case "ezto":
		return eztoFailures[status]
	}
	switch status {
	case 401:
		return unauthorized
	case 500:
		return internalError
	}
	return fmt.Sprint(status)
}

// outcome is what a client saw.
type outcome struct {
	status int
	length int64
	body   string
	err    error
}

// call sends a request over a real connection of its own, as the operation's client would, until ctx is done.
func call(ctx context.Context, server string, r *http.Request) (o outcome) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r = r.WithContext(ctx)
	r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", strings.TrimPrefix(server, "http://")
	resp, err := client.Do(r)
	if err != nil {
		return outcome{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return outcome{status: resp.StatusCode, length: resp.ContentLength, body: string(b), err: err}
}

// TestFaultMatrix arms every fault for every operation over a real connection, and looks at what the client saw, at the
// row and at whether the effect really happened. With -short, an operation meets some of them.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	cell := 0
	for _, op := range sandbox.Operations() {
		for _, f := range sandbox.Faults() {
			if sandbox.Applicable(op.Partner, op.Name, f.Name) != nil {
				continue
			}
			if cell++; testing.Short() && cell%11 != 0 {
				continue
			}
			t.Run(op.Partner+"/"+op.Name+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				testFault(t, op, f)
			})
		}
	}
}

func testFault(t *testing.T, op sandbox.Operation, f sandbox.Fault) {
	// A second lasts a nanosecond, so that slow is not; the clock stands still, so that the OTP lives.
	h := open(t, func(o *sandbox.Options) { o.Wire, o.TimeScale = true, 1e9 })
	server := httptest.NewServer(h)
	defer server.Close()
	h.prepare()
	before := len(h.rows(""))
	armed := `{"partner":"` + op.Partner + `","operation":"` + op.Name + `","armed":[{"fault":"` + f.Name + `","times":1}]}`
	want(t, h.post("/sandbox/faults", `{"partner":"`+op.Partner+`","operation":"`+op.Name+`","fault":"`+f.Name+`"}`), "200 "+armed)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if f.Name == "refuse_connection" {
		for _, refused := range []bool{true, false} {
			got, err := h.RefuseConnection(ctx, h.requestTo(op))
			if err != nil || got != refused {
				t.Fatalf("got %t, %v; want %t", got, err, refused)
			}
		}
		want(t, len(h.rows("")), before)
	} else {
		seen := make(chan outcome, 1)
		r := h.requestTo(op)
		go func() { seen <- call(ctx, server.URL, r) }()
		var o outcome
		status := 0
		switch f.Name {
		case "timeout_before_effect", "timeout_after_effect":
			h.awaitRows(before + 1) // while the client still waits
			cancel()
			o = <-seen
			want(t, errors.Is(o.err, context.Canceled), true)
		case "late_effect":
			h.awaitDisarmed(op)
			want(t, len(h.rows("")), before) // nothing has happened yet
			cancel()
			o = <-seen
			want(t, errors.Is(o.err, context.Canceled), true)
			h.awaitRows(before + 1)
		case "reset_before_effect", "reset_after_effect":
			o = <-seen
			want(t, errors.Is(o.err, syscall.ECONNRESET), true)
		case "truncated":
			o = <-seen
			status = successOf(op)
			want(t, errors.Is(o.err, io.ErrUnexpectedEOF), true)
			want(t, int64(len(o.body)), o.length/2)
			want(t, successful(op, o.body), true)
		case "malformed":
			o = <-seen
			status = 200
			want(t, o, outcome{status: 200, length: 34, body: "<html><body>it works</body></html>"})
		case "slow":
			o = <-seen
			status = successOf(op)
			want(t, successful(op, o.body), true)
		case "status_429", "status_500_before_effect", "status_500_after_effect", "status_503_before_effect", "status_503_after_effect":
			o = <-seen
			fmt.Sscanf(f.Name, "status_%d", &status)
			want(t, masked(strings.TrimSpace(fmt.Sprint(o.status, " ", o.body))), failureOf(op, status))
		case "expired_token":
			o = <-seen
			status = 401
			want(t, fmt.Sprint(o.status, " ", o.body), failureOf(op, status))
			if op.Partner != "equal" && op.Partner != "iron" && op.Partner != "ezto" && op.Name != "issue-token" {
				want(t, call(ctx, server.URL, h.requestTo(op)).status, 401) // the token is really gone
				h.token, h.mbanq.token = "", ""
			}
		default:
			t.Fatal("no expectation for this fault")
		}
		want(t, o.status == 0 || o.status == status, true)
		want(t, h.log()[before:before+1], []string{fmt.Sprintf("%s %d %t", op.Name, status, f.Effect && op.Effect)})
	}

	// One count was armed and is used up; the state is that of what happened.
	o := call(t.Context(), server.URL, h.requestTo(op))
	want(t, o.status, successOf(op))
	row := h.rows("?operation=" + op.Name)
	again := row[len(row)-1].Effect
	switch op.Name {
	case "init-transaction", "onboard-customer", "create-client", "delete-client", "add-address", "add-identifier", "attach-document",
		"create-customer", "archive-customer", "create-identification", "archive-identification", "create-signing", "decide-identification", "reset-data",
		"trigger-request":
		want(t, again, true)
	case "client-command":
		want(t, again, !f.Effect) // verified already
	case "execute-journey":
		want(t, strings.Contains(o.body, `"MEERA KULKARNI"`), true)
		want(t, again, !f.Effect) // verified already: replayed
	default:
		want(t, again, false)
	}
}

// successOf returns the status of an operation's success.
func successOf(op sandbox.Operation) int {
	if op.Partner == "iron" && op.Method == "POST" && op.Name != "reset-data" {
		return 201
	}
	return 200
}

// successful reports whether a body begins as that of an operation's success.
func successful(op sandbox.Operation, body string) bool {
	if op.Name == "reset-data" {
		return strings.HasPrefix("true", body)
	}
	return strings.HasPrefix(strings.TrimPrefix(body, "["), `{"`)
}

// awaitRows returns when the log has n rows.
func (h *harness) awaitRows(n int) {
	h.await(func() bool { return len(h.rows("")) >= n })
}

// awaitDisarmed returns when a fault of the operation has been used up.
func (h *harness) awaitDisarmed(op sandbox.Operation) {
	h.await(func() bool {
		var armed bool
		_ = h.store.View(context.Background(), func(tx sandbox.Tx) error {
			b, err := tx.Get("faults/" + op.Partner + "/" + op.Name)
			armed = b != nil
			return err
		})
		return !armed
	})
}

func (h *harness) await(done func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			h.t.Fatal("it did not come")
		}
	}
}

func TestFaults_Queue(t *testing.T) {
	h := open(t)
	arm := func(fault string, times int) string {
		return h.post("/sandbox/faults", fmt.Sprintf(`{"partner":"equal","operation":"init-transaction","fault":"%s","times":%d}`, fault, times))
	}
	want(t, arm("status_429", 2), `200 {"partner":"equal","operation":"init-transaction","armed":[{"fault":"status_429","times":2}]}`)
	want(t, arm("expired_token", 1), `200 {"partner":"equal","operation":"init-transaction","armed":[{"fault":"status_429","times":2},{"fault":"expired_token","times":1}]}`)
	var got []int
	for range 4 {
		got = append(got, h.do(request("POST", initPath, bodyOf("init-transaction"))).Code)
	}
	want(t, got, []int{429, 429, 401, 200})
	want(t, h.log(), []string{
		"init-transaction 429 false", "init-transaction 429 false", "init-transaction 401 false", "init-transaction 200 true",
	})
}

// TestFaults_ConcurrentCount: exactly as many requests meet a fault as were armed.
func TestFaults_ConcurrentCount(t *testing.T) {
	h := open(t)
	h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"status_503_after_effect","times":20}`)
	codes := make(chan int)
	for range 60 {
		go func() { codes <- h.do(request("POST", initPath, bodyOf("init-transaction"))).Code }()
	}
	got := map[int]int{}
	for range 60 {
		got[<-codes]++
	}
	want(t, got, map[int]int{503: 20, 200: 40})
}

// TestFaults_RefusedRequest: a fault after the effect gives no effect to a request that has none.
func TestFaults_RefusedRequest(t *testing.T) {
	h := open(t)
	h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"status_500_after_effect"}`)
	want(t, h.post(initPath, `{}`), internalError)
	want(t, h.log(), []string{"init-transaction 500 false"})
}

func TestFaults_WithoutWire(t *testing.T) {
	store := &memory{}
	wired := openOn(t, store, func(o *sandbox.Options) { o.Wire = true })
	h := openOn(t, store)
	for _, f := range sandbox.Faults() {
		if !f.NeedsWire {
			continue
		}
		body := `{"partner":"equal","operation":"init-transaction","fault":"` + f.Name + `"}`
		wantProblem(t, h.do(request("POST", "/sandbox/faults", body)), 422, "/fault "+f.Name+" needs a connection of the sandbox's own", "/fault")

		// Armed on the same state by a sandbox that has a wire: left alone.
		want(t, wired.do(request("POST", "/sandbox/faults", body)).Code, 200)
		want(t, h.do(request("POST", initPath, bodyOf("init-transaction"))).Code, 200)
		if refused, err := h.RefuseConnection(t.Context(), request("POST", initPath, "")); refused || err != nil {
			t.Errorf("%s: %t, %v", f.Name, refused, err)
		}
		want(t, h.post("/sandbox/reset", ""), "204")
	}
}

func TestRefuseConnection(t *testing.T) {
	h := open(t, func(o *sandbox.Options) { o.Wire = true })
	refused := func(method, path string) bool {
		t.Helper()
		got, err := h.RefuseConnection(t.Context(), request(method, path, ""))
		if err != nil {
			t.Error(err)
		}
		return got
	}
	arm := func(fault string) {
		want(t, h.do(request("POST", "/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"`+fault+`","times":2}`)).Code, 200)
	}
	want(t, refused("POST", initPath), false)
	arm("refuse_connection")
	want(t, refused("POST", executePath), false) // another operation
	want(t, refused("GET", initPath), false)     // no operation
	want(t, refused("POST", "/elsewhere"), false)
	h.init() // a request that has arrived was not refused
	want(t, refused("POST", initPath), true)
	want(t, refused("POST", initPath), true)
	want(t, refused("POST", initPath), false)
	want(t, h.log(), []string{"init-transaction 200 true"})

	// In its turn.
	arm("status_429")
	arm("refuse_connection")
	want(t, refused("POST", initPath), false)
	want(t, h.post(initPath, bodyOf("init-transaction")), "429")
	want(t, refused("POST", initPath), false)
	want(t, h.post(initPath, bodyOf("init-transaction")), "429")
	want(t, refused("POST", initPath), true)
}

func TestFaults_Times(t *testing.T) {
	t.Run("Slow", func(t *testing.T) {
		for scale, took := range map[float64]time.Duration{1: 20 * time.Second, 10: 2 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				h := openOn(t, &memory{}, func(o *sandbox.Options) { o.TimeScale = scale })
				h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"slow"}`)
				began := time.Now()
				answered := make(chan int)
				go func() { answered <- h.do(request("POST", initPath, bodyOf("init-transaction"))).Code }()
				synctest.Wait()
				want(t, h.log(), []string{"init-transaction 200 true"}) // at the start
				want(t, <-answered, 200)
				want(t, time.Since(began), took)
			})
		}
	})
	t.Run("HoldIsCapped", func(t *testing.T) {
		for _, fault := range []string{"timeout_before_effect", "timeout_after_effect"} {
			synctest.Test(t, func(t *testing.T) {
				h := openOn(t, &memory{}, func(o *sandbox.Options) { o.Wire = true })
				h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"`+fault+`"}`)
				began := time.Now()
				want(t, aborted(func() { h.do(request("POST", initPath, bodyOf("init-transaction"))) }), true)
				want(t, time.Since(began), time.Minute)
			})
		}
	})
	t.Run("LateEffect", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := openOn(t, &memory{}, func(o *sandbox.Options) { o.Wire = true })
			h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"late_effect"}`)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				aborted(func() { h.do(request("POST", initPath, bodyOf("init-transaction")).WithContext(ctx)) })
			}()
			synctest.Wait()
			h.init()
			cancel()
			time.Sleep(2*time.Second - time.Nanosecond) // of the bubble's time
			synctest.Wait()
			want(t, h.log(), []string{"init-transaction 200 true"})
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			want(t, h.log(), []string{"init-transaction 0 true", "init-transaction 200 true"}) // in order of arrival
		})
	})
	t.Run("LateEffectIsForgotten", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := openOn(t, &memory{}, func(o *sandbox.Options) { o.Wire = true })
			h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"late_effect"}`)
			ended := make(chan bool)
			go func() {
				ended <- aborted(func() { h.do(request("POST", initPath, bodyOf("init-transaction"))) })
			}()
			synctest.Wait()
			want(t, h.post("/sandbox/reset", ""), "204")
			want(t, <-ended, true)
			want(t, h.rows(""), []sandbox.Request{})
		})
	})
	t.Run("Close", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := &memory{}
			h := openOn(t, store, func(o *sandbox.Options) { o.Wire = true })
			for _, fault := range []string{"timeout_before_effect", "timeout_after_effect", "late_effect", "slow"} {
				h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"`+fault+`"}`)
				go aborted(func() { h.do(request("POST", initPath, bodyOf("init-transaction"))) })
				synctest.Wait()
			}
			began := time.Now()
			h.Close()
			want(t, time.Since(began), 0)
			want(t, openOn(t, store).log(), []string{
				"init-transaction 0 false", "init-transaction 0 true", "init-transaction 0 true", "init-transaction 200 true",
			})
		})
	})
}

// aborted runs a handler and reports whether it told its server to abort, which is how it cuts the connection of a
// recorder.
func aborted(handle func()) (yes bool) {
	defer func() { yes = recover() == http.ErrAbortHandler }()
	handle()
	return false
}
