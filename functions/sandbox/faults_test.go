package sandbox_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/sandboxtest"
	"sallyport/functions/sandbox/simulators"
)

func TestRegistry(t *testing.T) {
	var got []string
	for _, f := range sandbox.Faults() {
		if f.Description == "" || strings.Contains(f.Description, "\n") {
			t.Errorf("%s: description %q", f.Name, f.Description)
		}
		got = append(
			got, fmt.Sprintf("%s effect=%t hijacking=%t callbacks=%t", f.Name, f.Effect, f.NeedsHijacking, f.NeedsCallbacks),
		)
	}
	want(t, got, []string{
		"refuse_connection effect=false hijacking=true callbacks=false",
		"timeout_before_effect effect=false hijacking=true callbacks=false",
		"timeout_after_effect effect=true hijacking=true callbacks=false",
		"late_effect effect=true hijacking=true callbacks=false",
		"reset_before_effect effect=false hijacking=true callbacks=false",
		"reset_after_effect effect=true hijacking=true callbacks=false",
		"status_429 effect=false hijacking=false callbacks=false",
		"status_500_before_effect effect=false hijacking=false callbacks=false",
		"status_500_after_effect effect=true hijacking=false callbacks=false",
		"status_503_before_effect effect=false hijacking=false callbacks=false",
		"status_503_after_effect effect=true hijacking=false callbacks=false",
		"malformed effect=true hijacking=false callbacks=false",
		"truncated effect=true hijacking=true callbacks=false",
		"slow effect=true hijacking=false callbacks=false",
		"expired_token effect=false hijacking=false callbacks=false",
		"duplicate_callback effect=true hijacking=false callbacks=true",
		"late_callback effect=true hijacking=false callbacks=true",
		"forged_callback effect=true hijacking=false callbacks=true",
	})
	for _, op := range sandbox.Operations(simulators.All()) {
		for _, f := range sandbox.Faults() {
			if err := sandbox.Applicable(simulators.All(), op.Partner, op.Name, f.Name); (err != nil) != f.NeedsCallbacks {
				t.Errorf("%s, %s: %v", op.Name, f.Name, err)
			}
		}
	}
	for _, f := range sandbox.Faults() {
		for _, partner := range []string{"digit9", "mbanq", "iron", "ezto"} {
			if err := sandbox.Applicable(simulators.All(), partner, "callback", f.Name); (err == nil) != f.NeedsCallbacks {
				t.Errorf("%s, callback, %s: %v", partner, f.Name, err)
			}
		}
	}
	for _, bad := range [][3]string{
		{"x", "fetch-data", "slow"}, {"equal", "x", "slow"}, {"equal", "fetch-data", "x"},
		{"equal", "callback", "late_callback"},
	} {
		if sandbox.Applicable(simulators.All(), bad[0], bad[1], bad[2]) == nil {
			t.Errorf("%v is applicable", bad)
		}
	}
}

func TestFaults_Queue(t *testing.T) {
	h := open(t)
	arm := func(fault string, times int) string {
		return h.post(
			"/sandbox/faults",
			fmt.Sprintf(`{"partner":"equal","operation":"init-transaction","fault":"%s","times":%d}`, fault, times),
		)
	}
	want(
		t, arm("status_429", 2),
		`200 {"partner":"equal","operation":"init-transaction","armed":[{"fault":"status_429","times":2}]}`,
	)
	want(
		t, arm("expired_token", 1),
		`200 {"partner":"equal","operation":"init-transaction","armed":[{"fault":"status_429","times":2},{"fault":"expired_token","times":1}]}`,
	)
	var got []int
	for range 4 {
		got = append(got, h.Do(request("POST", initPath, initBody)).Code)
	}
	want(t, got, []int{429, 429, 401, 200})
	want(t, h.Log(), []string{
		"init-transaction 429 false", "init-transaction 429 false", "init-transaction 401 false", "init-transaction 200 true",
	})
}

// TestFaults_ConcurrentCount: exactly as many requests meet a fault as were armed.
func TestFaults_ConcurrentCount(t *testing.T) {
	h := open(t)
	h.post(
		"/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"status_503_after_effect","times":20}`,
	)
	codes := make(chan int)
	for range 60 {
		go func() { codes <- h.Do(request("POST", initPath, initBody)).Code }()
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
	want(t, h.post(initPath, `{`), internalError)
	want(t, h.Log(), []string{"init-transaction 500 false"})
}

func TestFaults_NotHijackable(t *testing.T) {
	store := &sandboxtest.Memory{}
	other := openOn(t, store, func(o *sandbox.Options) { o.Hijackable = true })
	h := openOn(t, store)
	for _, f := range sandbox.Faults() {
		if !f.NeedsHijacking {
			continue
		}
		body := `{"partner":"equal","operation":"init-transaction","fault":"` + f.Name + `"}`
		sandboxtest.WantProblem(
			t, h.Do(sandboxtest.Request("POST", "/sandbox/faults", body)), 422,
			"/fault "+f.Name+" needs a connection of the sandbox's own", "/fault",
		)

		// Armed on the same state by a sandbox with connections of its own: left alone.
		want(t, other.Do(sandboxtest.Request("POST", "/sandbox/faults", body)).Code, 200)
		want(t, h.Do(request("POST", initPath, initBody)).Code, 200)
		if refused, err := h.RefuseConnection(t.Context(), request("POST", initPath, "")); refused || err != nil {
			t.Errorf("%s: %t, %v", f.Name, refused, err)
		}
		want(t, h.post("/sandbox/reset", ""), "204")
	}
}

func TestRefuseConnection(t *testing.T) {
	h := open(t, func(o *sandbox.Options) { o.Hijackable = true })
	refused := func(method, path string) bool {
		t.Helper()
		got, err := h.RefuseConnection(t.Context(), request(method, path, ""))
		if err != nil {
			t.Error(err)
		}
		return got
	}
	arm := func(fault string) {
		want(
			t,
			h.Do(
				sandboxtest.Request(
					"POST", "/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"`+fault+`","times":2}`,
				),
			).Code,
			200,
		)
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
	want(t, h.Log(), []string{"init-transaction 200 true"})

	// In its turn.
	arm("status_429")
	arm("refuse_connection")
	want(t, refused("POST", initPath), false)
	want(t, h.post(initPath, initBody), "429")
	want(t, refused("POST", initPath), false)
	want(t, h.post(initPath, initBody), "429")
	want(t, refused("POST", initPath), true)
}

func TestFaults_Times(t *testing.T) {
	t.Run("Slow", func(t *testing.T) {
		for scale, took := range map[float64]time.Duration{1: 20 * time.Second, 10: 2 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				h := openOn(t, &sandboxtest.Memory{}, func(o *sandbox.Options) { o.TimeScale = scale })
				h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"slow"}`)
				began := time.Now()
				answered := make(chan int)
				go func() { answered <- h.Do(request("POST", initPath, initBody)).Code }()
				synctest.Wait()
				want(t, h.Log(), []string{"init-transaction 200 true"}) // at the start
				want(t, <-answered, 200)
				want(t, time.Since(began), took)
			})
		}
	})
	t.Run("HoldIsCapped", func(t *testing.T) {
		for _, fault := range []string{"timeout_before_effect", "timeout_after_effect"} {
			synctest.Test(t, func(t *testing.T) {
				h := openOn(t, &sandboxtest.Memory{}, func(o *sandbox.Options) { o.Hijackable = true })
				h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"`+fault+`"}`)
				began := time.Now()
				want(t, aborted(func() { h.Do(request("POST", initPath, initBody)) }), true)
				want(t, time.Since(began), time.Minute)
			})
		}
	})
	t.Run("LateEffect", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{}, func(o *sandbox.Options) { o.Hijackable = true })
			h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"late_effect"}`)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				aborted(func() { h.Do(request("POST", initPath, initBody).WithContext(ctx)) })
			}()
			synctest.Wait()
			h.init()
			cancel()
			time.Sleep(2*time.Second - time.Nanosecond) // of the bubble's time
			synctest.Wait()
			want(t, h.Log(), []string{"init-transaction 200 true"})
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			want(t, h.Log(), []string{"init-transaction 0 true", "init-transaction 200 true"}) // in order of arrival
		})
	})
	t.Run("LateEffectIsForgotten", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{}, func(o *sandbox.Options) { o.Hijackable = true })
			h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"late_effect"}`)
			ended := make(chan bool)
			go func() {
				ended <- aborted(func() { h.Do(request("POST", initPath, initBody)) })
			}()
			synctest.Wait()
			want(t, h.post("/sandbox/reset", ""), "204")
			want(t, <-ended, true)
			want(t, h.Rows(""), []sandbox.Request{})
		})
	})
	t.Run("Close", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := &sandboxtest.Memory{}
			h := openOn(t, store, func(o *sandbox.Options) { o.Hijackable = true })
			for _, fault := range []string{"timeout_before_effect", "timeout_after_effect", "late_effect", "slow"} {
				h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"`+fault+`"}`)
				go aborted(func() { h.Do(request("POST", initPath, initBody)) })
				synctest.Wait()
			}
			began := time.Now()
			h.Close()
			want(t, time.Since(began), 0)
			want(t, openOn(t, store).Log(), []string{
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
