package digit9_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox/sandboxtest"
)

// alert is one that GET /sandbox/digit9/alerts lists.
type alert struct {
	ECRN     string    `json:"ecrn"`
	Ends     string    `json:"id_number_ends"`
	OpenedAt time.Time `json:"opened_at"`
}

func (h *harness) alerts() (open []alert) {
	h.T.Helper()
	w := h.Do(sandboxtest.Keyless("GET", alertsPath, ""))
	if err := json.Unmarshal(w.Body.Bytes(), &open, json.RejectUnknownMembers(true)); err != nil || w.Code != 200 {
		h.T.Fatal(err, sandboxtest.Text(w))
	}
	return open
}

// closes has compliance decide, and returns the answer.
func (h *harness) closes(ecrn, body string) string {
	h.T.Helper()
	return sandboxtest.Text(h.Do(sandboxtest.Keyless("POST", alertsPath+"/"+ecrn, body)))
}

func closed(ecrn, customerStatus, amlStatus string) string {
	return `200 {"aml_scan_status":"` + amlStatus + `","ecrn":"` + ecrn + `","customer_status":"` + customerStatus + `"}`
}

func TestAlerts(t *testing.T) {
	h := open(t)
	want(t, sandboxtest.Text(h.Do(sandboxtest.Keyless("GET", alertsPath, ""))), "200 []")
	first := ecrnIn(t, h.onboard("784199000000423"))
	h.Advance(time.Second)
	second := ecrnIn(t, h.onboard("784199000000413"))
	h.Advance(time.Second)
	want(t, h.onboard("784199000000433"), investigatedUnnamed)
	want(t, h.lookup("784199000000433"), lookupHeld)
	third := h.alerts()[2].ECRN
	want(t, sandboxtest.Text(h.Do(sandboxtest.Keyless("GET", alertsPath, ""))),
		`200 [{"ecrn":"`+first+`","id_number_ends":"0423","opened_at":"2026-01-02T03:04:05Z"},`+
			`{"ecrn":"`+second+`","id_number_ends":"0413","opened_at":"2026-01-02T03:04:06Z"},`+
			`{"ecrn":"`+third+`","id_number_ends":"0433","opened_at":"2026-01-02T03:04:07Z"}]`)

	// One that shows no ECRN is closed like the others, and shown from then on.
	want(
		t, h.closes(third, `{"aml_scan_status":"Accepted","customer_status":"ACTIVE"}`), closed(third, "ACTIVE", "Accepted"),
	)
	want(t, ecrnIn(t, h.lookup("784199000000433")), third)
	want(t, len(h.alerts()), 2)
	want(t, h.closes(second, `{"aml_scan_status":"Rejected"}`), closed(second, "REJECTED", "Rejected"))
	want(t, h.lookup("784199000000413"), lookedUp(second, "REJECTED", "Rejected"))
	want(t, len(h.Rows("?operation=callback")), 0)
	for _, row := range h.Log() {
		if strings.Contains(row, "alert") {
			t.Errorf("what is done by hand is logged: %s", row)
		}
	}
}

func TestCloseAlert(t *testing.T) {
	for _, test := range []struct {
		name, body string
		answer     string // customer_status and aml_scan_status
		record     string // the same, as a lookup of an 0423 shows them; empty where it is barred
		open       bool
	}{
		{
			"Accepted", `{"aml_scan_status":"Accepted","customer_status":"ACTIVE"}`, "ACTIVE/Accepted", "ACTIVE/Accepted", false,
		},
		{"AcceptedAlone", `{"aml_scan_status":"Accepted"}`, "ACTIVE/Accepted", "ACTIVE/Accepted", false},
		{
			"Rejected", `{"aml_scan_status":"Rejected","customer_status":"REJECTED"}`, "REJECTED/Rejected", "REJECTED/Rejected",
			false,
		},
		{"RejectedAlone", `{"aml_scan_status":"Rejected"}`, "REJECTED/Rejected", "REJECTED/Rejected", false},
		{"Barred", `{"aml_scan_status":"Rejected","customer_status":"BLOCKED"}`, "BLOCKED/Rejected", "", false},
		{"Failed", `{"aml_scan_status":"Failed"}`, "KYC_PENDING/Failed", "KYC_PENDING/Failed", false},
		{
			"KYCPending", `{"aml_scan_status":"Accepted","customer_status":"KYC_PENDING"}`, "KYC_PENDING/Accepted",
			"KYC_PENDING/Accepted", false,
		},
		{
			"KYCPendingSpelt", `{"aml_scan_status":"Accepted","customer_status":"KYC PENDING"}`, "KYC_PENDING/Accepted",
			"KYC_PENDING/Accepted", false,
		},
		{
			"Inactive", `{"aml_scan_status":"Accepted","customer_status":"INACTIVE"}`, "INACTIVE/Accepted", "INACTIVE/Accepted",
			false,
		},
		{"StatusAlone", `{"customer_status":"ACTIVE"}`, "ACTIVE/Under Investigation", "ACTIVE/Under Investigation", true},
		{
			"UnderInvestigation", `{"aml_scan_status":"Under Investigation"}`, "KYC_PENDING/Under Investigation",
			"KYC_PENDING/Under Investigation", true,
		},
		{
			"NotAvailable", `{"aml_scan_status":"N/A","customer_status":"ACTIVE"}`, "ACTIVE/N/A", "ACTIVE/Under Investigation",
			true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := open(t)
			given := ecrnIn(t, h.onboard("784199000000423"))
			customerStatus, amlStatus, _ := strings.Cut(test.answer, "/")
			for range 2 { // a repeat changes nothing
				want(t, h.closes(given, test.body), closed(given, customerStatus, amlStatus))
				if test.record == "" {
					want(t, h.lookup("784199000000423"), lookupBarred)
					want(t, h.answer("GET", getPath+given, ""), lookupBarred)
				} else {
					customerStatus, amlStatus, _ := strings.Cut(test.record, "/")
					want(t, h.lookup("784199000000423"), lookedUp(given, customerStatus, amlStatus))
					want(
						t,
						strings.Contains(
							h.answer("GET", getPath+given, ""), `"customer_status":"`+customerStatus+`","aml_scan_status":"`+amlStatus+`"`,
						),
						true,
					)
				}
				want(t, len(h.alerts()) == 1, test.open)
			}
		})
	}
	t.Run("WithoutAlert", func(t *testing.T) {
		h := open(t)
		given := ecrnIn(t, h.onboard(ordinary))
		want(t, h.closes(given, `{"customer_status":"INACTIVE"}`), closed(given, "INACTIVE", "Accepted"))
		want(t, h.lookup(ordinary), lookedUp(given, "INACTIVE", "Accepted"))
		h.closes(given, `{"aml_scan_status":"Under Investigation"}`) // an investigation of an existing customer
		want(t, h.alerts(), []alert{{given, "0017", sandboxtest.Start}})
	})
	t.Run("Errors", func(t *testing.T) {
		h := open(t)
		given := ecrnIn(t, h.onboard("784199000000423"))
		const statuses = "allowed: ACTIVE, KYC_PENDING, INACTIVE, REJECTED, BLOCKED"
		for _, test := range []struct {
			ecrn, body      string
			status          int
			detail, pointer string
		}{
			{
				given, `{}`, 422,
				"/aml_scan_status is needed where customer_status is left out; allowed: Accepted, Rejected, Under " +
					"Investigation, Failed, N/A",
				"/aml_scan_status",
			},
			{given, `{"aml_scan_status":"accepted"}`, 422, "/aml_scan_status is not a scan's status", "/aml_scan_status"},
			{
				given, `{"customer_status":"Active"}`, 422, "/customer_status is not a customer's status; " + statuses,
				"/customer_status",
			},
			{given, `{"status":"ACTIVE"}`, 400, "/status is not known; allowed: aml_scan_status, customer_status", "/status"},
			{given, `{"customer_status":1}`, 400, "/customer_status has the wrong type", "/customer_status"},
			{given, ``, 400, "the body must be a JSON object", ""},
			{given, strings.Repeat(" ", 1<<20+1), 413, "the body is larger than 1 MiB", ""},
			{"7840000000000000", `{"customer_status":"ACTIVE"}`, 404, "no customer has this ecrn", ""},
			{"x", `{"customer_status":"ACTIVE"}`, 404, "no customer has this ecrn", ""},
		} {
			sandboxtest.WantProblem(
				t, h.Do(sandboxtest.Keyless("POST", alertsPath+"/"+test.ecrn, test.body)), test.status, test.detail, test.pointer,
			)
		}
		want(t, h.lookup("784199000000423"), lookedUp(given, "KYC_PENDING", "Under Investigation"))
	})
	t.Run("StoreFails", func(t *testing.T) {
		store := &sandboxtest.Memory{}
		h := openOn(t, store)
		given := ecrnIn(t, h.onboard("784199000000423"))
		failing := openOn(t, &sandboxtest.Failing{Store: store, Times: 1})
		r := sandboxtest.Keyless("POST", alertsPath+"/"+given, `{"aml_scan_status":"Accepted"}`)
		sandboxtest.WantProblem(t, failing.Do(r), 500, "the sandbox's own store failed", "")
		want(t, h.lookup("784199000000423"), lookedUp(given, "KYC_PENDING", "Under Investigation"))
	})
}
