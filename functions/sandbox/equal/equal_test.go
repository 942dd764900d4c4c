package equal_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/functions/sandbox/equal"
	"sallyport/functions/sandbox/sandboxtest"
)

func TestHappyPath(t *testing.T) {
	h := open(t)

	// The answers of §13, to the byte.
	w := h.Do(request("POST", initPath, `{"gateway_instance_id":"gateway.equal.dev_test","business_user_id":"u-1"}`))
	want(t, w.Header(), http.Header{"Content-Type": {"application/json"}})
	want(
		t, sandboxtest.Text(w),
		`200 {"transaction_id":"00000000-0000-4000-8000-000000000001","status":"SUCCESS","status_code":"success","message":"Request successful","checks":[],"data":{}}`,
	)
	want(t, h.step1(sandboxtest.ID(1), "999900000016"), `200 {"transaction_id":"00000000-0000-4000-8000-000000000001",`+
		`"journey_transaction_id":"EQ.GT.00000000-0000-4000-8000-000000000002#aadhaar_otp_sim_v1#00000000000040008000000000000003",`+
		`"journey_id":"aadhaar_otp_sim_v1","status":"IN_PROGRESS","status_code":"success","message":"Success","checks":[],"data":{}}`)
	success := `200 {"transaction_id":"00000000-0000-4000-8000-000000000001",` +
		`"journey_transaction_id":"EQ.GT.00000000-0000-4000-8000-000000000004#aadhaar_otp_sim_v1#00000000000040008000000000000005",` +
		`"journey_id":"aadhaar_otp_sim_v1","status":"SUCCESS","status_code":"success","message":"Request successful",` +
		`"decision":"CLEAR","checks":[],` +
		`"data":{"keys":{"aadhaar":[{"aadhaar_no":"XXXXXXXX0016","name":"MEERA KULKARNI","source":"sandbox","issuer":"",` +
		`"decision":"CLEAR","checks":[{"check_id":"ownership_check","check_result":"PASS","status_code":"success",` +
		`"metadata":{"data_source":"BUSINESS_PROVIDED","match_logic":"fuzzy>=80"}}]}]}}}`
	want(t, h.step2(sandboxtest.ID(1), "999900000016", "123456", "att-0002"), success)

	// Either execution can be fetched afterwards.
	want(t, h.fetch(sandboxtest.ID(1), run(2)), sent(sandboxtest.ID(1), 2))
	want(t, h.fetch(sandboxtest.ID(1), run(4)), success)
	want(t, h.Log(), []string{
		"init-transaction 200 true", "execute-journey 200 true", "execute-journey 200 true",
		"fetch-data 200 false", "fetch-data 200 false",
	})
}

func TestFixtures(t *testing.T) {
	success := func(message, decision, data string) string {
		return `200 {"transaction_id":"` + sandboxtest.ID(1) + `","journey_transaction_id":"` + run(4) + `","journey_id":"aadhaar_otp_sim_v1",` +
			`"status":"SUCCESS","status_code":"success","message":"` + message + `",` + decision +
			`"data":{"keys":{"aadhaar":[{` + data + `}]}}}`
	}
	otpSent, notGenerated := sent(sandboxtest.ID(1), 2), failed(
		sandboxtest.ID(1), "otp_not_generated", "otp not generated",
	)
	invalid := failed(sandboxtest.ID(1), "invalid_aadhaar_no", "aadhaar_no is Invalid")
	for _, test := range []struct {
		number       string
		step1, step2 string
		effects      [2]bool
	}{
		{"999900000016", otpSent, verified(sandboxtest.ID(1), 4), [2]bool{true, true}},
		{"999900000028", failed(sandboxtest.ID(1), "document_not_found", "Entity not found"), notGenerated, [2]bool{}},
		{"999900000037", otpSent, failed(sandboxtest.ID(1), "otp_expired", "otp is expired"), [2]bool{true, false}},
		{"999900000044", otpSent, failed(sandboxtest.ID(1), "invalid_otp", "otp is Invalid"), [2]bool{true, true}},
		{"999900000059", internalError, notGenerated, [2]bool{}},
		{"999900000063", "429", "429", [2]bool{}},
		{"999900000071", "503", "503", [2]bool{}},
		{"999900000085", otpSent, sent(sandboxtest.ID(1), 4), [2]bool{true, true}},
		{"999900000092", otpSent, success("Request successful", `"decision":"MUST REVIEW","checks":[],`,
			`"aadhaar_no":"XXXXXXXX0092","name":"FARIDA SHEIKH","source":"sandbox","issuer":"","decision":"MUST REVIEW",`+
				`"checks":[{"check_id":"ownership_check","check_result":"FAIL","status_code":"data_mismatch",`+
				`"message":"Data does not match with the reference data","metadata":{"data_source":"BUSINESS_PROVIDED","match_logic":"fuzzy>=80"}}]`),
			[2]bool{true, true}},
		{"999900000102", failed(sandboxtest.ID(1), "mobile_not_linked", "mobile number not linked"), notGenerated, [2]bool{}},
		{"999900000118", otpSent, success("Success", ``,
			`"aadhaar_no":"XXXXXXXX0118","name":"LAKSHMI IYER","source":"sandbox","issuer":""`), [2]bool{true, true}},
		{"999900000125", otpSent, success("Request successful", `"decision":"NEEDS REVIEW","checks":[],`,
			`"aadhaar_no":"XXXXXXXX0125","name":"GURPREET SANDHU","source":"sandbox","issuer":"","decision":"NEEDS REVIEW",`+
				`"checks":[{"check_id":"ownership_check","check_result":"FAIL","status_code":"check_unavailable",`+
				`"message":"We can't run this check right now.","metadata":{}}]`), [2]bool{true, true}},
		{"999900000017", invalid, invalid, [2]bool{}}, // checksum
		{"199900000018", invalid, invalid, [2]bool{}}, // first digit alone
		{"199900000016", invalid, invalid, [2]bool{}}, // both
		{"99990000001", invalid, invalid, [2]bool{}},  // length
		{"9999 0000 0016", invalid, invalid, [2]bool{}},
		{"99990000001६", invalid, invalid, [2]bool{}},
		// valid, no fixture
		{"234567890124", failed(sandboxtest.ID(1), "document_not_found", "Entity not found"), notGenerated, [2]bool{}},
	} {
		t.Run(test.number, func(t *testing.T) {
			h := strict(t)
			h.init()
			want(t, h.step1(sandboxtest.ID(1), test.number), test.step1)
			want(t, h.step2(sandboxtest.ID(1), test.number, "123456", "att-0002"), test.step2)
			rows := h.Rows("?operation=execute-journey")
			want(t, [2]bool{rows[0].Effect, rows[1].Effect}, test.effects)
		})
	}
}

func TestEmptyBodies(t *testing.T) {
	h := open(t)
	h.init()
	for _, number := range []string{"999900000063", "999900000071"} {
		w := h.Do(request("POST", executePath, step1Body(sandboxtest.ID(1), number)))
		if len(w.Header()) != 0 || w.Body.Len() != 0 {
			t.Errorf("%s: got header %v and body %q", number, w.Header(), w.Body)
		}
	}
}

func TestStatusCodes(t *testing.T) {
	execute := func(body string) func(*harness) string {
		return func(h *harness) string { return h.post(executePath, strings.ReplaceAll(body, "$T", sandboxtest.ID(1))) }
	}
	fetch := func(body string) func(*harness) string {
		return func(h *harness) string { return h.post(fetchPath, strings.ReplaceAll(body, "$T", sandboxtest.ID(1))) }
	}
	start := func(body string) func(*harness) string {
		return func(h *harness) string { return h.post(initPath, body) }
	}
	const rest = `"journey_id":"aadhaar_otp_sim_v1","input_data":{"aadhaar_no":"999900000016"}}`
	for _, test := range []struct {
		name string
		do   func(*harness) string
		want string
	}{
		{"ErrTransactionIDRequired", execute(`{` + rest), required("transaction_id")},
		{"ErrTransactionIDEmpty", execute(`{"transaction_id":"",` + rest), required("transaction_id")},
		{
			"ErrTransactionUnknown", execute(`{"transaction_id":"7d1f0a3c-52be-4e0b-9a77-1c5e8f24d6b0",` + rest), invalidRequest,
		},
		{"ErrTransactionLong", execute(`{"transaction_id":"` + strings.Repeat("x", 5000) + `",` + rest), invalidRequest},
		{"ErrTransactionWrongType", execute(`{"transaction_id":1,` + rest), invalidRequest},
		{
			"ErrJourneyIDRequired", execute(`{"transaction_id":"$T","input_data":{"aadhaar_no":"999900000016"}}`),
			required("journey_id"),
		},
		{
			"ErrJourneyUnknown",
			execute(`{"transaction_id":"$T","journey_id":"other","input_data":{"aadhaar_no":"999900000016"}}`), invalidRequest,
		},
		{
			"ErrInputDataRequired", execute(`{"transaction_id":"$T","journey_id":"aadhaar_otp_sim_v1"}`), required("input_data"),
		},
		{
			"ErrInputDataNull", execute(`{"transaction_id":"$T","journey_id":"aadhaar_otp_sim_v1","input_data":null}`),
			required("input_data"),
		},
		{
			"ErrInputDataWrongType", execute(`{"transaction_id":"$T","journey_id":"aadhaar_otp_sim_v1","input_data":[]}`),
			invalidRequest,
		},
		{
			"ErrAadhaarRequired", execute(`{"transaction_id":"$T","journey_id":"aadhaar_otp_sim_v1","input_data":{}}`),
			required("aadhaar_no"),
		},
		{
			"ErrAadhaarEmpty",
			execute(`{"transaction_id":"$T","journey_id":"aadhaar_otp_sim_v1","input_data":{"aadhaar_no":"","otp":"123456"}}`),
			required("aadhaar_no"),
		},
		{
			"ErrAadhaarNumber",
			execute(`{"transaction_id":"$T","journey_id":"aadhaar_otp_sim_v1","input_data":{"aadhaar_no":999900000016}}`),
			invalidRequest,
		},
		{
			"ErrOTPRequired",
			execute(
				`{"transaction_id":"$T","journey_id":"aadhaar_otp_sim_v1","input_data":{"aadhaar_no":"999900000016","otp":""}}`,
			),
			required("otp"),
		},
		{
			"ErrOTPNull",
			execute(
				`{"transaction_id":"$T","journey_id":"aadhaar_otp_sim_v1","input_data":{"aadhaar_no":"999900000016","otp":null}}`,
			),
			required("otp"),
		},
		{
			"ErrOTPNumber",
			execute(
				`{"transaction_id":"$T","journey_id":"aadhaar_otp_sim_v1","input_data":{"aadhaar_no":"999900000016","otp":123456}}`,
			),
			invalidRequest,
		},
		{"ErrExecuteNotJSON", execute(`{`), invalidRequest},
		{"ErrExecuteEmpty", execute(``), invalidRequest},
		{"ErrExecuteArray", execute(`[]`), invalidRequest},
		{"ErrExecuteTrailing", execute(`{} {}`), invalidRequest},
		{"ErrExecuteDuplicateName", execute(`{"transaction_id":"$T","transaction_id":"$T",` + rest), invalidRequest},
		{"ErrExecuteUTF8", execute("{\"transaction_id\":\"\xff\"," + rest), invalidRequest},
		{"UnknownNamesAreIgnored", execute(`{"transaction_id":"$T","x":1,` + rest), sent(sandboxtest.ID(1), 2)},
		{"ErrGatewayInstanceRequired", start(`{}`), required("gateway_instance_id")},
		{"ErrGatewayInstanceUnknown", start(`{"gateway_instance_id":"other"}`), invalidRequest},
		{"ErrInitNotJSON", start(`gateway`), invalidRequest},
		{"ErrInitWrongType", start(`{"gateway_instance_id":"gateway.equal.dev_test","idempotency_id":7}`), invalidRequest},
		{"ErrFetchTransactionRequired", fetch(`{"journey_transaction_id":"x"}`), required("transaction_id")},
		{"ErrFetchExecutionRequired", fetch(`{"transaction_id":"$T"}`), required("journey_transaction_id")},
		{"ErrFetchExecutionUnknown", fetch(`{"transaction_id":"$T","journey_transaction_id":"x"}`), invalidRequest},
		{
			"ErrFetchExecutionLong",
			fetch(`{"transaction_id":"$T","journey_transaction_id":"` + strings.Repeat("x", 5000) + `"}`), invalidRequest,
		},
		{"ErrFetchNotJSON", fetch(`nil`), invalidRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := strict(t)
			h.init()
			want(t, test.do(h), test.want)
			rows := h.Rows("")
			if row := rows[len(rows)-1]; row.Effect != strings.HasPrefix(test.want, "200") {
				t.Errorf("effect is %t", row.Effect)
			}
		})
	}
}

// TestLiberties: unless it is strict, it takes what no page forbids.
func TestLiberties(t *testing.T) {
	h := open(t)
	want(t, h.post(initPath, `{"idempotency_id":7,}`)[:3], "200")
	for body, want := range map[string]string{
		`"transaction_id":"$T","input_data":{"aadhaar_no":"9999-0000 0016",},`:      sent(sandboxtest.ID(1), 2),
		`"exchange_txn_id":"$T","input_data":{"aadhaar_no":999900000016,"more":1}`:  sent(sandboxtest.ID(1), 2),
		`"transaction_id":"$T","input_data":{"aadhaar_no":"999900000017"}`:          "document_not_found",
		`"transaction_id":"$T","input_data":{"aadhaar_no":"99990000001"}`:           "invalid_aadhaar_no",
		`"transaction_id":"$T","input_data":{"aadhaar_no":999900000016,"otp":1234}`: "otp_not_generated",
		`"transaction_id":"$T","input_data":"x"`:                                    "input_data is required",
	} {
		h := open(t)
		h.init()
		got := h.post(executePath, strings.ReplaceAll(`{"journey_id":"aadhaar_otp_sim_v1",`+body+`}`, "$T", sandboxtest.ID(1)))
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s", body, got)
		}
	}
}

func TestCredentials(t *testing.T) {
	h := open(t)
	for name, authorization := range map[string]string{
		"None":         "",
		"WrongSecret":  sandboxtest.Basic("sandbox.client#1", "sandbox-secret"),
		"WrongClient":  sandboxtest.Basic("sandbox.client", "sandbox-secret="),
		"Empty":        sandboxtest.Basic("", ""),
		"Bearer":       "Bearer sandbox-secret=",
		"NotBase64":    "Basic ###",
		"URLEncoded":   sandboxtest.Basic("sandbox.client%231", "sandbox-secret%3D"),
		"ColonInWrong": sandboxtest.Basic("sandbox.client#1", "sandbox-secret=:"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{initPath, executePath, fetchPath} {
				r := request("POST", path, `{}`)
				r.Header.Set("Authorization", authorization)
				want(t, sandboxtest.Text(h.Do(r)), unauthorized)
			}
		})
	}
	t.Run("SplitAtFirstColon", func(t *testing.T) {
		h := open(t, func(o *options) { o.Partner.ClientSecret = "a:b=" })
		r := request("POST", initPath, `{"gateway_instance_id":"gateway.equal.dev_test"}`)
		r.Header.Set("Authorization", sandboxtest.Basic("sandbox.client#1", "a:b="))
		want(t, h.Do(r).Code, 200)
	})
	t.Run("Defaults", func(t *testing.T) {
		want(t, equal.Defaults(), equal.Options{
			ClientID: "sandbox.client#1", ClientSecret: "sandbox-secret=",
			GatewayInstanceID: "gateway.equal.dev_test", JourneyID: "aadhaar_otp_sim_v1", RequestsPerSecond: 10,
		})
	})
}

func TestIdempotentInit(t *testing.T) {
	h := open(t)
	const body = `{"gateway_instance_id":"gateway.equal.dev_test","idempotency_id":"order-1","business_user_id":"u"}`
	first := h.post(initPath, body)
	want(t, h.post(initPath, body), first)
	want(t, h.post(initPath, `{"gateway_instance_id":"other","idempotency_id":"order-1"}`), invalidRequest)
	if second := h.post(initPath, strings.Replace(body, "order-1", "order-2", 1)); second == first {
		t.Error("another idempotency_id gave the same transaction")
	}
	h.init()
	h.init() // without one: a transaction each
	want(t, h.Log(), []string{
		"init-transaction 200 true", "init-transaction 200 false", "init-transaction 400 false",
		"init-transaction 200 true", "init-transaction 200 true", "init-transaction 200 true",
	})
}

func TestIdempotentInit_ConfigurationChanged(t *testing.T) {
	store := &sandboxtest.Memory{}
	const body = `{"gateway_instance_id":"%","idempotency_id":"order-1"}`
	want(
		t, openOn(t, store).Do(request("POST", initPath, strings.Replace(body, "%", "gateway.equal.dev_test", 1))).Code, 200,
	)
	h := openOn(t, store, func(o *options) { o.Partner.GatewayInstanceID = "other" })
	want(t, h.post(initPath, strings.Replace(body, "%", "other", 1)), invalidRequest)
}

func TestLifecycle(t *testing.T) {
	invalidOTP := failed(sandboxtest.ID(1), "invalid_otp", "otp is Invalid")
	exceeded := failed(sandboxtest.ID(1), "otp_attempts_exceeded", "otp attempts exceeded")
	expired := failed(sandboxtest.ID(1), "otp_expired", "otp is expired")
	notGenerated := failed(sandboxtest.ID(1), "otp_not_generated", "otp not generated")
	tooSoon := failed(sandboxtest.ID(1), "otp_request_too_soon", "otp requested too soon")

	t.Run("OTPLivesTenMinutes", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		h.Advance(10 * time.Minute)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), verified(sandboxtest.ID(1), 4))
	})
	t.Run("ErrExpired", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		h.Advance(10*time.Minute + time.Nanosecond)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), expired)
		want(t, h.step2(sandboxtest.ID(1), number, "000000", "r"), expired)
		want(t, h.Log()[2:], []string{"execute-journey 200 false", "execute-journey 200 false"})
		want(t, h.step1(sandboxtest.ID(1), number), sent(sandboxtest.ID(1), 4))
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), verified(sandboxtest.ID(1), 6))
	})
	t.Run("FixtureExpired", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), "999900000037")
		want(t, h.step2(sandboxtest.ID(1), "999900000037", "123456", "r"), expired)
		want(t, h.step2(sandboxtest.ID(1), "999900000037", "123456", "r"), expired)
		// Expired is expired: the gap has passed as well.
		want(t, h.step1(sandboxtest.ID(1), "999900000037"), sent(sandboxtest.ID(1), 4))
	})
	t.Run("TimeScale", func(t *testing.T) {
		h := open(t, func(o *options) { o.TimeScale = 600 })
		h.init()
		h.step1(sandboxtest.ID(1), number)
		h.Advance(99 * time.Millisecond)
		want(t, h.step1(sandboxtest.ID(1), number), tooSoon)
		h.Advance(time.Millisecond)
		want(t, h.step1(sandboxtest.ID(1), number), sent(sandboxtest.ID(1), 4))
		h.Advance(time.Second + time.Millisecond)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), expired)
	})
	t.Run("TimeScaleHuge", func(t *testing.T) {
		h := open(t, func(o *options) { o.TimeScale = 1e9 })
		h.init()
		h.step1(sandboxtest.ID(1), number)
		h.Advance(1000 * time.Hour)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), expired)
	})
	t.Run("ThreeAttempts", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		want(t, h.step2(sandboxtest.ID(1), number, "000000", "r"), invalidOTP)
		want(t, h.step2(sandboxtest.ID(1), number, "12345", "r"), invalidOTP) // malformed counts
		want(t, h.step2(sandboxtest.ID(1), number, "654321", "r"), exceeded)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), exceeded) // locked, even for the right one
		want(t, h.Log()[2:], []string{
			"execute-journey 200 true", "execute-journey 200 true", "execute-journey 200 true", "execute-journey 200 false",
		})
		want(t, h.step1(sandboxtest.ID(1), number), tooSoon)
		h.Advance(time.Minute)
		want(t, h.step1(sandboxtest.ID(1), number), sent(sandboxtest.ID(1), 4))
		want(t, h.step2(sandboxtest.ID(1), number, "000000", "r"), invalidOTP) // counted anew
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), verified(sandboxtest.ID(1), 6))
	})
	t.Run("FixtureAlwaysWrong", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), "999900000044")
		want(t, h.step2(sandboxtest.ID(1), "999900000044", "123456", "r"), invalidOTP)
		want(t, h.step2(sandboxtest.ID(1), "999900000044", "123456", "r"), invalidOTP)
		want(t, h.step2(sandboxtest.ID(1), "999900000044", "123456", "r"), exceeded)
	})
	t.Run("SixtySecondsBetweenSends", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		h.Advance(time.Minute - time.Nanosecond)
		want(t, h.step1(sandboxtest.ID(1), number), tooSoon)
		want(t, h.step2(sandboxtest.ID(1), number, "000000", "r"), invalidOTP)
		h.Advance(time.Nanosecond)
		want(t, h.step1(sandboxtest.ID(1), number), sent(sandboxtest.ID(1), 4))
		want(t, h.Log()[1:], []string{
			"execute-journey 200 true", "execute-journey 200 false", "execute-journey 200 true", "execute-journey 200 true",
		})
	})
	t.Run("ResendRestartsTheClock", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		h.Advance(9 * time.Minute)
		h.step1(sandboxtest.ID(1), number)
		h.Advance(9 * time.Minute)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), verified(sandboxtest.ID(1), 6))
	})
	t.Run("ErrNoStep1", func(t *testing.T) {
		h := open(t)
		h.init()
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), notGenerated)
	})
	t.Run("ErrOtherNumber", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		want(t, h.step2(sandboxtest.ID(1), "999900000085", "123456", "r"), notGenerated)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), verified(sandboxtest.ID(1), 4))
		want(t, h.Log()[2], "execute-journey 200 false")
	})
	t.Run("RefusedNumberLeavesTheOTP", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		h.step1(sandboxtest.ID(1), "999900000028")
		h.step1(sandboxtest.ID(1), "99990000001")
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), verified(sandboxtest.ID(1), 4))
	})
	t.Run("NewNumberVoidsTheOTP", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		h.Advance(time.Minute)
		h.step1(sandboxtest.ID(1), "999900000085")
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "r"), notGenerated)
	})
	t.Run("TransactionsAreApart", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		other := h.init()
		want(t, h.step2(other, number, "123456", "r"), failed(other, "otp_not_generated", "otp not generated"))
		want(t, h.fetch(other, run(2)), invalidRequest)
		want(t, h.step1(other, number), sent(other, 5))
	})
	t.Run("RepeatAfterVerified", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "att-2"), verified(sandboxtest.ID(1), 4))
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "att-2"), verified(sandboxtest.ID(1), 4))
		want(t, h.step2(sandboxtest.ID(1), number, "123456", "att-3"), notGenerated)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", ""), notGenerated)
		want(t, h.step2(sandboxtest.ID(1), number, "000000", "att-2"), notGenerated)
		want(t, h.step2(sandboxtest.ID(1), "999900000085", "123456", "att-2"), notGenerated)
		want(t, h.step1(sandboxtest.ID(1), number), invalidRequest)
		want(t, h.Log()[2:], []string{
			"execute-journey 200 true", "execute-journey 200 false", "execute-journey 200 false", "execute-journey 200 false",
			"execute-journey 200 false", "execute-journey 200 false", "execute-journey 400 false",
		})
	})
	t.Run("RepeatAfterVerifiedWithoutRequestID", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), number)
		want(t, h.step2(sandboxtest.ID(1), number, "123456", ""), verified(sandboxtest.ID(1), 4))
		want(t, h.step2(sandboxtest.ID(1), number, "123456", ""), notGenerated)
	})
	t.Run("SlowSource", func(t *testing.T) {
		h := open(t)
		h.init()
		h.step1(sandboxtest.ID(1), "999900000085")
		success := `200 {"transaction_id":"` + sandboxtest.ID(1) + `","journey_transaction_id":"` + run(4) + `","journey_id":"aadhaar_otp_sim_v1",` +
			`"status":"SUCCESS","status_code":"success","message":"Request successful","decision":"CLEAR","checks":[],` +
			`"data":{"keys":{"aadhaar":[{"aadhaar_no":"XXXXXXXX0085","name":"ARJUN NAMBIAR","source":"sandbox","issuer":"","decision":"CLEAR","checks":[]}]}}}`
		want(t, h.step2(sandboxtest.ID(1), "999900000085", "123456", "att-2"), sent(sandboxtest.ID(1), 4))
		want(t, h.step2(sandboxtest.ID(1), "999900000085", "123456", "att-2"), sent(sandboxtest.ID(1), 4))
		want(t, h.fetch(sandboxtest.ID(1), run(4)), sent(sandboxtest.ID(1), 4))
		// only a fetch counts
		want(t, h.step2(sandboxtest.ID(1), "999900000085", "123456", "att-2"), sent(sandboxtest.ID(1), 4))
		want(t, h.fetch(sandboxtest.ID(1), run(4)), success)
		want(t, h.fetch(sandboxtest.ID(1), run(4)), success)
		want(t, h.step2(sandboxtest.ID(1), "999900000085", "123456", "att-2"), success)
		want(t, h.Log()[2:], []string{
			"execute-journey 200 true", "execute-journey 200 false", "fetch-data 200 false", "execute-journey 200 false",
			"fetch-data 200 false", "fetch-data 200 false", "execute-journey 200 false",
		})
	})
}

func TestStep1Status(t *testing.T) {
	h := open(t)
	want(t, h.post("/sandbox/settings", `{"partner":"equal","name":"step1_status","value":"SUCCESS"}`),
		`200 {"partner":"equal","name":"step1_status","value":"SUCCESS"}`)
	h.init()
	success := strings.Replace(sent(sandboxtest.ID(1), 2), "IN_PROGRESS", "SUCCESS", 1)
	want(t, h.step1(sandboxtest.ID(1), number), success)
	want(t, h.post("/sandbox/settings", `{"partner":"equal","name":"step1_status","value":"IN_PROGRESS"}`),
		`200 {"partner":"equal","name":"step1_status","value":"IN_PROGRESS"}`)
	want(t, h.fetch(sandboxtest.ID(1), run(2)), success) // what was answered stays
	h.Advance(time.Minute)
	want(t, h.step1(sandboxtest.ID(1), number), sent(sandboxtest.ID(1), 4))
}

func TestRateLimit(t *testing.T) {
	h := open(t, func(o *options) { o.Partner.RequestsPerSecond, o.TimeScale = 0, 10 })
	const body = `{"gateway_instance_id":"gateway.equal.dev_test"}`
	statuses := func(n int) (got []int) {
		for range n {
			got = append(got, h.Do(request("POST", initPath, body)).Code)
		}
		return got
	}
	want(t, statuses(12), []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 429, 429})
	w := h.Do(request("POST", initPath, body))
	if w.Code != 429 || w.Body.Len() != 0 || len(w.Header()) != 0 {
		t.Errorf("got %d %v %q", w.Code, w.Header(), w.Body)
	}
	h.Advance(20 * time.Millisecond) // 0.2 sandbox seconds
	want(t, statuses(3), []int{200, 200, 429})

	// Strangers neither draw from the client's bucket nor are they throttled.
	stranger := request("POST", initPath, body)
	stranger.Header.Set("Authorization", sandboxtest.Basic("x", "y"))
	want(t, h.Do(stranger).Code, 401)

	h.Advance(time.Hour) // a bucket holds no more than ten
	want(t, statuses(11)[9:], []int{200, 429})
	want(t, h.post("/sandbox/reset", ""), "204")
	want(t, statuses(1), []int{200})
}

// TestKeepsNoNumbers: neither a number nor an OTP is in the store or the log.
func TestKeepsNoNumbers(t *testing.T) {
	store, log := &sandboxtest.Memory{}, &strings.Builder{}
	h := openOn(t, store, func(o *options) { o.Log = slog.New(slog.NewJSONHandler(log, nil)) })
	h.init()
	for _, n := range []string{number, "999900000085"} {
		h.step1(sandboxtest.ID(1), n)
		h.step2(sandboxtest.ID(1), n, "654321", "r")
		h.step2(sandboxtest.ID(1), n, "123456", "r")
	}
	var all strings.Builder
	for key, value := range store.Items {
		all.WriteString(key + "=" + string(value) + "\n")
	}
	for _, secret := range []string{number, "999900000085", "123456", "654321", "MEERA", "sandbox-secret"} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("the store holds %q", secret)
		}
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if !strings.Contains(log.String(), `"operation":"execute-journey"`) {
		t.Errorf("the log says nothing: %s", log)
	}
}
