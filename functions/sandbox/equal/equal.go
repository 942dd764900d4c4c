// Package equal simulates Equal's "Aadhaar OTP Verification" journey.
package equal

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
	"sallyport/shared/tolerant"
)

// Options are what Equal's account manager would issue, and its throttle.
type Options struct {
	ClientID          string
	ClientSecret      string
	GatewayInstanceID string
	JourneyID         string
	RequestsPerSecond float64 // per client, in sandbox time; below 0: no limit
}

// Defaults returns what the simulated Equal goes by where Options leave it open.
func Defaults() Options {
	return Options{
		ClientID:          "sandbox.client#1",
		ClientSecret:      "sandbox-secret=",
		GatewayInstanceID: "gateway.equal.dev_test",
		JourneyID:         "aadhaar_otp_sim_v1",
		RequestsPerSecond: 10, // §10
	}
}

// Limits of an OTP (§10), in sandbox time.
const (
	otpLifetime = 10 * time.Minute
	otpGap      = 60 * time.Second // between two that are sent in one transaction
	otpAttempts = 3
)

// simulation is the simulated Equal.
type simulation struct {
	Options
}

// New returns the simulated Equal. Zero fields of its options are those of Defaults.
func New(o Options) sandbox.Simulator {
	e := &simulation{sandbox.Completed(o, Defaults())}
	return sandbox.Simulator{
		Name: "equal",
		Endpoints: []sandbox.Endpoint{
			{Name: "init-transaction", Method: http.MethodPost, Path: "/ie/transaction/init", Effect: true,
				Handle: e.guarded(e.initTransaction)},
			{Name: "execute-journey", Method: http.MethodPost, Path: "/ie/transaction/journey/execute", Effect: true,
				Handle: e.guarded(e.executeJourney)},
			{Name: "fetch-data", Method: http.MethodPost, Path: "/ie/transaction/journey/data/fetch",
				Handle: e.guarded(e.fetchData)},
		},
		Settings: []sandbox.Setting{
			{Name: "step1_status", Values: []string{statusInProgress, statusSuccess}}, // §9
			sandbox.Strict(),
		},
		Failures: sandbox.Failures{
			Unauthorized: errorEnvelope(http.StatusUnauthorized, "invalid_credentials", "Invalid Client Credentials"),
			Throttled:    sandbox.Answer{Status: http.StatusTooManyRequests},
			Internal: errorEnvelope(
				http.StatusInternalServerError, "internal_server_error", "Something went wrong, please try again.",
			),
			Unavailable: sandbox.Answer{Status: http.StatusServiceUnavailable},
		},
		RequestsPerSecond: e.RequestsPerSecond,
		Client: func(r *http.Request) string {
			if !e.authenticated(r) {
				return ""
			}
			return e.ClientID
		},
	}
}

// authenticated checks the Basic pair (§3), which is split at its first colon.
func (e *simulation) authenticated(r *http.Request) bool {
	id, secret, ok := r.BasicAuth()
	return sandbox.Same(id, e.ClientID, secret, e.ClientSecret) && ok
}

// guarded wraps an operation that needs the credentials.
func (e *simulation) guarded(handle sandbox.Handler) sandbox.Handler {
	return func(c *sandbox.Call) sandbox.Answer {
		if !e.authenticated(c.Request) {
			return c.Failures().Unauthorized
		}
		return handle(c)
	}
}

// transaction is an exchange transaction: one user's run (§1). Of the Aadhaar number it knows the last four
// digits, which tell the fixtures apart; of the OTP nothing.
type transaction struct {
	GatewayInstanceID string    `json:"gateway_instance_id"`
	State             otpState  `json:"state"`
	Holder            string    `json:"holder,omitzero"`      // last four digits of the number that the OTP went to
	SentAt            time.Time `json:"sent_at,omitzero"`     // of the OTP
	Attempts          int       `json:"attempts,omitzero"`    // wrong OTPs since
	VerifiedBy        string    `json:"verified_by,omitzero"` // digest of the request_id that verified
	Execution         string    `json:"execution,omitzero"`   // journey_transaction_id of the same
}

// otpState is where a transaction stands (§10). An OTP that is too old stays otpSent: its age says it.
type otpState string

const (
	otpNone     otpState = "open"
	otpSent     otpState = "otp_sent"
	otpExpired  otpState = "expired"
	otpLocked   otpState = "locked"
	otpVerified otpState = "verified"
)

// acceptedRun is one accepted run of the journey, by its journey_transaction_id: what fetch-data shows.
type acceptedRun struct {
	Transaction string `json:"transaction"`
	Holder      string `json:"holder,omitzero"`  // whose data it shows; empty after step 1
	Status      string `json:"status,omitzero"`  // what step 1 answered
	Pending     int    `json:"pending,omitzero"` // fetches until the source has answered
}

func transactionKey(id string) string { return "equal/transaction/" + id }
func executionKey(id string) string   { return "equal/execution/" + id }

// idempotencyKeyOf comes before the transactions that it points at in the order of keys; see Store.Clear.
func idempotencyKeyOf(client, id string) string {
	return "equal/idempotency/" + sandbox.Digest(client, id)
}

// read reads a request's object. Where the partner is strict its members must have the types of a struct, and it must
// be JSON to the letter, which no page says.
func read(c *sandbox.Call, types any) (members tolerant.Object, ok bool) {
	text := c.Body
	if c.IsStrict() {
		if json.Unmarshal(text, types) != nil {
			return nil, false
		}
	} else {
		text = tolerant.WithoutTrailingCommas(text)
	}
	members = tolerant.ReadObject(text)
	return members, members != nil
}

// find loads a record by an id that the caller gave; one that can't be ours is not looked up.
func find(c *sandbox.Call, key string, v any) bool { return len(key) <= 256 && c.Load(key, v) }

// initTransaction is Q1 (§4).
func (e *simulation) initTransaction(c *sandbox.Call) sandbox.Answer {
	// Input.
	in, ok := read(c, &struct {
		GatewayInstanceID string `json:"gateway_instance_id"`
		IdempotencyID     string `json:"idempotency_id"`
		BusinessUserID    string `json:"business_user_id"`
	}{})
	instance, key := in.Text("gateway_instance_id"), in.Text("idempotency_id")
	switch {
	case !ok:
		return invalid()
	case instance == "" && c.IsStrict(): // its name is inferred (§4.2)
		return required("gateway_instance_id")
	case instance != "" && instance != e.GatewayInstanceID:
		return invalid()
	}

	// Replay: the same id of the same client means the same transaction.
	idempotencyKey := idempotencyKeyOf(e.ClientID, key)
	if key != "" {
		var known struct {
			Transaction       string `json:"transaction"`
			GatewayInstanceID string `json:"gateway_instance_id"`
		}
		switch found := c.Load(idempotencyKey, &known); {
		case found && known.GatewayInstanceID != instance:
			return invalid()
		case found:
			return initialised(known.Transaction)
		}
	}

	// Effect: a transaction.
	id := c.NewID()
	c.Save(transactionKey(id), transaction{GatewayInstanceID: instance, State: otpNone})
	if key != "" {
		c.Save(idempotencyKey, sandbox.Object("transaction", id, "gateway_instance_id", instance))
	}
	return initialised(id).WithEffect()
}

// execution is one request to run the journey.
type execution struct {
	transactionID string
	requestID     string
	number        string
	transaction   transaction
	fixture       fixture // of the number; the zero fixture where it is none
}

// executeJourney is Q2 (§5): one URL for both steps, told apart by the presence of otp.
func (e *simulation) executeJourney(c *sandbox.Call) sandbox.Answer {
	// Input, in the order of the contract's table.
	in, ok := read(c, &struct {
		TransactionID string `json:"transaction_id"`
		JourneyID     string `json:"journey_id"`
		RequestID     string `json:"request_id"`
		InputData     *struct {
			AadhaarNo string  `json:"aadhaar_no"`
			OTP       *string `json:"otp"`
		} `json:"input_data"`
	}{})
	data := in.Object("input_data")
	otp, step2 := data.Text("otp"), data["otp"] != nil
	x := execution{
		transactionID: in.Text("transaction_id", "exchange_txn_id"), requestID: in.Text("request_id"),
		number: data.Text("aadhaar_no"),
	}
	switch {
	case !ok:
		return invalid()
	case x.transactionID == "":
		return required("transaction_id")
	case in.Text("journey_id") == "":
		return required("journey_id")
	case data == nil:
		return required("input_data")
	case x.number == "":
		return required("aadhaar_no")
	case step2 && otp == "":
		return required("otp")
	}

	// Transaction and journey.
	if !find(c, transactionKey(x.transactionID), &x.transaction) || in.Text("journey_id") != e.JourneyID {
		return invalid()
	}

	// Number: its form, then what its fixture does to any request. No page says what makes one valid but its length.
	if !c.IsStrict() {
		x.number = strings.NewReplacer(" ", "", "-", "").Replace(x.number)
	}
	if !isNumber(x.number) || c.IsStrict() && !isChecked(x.number) {
		return e.failure(x, "invalid_aadhaar_no", "aadhaar_no is Invalid")
	}
	x.fixture = fixtures()[x.number]
	switch x.fixture.always {
	case http.StatusTooManyRequests:
		return c.Failures().Throttled
	case http.StatusServiceUnavailable:
		return c.Failures().Unavailable
	}

	if step2 {
		return e.verifyOTP(c, x, otp)
	}
	return e.sendOTP(c, x)
}

// sendOTP is step 1.
func (e *simulation) sendOTP(c *sandbox.Call, x execution) sandbox.Answer {
	// What the source says of the number.
	switch x.fixture.step1 {
	case "":
		return e.failure(x, "document_not_found", "Entity not found")
	case "mobile_not_linked":
		return e.failure(x, "mobile_not_linked", "mobile number not linked")
	case "internal_server_error":
		return c.Failures().Internal
	}

	// What the transaction allows. A verified one takes no further OTP; in one that was locked the gap counts as well.
	t := &x.transaction
	switch t.State {
	case otpVerified:
		return invalid()
	case otpSent, otpLocked:
		if c.Since(t.SentAt) < otpGap {
			return e.failure(x, "otp_request_too_soon", "otp requested too soon")
		}
	}

	// Effect: an OTP, which voids the one before it.
	t.State, t.Holder, t.SentAt, t.Attempts = otpSent, x.fixture.last4, c.Now.UTC(), 0
	id := e.newExecutionID(c)
	run := acceptedRun{Transaction: x.transactionID, Status: c.Setting("step1_status")}
	x.save(c, id, run)
	return e.show(id, run).WithEffect()
}

// verifyOTP is step 2.
func (e *simulation) verifyOTP(c *sandbox.Call, x execution, otp string) sandbox.Answer {
	t := &x.transaction
	right := otp == x.fixture.otp && otp != ""
	notGenerated := e.failure(x, "otp_not_generated", "otp not generated")

	// Is there an OTP of this number to verify?
	if t.State == otpNone || x.fixture.last4 != t.Holder {
		return notGenerated
	}
	switch t.State {
	case otpVerified:
		if !right || x.requestID == "" || sandbox.Digest(x.requestID) != t.VerifiedBy {
			return notGenerated
		}
		var run acceptedRun
		c.Load(executionKey(t.Execution), &run)
		return e.show(t.Execution, run)
	case otpLocked:
		return e.failure(x, "otp_attempts_exceeded", "otp attempts exceeded")
	}
	if x.fixture.expires && t.State == otpSent {
		t.State = otpExpired
		c.Save(transactionKey(x.transactionID), t)
	}
	if t.State == otpExpired || c.Since(t.SentAt) > otpLifetime {
		return e.failure(x, "otp_expired", "otp is expired")
	}

	// Effect: an attempt is used up.
	if !right {
		code, message := "invalid_otp", "otp is Invalid"
		if t.Attempts++; t.Attempts >= otpAttempts {
			t.State = otpLocked
			code, message = "otp_attempts_exceeded", "otp attempts exceeded"
		}
		c.Save(transactionKey(x.transactionID), t)
		return e.failure(x, code, message).WithEffect()
	}

	// Effect: verified.
	id := e.newExecutionID(c)
	run := acceptedRun{Transaction: x.transactionID, Holder: x.fixture.last4, Pending: x.fixture.pending}
	t.State, t.Execution = otpVerified, id
	if x.requestID != "" {
		t.VerifiedBy = sandbox.Digest(x.requestID)
	}
	x.save(c, id, run)
	return e.show(id, run).WithEffect()
}

// save writes a transaction and its new execution.
func (x execution) save(c *sandbox.Call, id string, run acceptedRun) {
	c.Save(transactionKey(x.transactionID), x.transaction)
	c.Save(executionKey(id), run)
}

// fetchData is Q3 (§5). That it brings a slow source nearer to its answer is not an effect: nothing that a caller
// could count, pay for or regret has happened.
func (e *simulation) fetchData(c *sandbox.Call) sandbox.Answer {
	// Input.
	in, ok := read(c, &struct {
		TransactionID        string `json:"transaction_id"`
		JourneyTransactionID string `json:"journey_transaction_id"`
	}{})
	transaction, execution := in.Text("transaction_id", "exchange_txn_id"), in.Text("journey_transaction_id")
	switch {
	case !ok:
		return invalid()
	case transaction == "":
		return required("transaction_id")
	case execution == "":
		return required("journey_transaction_id")
	}

	// Execution.
	var run acceptedRun
	if !find(c, executionKey(execution), &run) || run.Transaction != transaction {
		return invalid()
	}

	// Progress.
	if run.Pending > 0 {
		run.Pending--
		c.Save(executionKey(execution), run)
	}
	return e.show(execution, run)
}

// newExecutionID returns a journey_transaction_id (§6): its UUID is not the transaction's.
func (e *simulation) newExecutionID(c *sandbox.Call) string {
	return "EQ.GT." + c.NewID() + "#" + e.JourneyID + "#" + c.NewHexID()
}

// show returns the answer that describes an accepted execution as it stands.
func (e *simulation) show(id string, run acceptedRun) sandbox.Answer {
	out := envelope{
		TransactionID: run.Transaction, JourneyTransactionID: id, JourneyID: e.JourneyID,
		Status: statusInProgress, StatusCode: "success", Message: "Success", Checks: []check{}, Data: &data{},
	}
	switch {
	case run.Holder == "":
		out.Status = run.Status
	case run.Pending == 0:
		for _, f := range fixtures() {
			if f.last4 == run.Holder {
				f.succeed(&out)
			}
		}
	}
	return sandbox.JSON(http.StatusOK, out)
}

// failure returns a business failure: 200, without a journey_transaction_id (§13).
func (e *simulation) failure(x execution, code, message string) sandbox.Answer {
	return sandbox.JSON(http.StatusOK, envelope{
		TransactionID: x.transactionID, JourneyID: e.JourneyID,
		Status: statusFailure, StatusCode: code, Message: message, Checks: []check{}, Data: &data{},
	})
}

// initialised returns Q1's answer: of the common envelope what applies (§4).
func initialised(id string) sandbox.Answer {
	return sandbox.JSON(http.StatusOK, envelope{
		TransactionID: id, Status: statusSuccess, StatusCode: "success", Message: "Request successful",
		Checks: []check{}, Data: &data{},
	})
}

// errorEnvelope returns the minimal envelope (§13).
func errorEnvelope(status int, code, message string) sandbox.Answer {
	return sandbox.JSON(status, envelope{Status: statusFailure, StatusCode: code, Message: message})
}

func required(field string) sandbox.Answer {
	return errorEnvelope(http.StatusBadRequest, "invalid_request", field+" is required")
}

func invalid() sandbox.Answer {
	return errorEnvelope(http.StatusBadRequest, "invalid_request", "Invalid Request")
}

// Values of status (§6).
const (
	statusSuccess    = "SUCCESS"
	statusFailure    = "FAILURE"
	statusInProgress = "IN_PROGRESS"
)

// envelope is what Equal answers, in the order of the contract's samples (§13).
type envelope struct {
	TransactionID        string  `json:"transaction_id,omitzero"`
	JourneyTransactionID string  `json:"journey_transaction_id,omitzero"`
	JourneyID            string  `json:"journey_id,omitzero"`
	Status               string  `json:"status"`
	StatusCode           string  `json:"status_code"`
	Message              string  `json:"message"`
	Decision             string  `json:"decision,omitzero"`
	Checks               []check `json:"checks,omitzero"`
	Data                 *data   `json:"data,omitzero"`
}

type data struct {
	Keys *keys `json:"keys,omitzero"`
}

type keys struct {
	Aadhaar []aadhaar `json:"aadhaar"`
}

type aadhaar struct {
	AadhaarNo string  `json:"aadhaar_no"` // masked
	Name      string  `json:"name"`
	Source    string  `json:"source"`
	Issuer    string  `json:"issuer"`
	Decision  string  `json:"decision,omitzero"`
	Checks    []check `json:"checks,omitzero"`
}

// check is one element of checks (§7).
type check struct {
	CheckID     string   `json:"check_id"`
	CheckResult string   `json:"check_result"`
	StatusCode  string   `json:"status_code"`
	Message     string   `json:"message,omitzero"`
	Metadata    metadata `json:"metadata"`
}

type metadata struct {
	DataSource string `json:"data_source,omitzero"`
	MatchLogic string `json:"match_logic,omitzero"`
}

// succeed turns an envelope into the fixture's success.
func (f fixture) succeed(out *envelope) {
	holder := aadhaar{AadhaarNo: "XXXXXXXX" + f.last4, Name: f.name, Source: "sandbox"}
	out.Status, out.Message = statusSuccess, "Request successful"
	if f.plain {
		out.Message, out.Checks = "Success", nil
	} else {
		out.Decision, holder.Decision = f.decision, f.decision
		holder.Checks = append([]check{}, f.checks...)
	}
	out.Data.Keys = &keys{Aadhaar: []aadhaar{holder}}
}
