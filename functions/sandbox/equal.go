package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// EqualOptions are what Equal's account manager would issue, and its throttle.
type EqualOptions struct {
	ClientID          string
	ClientSecret      string
	GatewayInstanceID string
	JourneyID         string
	RequestsPerSecond float64 // per client, in sandbox time; below 0: no limit
}

// EqualDefaults returns what the simulated Equal goes by where Options leave it open.
func EqualDefaults() EqualOptions {
	return EqualOptions{
		ClientID:          "sandbox.client#1",
		ClientSecret:      "sandbox-secret=",
		GatewayInstanceID: "gateway.equal.dev_test",
		JourneyID:         "aadhaar_otp_sim_v1",
		RequestsPerSecond: 10, // equal §10
	}
}

// Limits of an OTP (equal §10), in sandbox time.
const (
	otpLifetime = 10 * time.Minute
	otpGap      = 60 * time.Second // between two that are sent in one transaction
	otpAttempts = 3
)

// equal simulates Equal's "Aadhaar OTP Verification" journey.
type equal struct {
	EqualOptions
	clock clock
	newID func() string
}

func newEqual(o EqualOptions, c clock, newID func() string) *simulator {
	d := EqualDefaults()
	if o.ClientID == "" {
		o.ClientID = d.ClientID
	}
	if o.ClientSecret == "" {
		o.ClientSecret = d.ClientSecret
	}
	if o.GatewayInstanceID == "" {
		o.GatewayInstanceID = d.GatewayInstanceID
	}
	if o.JourneyID == "" {
		o.JourneyID = d.JourneyID
	}
	if o.RequestsPerSecond == 0 {
		o.RequestsPerSecond = d.RequestsPerSecond
	}
	e := &equal{EqualOptions: o, clock: c, newID: newID}
	return &simulator{
		name: "equal",
		operations: []operation{
			{Operation: Operation{"equal", "init-transaction", http.MethodPost, "/ie/transaction/init", true}, handle: e.initTransaction},
			{Operation: Operation{"equal", "execute-journey", http.MethodPost, "/ie/transaction/journey/execute", true}, handle: e.executeJourney},
			{Operation: Operation{"equal", "fetch-data", http.MethodPost, "/ie/transaction/journey/data/fetch", false}, handle: e.fetchData},
		},
		settings: []setting{
			{name: "step1_status", values: []string{statusInProgress, statusSuccess}}, // equal §9
		},
		failures: failures{
			unauthorized: equalError(http.StatusUnauthorized, "invalid_credentials", "Invalid Client Credentials"),
			throttled:    answer{status: http.StatusTooManyRequests},
			internal:     equalError(http.StatusInternalServerError, "internal_server_error", "Something went wrong, please try again."),
			unavailable:  answer{status: http.StatusServiceUnavailable},
		},
		limiter: &limiter{rate: o.RequestsPerSecond, clock: c},
		client: func(r *http.Request) string {
			if !e.authenticated(r) {
				return ""
			}
			return o.ClientID
		},
	}
}

// authenticated checks the Basic pair (equal §3), which is split at its first colon.
func (e *equal) authenticated(r *http.Request) bool {
	id, secret, ok := r.BasicAuth()
	return same(id, e.ClientID, secret, e.ClientSecret) && ok
}

// equalTransaction is an exchange transaction: one user's run (equal §1). Of the Aadhaar number it knows the last four
// digits, which tell the fixtures apart; of the OTP nothing.
type equalTransaction struct {
	GatewayInstanceID string    `json:"gateway_instance_id"`
	State             otpState  `json:"state"`
	Holder            string    `json:"holder,omitzero"`      // last four digits of the number that the OTP went to
	SentAt            time.Time `json:"sent_at,omitzero"`     // of the OTP
	Attempts          int       `json:"attempts,omitzero"`    // wrong OTPs since
	VerifiedBy        string    `json:"verified_by,omitzero"` // digest of the request_id that verified
	Execution         string    `json:"execution,omitzero"`   // journey_transaction_id of the same
}

// otpState is where a transaction stands (equal §10). An OTP that is too old stays otpSent: its age says it.
type otpState string

const (
	otpNone     otpState = "open"
	otpSent     otpState = "otp_sent"
	otpExpired  otpState = "expired"
	otpLocked   otpState = "locked"
	otpVerified otpState = "verified"
)

// equalExecution is one accepted run of the journey, by its journey_transaction_id: what fetch-data shows.
type equalExecution struct {
	Transaction string `json:"transaction"`
	Holder      string `json:"holder,omitzero"`  // whose data it shows; empty after step 1
	Status      string `json:"status,omitzero"`  // what step 1 answered
	Pending     int    `json:"pending,omitzero"` // fetches until the source has answered
}

func equalTransactionKey(id string) string { return "equal/transaction/" + id }
func equalExecutionKey(id string) string   { return "equal/execution/" + id }

// equalIdempotencyKey comes before the transactions that it points at in the order of keys; see Store.Clear.
func equalIdempotencyKey(client, id string) string {
	return "equal/idempotency/" + digest(client, id)
}

// digest stands for values of the caller's making, which may be long or private, and in a header any bytes.
func digest(parts ...string) string {
	for i, part := range parts {
		parts[i] = strings.ToValidUTF8(part, "\uFFFD")
	}
	sum := sha256.Sum256(encode(parts))
	return hex.EncodeToString(sum[:])
}

// find loads a record by an id that the caller gave; one that can't be ours is not looked up.
func (e *equal) find(c *call, key string, v any) (bool, error) {
	if len(key) > 256 {
		return false, nil
	}
	return load(c, key, v)
}

// initTransaction is Q1 (equal §4).
func (e *equal) initTransaction(c *call) (answer, error) {
	// Credentials.
	if !e.authenticated(c.request) {
		return c.simulator.failures.unauthorized, nil
	}

	// Input.
	var in struct {
		GatewayInstanceID string `json:"gateway_instance_id"`
		IdempotencyID     string `json:"idempotency_id"`
		BusinessUserID    string `json:"business_user_id"`
	}
	switch err := json.Unmarshal(c.body, &in); {
	case err != nil:
		return equalInvalid(), nil
	case in.GatewayInstanceID == "":
		return equalRequired("gateway_instance_id"), nil
	case in.GatewayInstanceID != e.GatewayInstanceID:
		return equalInvalid(), nil
	}

	// Replay: the same id of the same client means the same transaction.
	idempotencyKey := equalIdempotencyKey(e.ClientID, in.IdempotencyID)
	if in.IdempotencyID != "" {
		var known struct {
			Transaction       string `json:"transaction"`
			GatewayInstanceID string `json:"gateway_instance_id"`
		}
		found, err := load(c, idempotencyKey, &known)
		switch {
		case err != nil:
			return answer{}, err
		case found && known.GatewayInstanceID != in.GatewayInstanceID:
			return equalInvalid(), nil
		case found:
			return equalInitialised(known.Transaction), nil
		}
	}

	// Effect: a transaction.
	id := e.newID()
	if err := save(c, equalTransactionKey(id), equalTransaction{GatewayInstanceID: in.GatewayInstanceID, State: otpNone}); err != nil {
		return answer{}, err
	}
	if in.IdempotencyID != "" {
		err := save(c, idempotencyKey, struct {
			Transaction       string `json:"transaction"`
			GatewayInstanceID string `json:"gateway_instance_id"`
		}{id, in.GatewayInstanceID})
		if err != nil {
			return answer{}, err
		}
	}
	return did(equalInitialised(id)), nil
}

// execution is one request to run the journey.
type execution struct {
	transactionID string
	requestID     string
	number        string
	transaction   equalTransaction
	fixture       equalFixture // of the number; the zero fixture where it is none
}

// executeJourney is Q2 (equal §5): one URL for both steps, told apart by the presence of otp.
func (e *equal) executeJourney(c *call) (answer, error) {
	// Credentials.
	if !e.authenticated(c.request) {
		return c.simulator.failures.unauthorized, nil
	}

	// Input, in the order of the contract's table.
	var in struct {
		TransactionID string `json:"transaction_id"`
		JourneyID     string `json:"journey_id"`
		RequestID     string `json:"request_id"`
		InputData     *struct {
			AadhaarNo string         `json:"aadhaar_no"`
			OTP       jsontext.Value `json:"otp"`
		} `json:"input_data"`
	}
	switch err := json.Unmarshal(c.body, &in); {
	case err != nil:
		return equalInvalid(), nil
	case in.TransactionID == "":
		return equalRequired("transaction_id"), nil
	case in.JourneyID == "":
		return equalRequired("journey_id"), nil
	case in.InputData == nil:
		return equalRequired("input_data"), nil
	case in.InputData.AadhaarNo == "":
		return equalRequired("aadhaar_no"), nil
	}
	var otp string
	step2 := in.InputData.OTP != nil
	if step2 {
		if err := json.Unmarshal(in.InputData.OTP, &otp); err != nil {
			return equalInvalid(), nil
		}
		if otp == "" {
			return equalRequired("otp"), nil
		}
	}

	// Transaction and journey.
	x := execution{transactionID: in.TransactionID, requestID: in.RequestID, number: in.InputData.AadhaarNo}
	found, err := e.find(c, equalTransactionKey(x.transactionID), &x.transaction)
	switch {
	case err != nil:
		return answer{}, err
	case !found, in.JourneyID != e.JourneyID:
		return equalInvalid(), nil
	}

	// Number: its form, then what its fixture does to any request.
	if !validAadhaar(x.number) {
		return e.failure(x, "invalid_aadhaar_no", "aadhaar_no is Invalid"), nil
	}
	x.fixture = equalFixtures()[x.number]
	switch x.fixture.always {
	case http.StatusTooManyRequests:
		return c.simulator.failures.throttled, nil
	case http.StatusServiceUnavailable:
		return c.simulator.failures.unavailable, nil
	}

	if step2 {
		return e.verifyOTP(c, x, otp)
	}
	return e.sendOTP(c, x)
}

// sendOTP is step 1.
func (e *equal) sendOTP(c *call, x execution) (answer, error) {
	// What the source says of the number.
	switch x.fixture.step1 {
	case "":
		return e.failure(x, "document_not_found", "Entity not found"), nil
	case "mobile_not_linked":
		return e.failure(x, "mobile_not_linked", "mobile number not linked"), nil
	case "internal_server_error":
		return c.simulator.failures.internal, nil
	}

	// What the transaction allows. A verified one takes no further OTP; in one that was locked the gap counts as well.
	t := &x.transaction
	switch t.State {
	case otpVerified:
		return equalInvalid(), nil
	case otpSent, otpLocked:
		if e.clock.elapsed(t.SentAt, c.now) < otpGap {
			return e.failure(x, "otp_request_too_soon", "otp requested too soon"), nil
		}
	}

	// Effect: an OTP, which voids the one before it.
	status, err := c.setting("step1_status")
	if err != nil {
		return answer{}, err
	}
	t.State, t.Holder, t.SentAt, t.Attempts = otpSent, x.fixture.last4, c.now.UTC(), 0
	id := e.newExecutionID()
	run := equalExecution{Transaction: x.transactionID, Status: status}
	if err := e.save(c, x, id, run); err != nil {
		return answer{}, err
	}
	return did(e.show(id, run)), nil
}

// verifyOTP is step 2.
func (e *equal) verifyOTP(c *call, x execution, otp string) (answer, error) {
	t := &x.transaction
	right := otp == x.fixture.otp && otp != ""
	notGenerated := e.failure(x, "otp_not_generated", "otp not generated")

	// Is there an OTP of this number to verify?
	if t.State == otpNone || x.fixture.last4 != t.Holder {
		return notGenerated, nil
	}
	switch t.State {
	case otpVerified:
		if !right || x.requestID == "" || digest(x.requestID) != t.VerifiedBy {
			return notGenerated, nil
		}
		var run equalExecution
		if _, err := load(c, equalExecutionKey(t.Execution), &run); err != nil {
			return answer{}, err
		}
		return e.show(t.Execution, run), nil
	case otpLocked:
		return e.failure(x, "otp_attempts_exceeded", "otp attempts exceeded"), nil
	}
	if x.fixture.expires && t.State == otpSent {
		t.State = otpExpired
		if err := save(c, equalTransactionKey(x.transactionID), t); err != nil {
			return answer{}, err
		}
	}
	if t.State == otpExpired || e.clock.elapsed(t.SentAt, c.now) > otpLifetime {
		return e.failure(x, "otp_expired", "otp is expired"), nil
	}

	// Effect: an attempt is used up.
	if !right {
		code, message := "invalid_otp", "otp is Invalid"
		if t.Attempts++; t.Attempts >= otpAttempts {
			t.State = otpLocked
			code, message = "otp_attempts_exceeded", "otp attempts exceeded"
		}
		return did(e.failure(x, code, message)), save(c, equalTransactionKey(x.transactionID), t)
	}

	// Effect: verified.
	id := e.newExecutionID()
	run := equalExecution{Transaction: x.transactionID, Holder: x.fixture.last4, Pending: x.fixture.pending}
	t.State, t.Execution = otpVerified, id
	if x.requestID != "" {
		t.VerifiedBy = digest(x.requestID)
	}
	if err := e.save(c, x, id, run); err != nil {
		return answer{}, err
	}
	return did(e.show(id, run)), nil
}

// save writes a transaction and its new execution.
func (e *equal) save(c *call, x execution, id string, run equalExecution) error {
	if err := save(c, equalTransactionKey(x.transactionID), x.transaction); err != nil {
		return err
	}
	return save(c, equalExecutionKey(id), run)
}

// fetchData is Q3 (equal §5). That it brings a slow source nearer to its answer is not an effect: nothing that a caller
// could count, pay for or regret has happened.
func (e *equal) fetchData(c *call) (answer, error) {
	// Credentials.
	if !e.authenticated(c.request) {
		return c.simulator.failures.unauthorized, nil
	}

	// Input.
	var in struct {
		TransactionID        string `json:"transaction_id"`
		JourneyTransactionID string `json:"journey_transaction_id"`
	}
	switch err := json.Unmarshal(c.body, &in); {
	case err != nil:
		return equalInvalid(), nil
	case in.TransactionID == "":
		return equalRequired("transaction_id"), nil
	case in.JourneyTransactionID == "":
		return equalRequired("journey_transaction_id"), nil
	}

	// Execution.
	var run equalExecution
	found, err := e.find(c, equalExecutionKey(in.JourneyTransactionID), &run)
	switch {
	case err != nil:
		return answer{}, err
	case !found, run.Transaction != in.TransactionID:
		return equalInvalid(), nil
	}

	// Progress.
	if run.Pending > 0 {
		run.Pending--
		if err := save(c, equalExecutionKey(in.JourneyTransactionID), run); err != nil {
			return answer{}, err
		}
	}
	return e.show(in.JourneyTransactionID, run), nil
}

// newExecutionID returns a journey_transaction_id (equal §6): its UUID is not the transaction's.
func (e *equal) newExecutionID() string {
	return "EQ.GT." + e.newID() + "#" + e.JourneyID + "#" + strings.ReplaceAll(e.newID(), "-", "")
}

// show returns the answer that describes an accepted execution as it stands.
func (e *equal) show(id string, run equalExecution) answer {
	out := equalEnvelope{
		TransactionID: run.Transaction, JourneyTransactionID: id, JourneyID: e.JourneyID,
		Status: statusInProgress, StatusCode: "success", Message: "Success", Checks: []equalCheck{}, Data: &equalData{},
	}
	switch {
	case run.Holder == "":
		out.Status = run.Status
	case run.Pending == 0:
		for _, f := range equalFixtures() {
			if f.last4 == run.Holder {
				f.succeed(&out)
			}
		}
	}
	return answer{status: http.StatusOK, body: encode(out)}
}

// failure returns a business failure: 200, without a journey_transaction_id (equal §13).
func (e *equal) failure(x execution, code, message string) answer {
	return answer{status: http.StatusOK, body: encode(equalEnvelope{
		TransactionID: x.transactionID, JourneyID: e.JourneyID,
		Status: statusFailure, StatusCode: code, Message: message, Checks: []equalCheck{}, Data: &equalData{},
	})}
}

// did marks an answer as that of a request with an effect.
func did(a answer) answer {
	a.effect = true
	return a
}

// equalInitialised returns Q1's answer: of the common envelope what applies (equal §4).
func equalInitialised(id string) answer {
	return answer{status: http.StatusOK, body: encode(equalEnvelope{
		TransactionID: id, Status: statusSuccess, StatusCode: "success", Message: "Request successful",
		Checks: []equalCheck{}, Data: &equalData{},
	})}
}

// equalError returns the minimal envelope (equal §13).
func equalError(status int, code, message string) answer {
	return answer{status: status, body: encode(equalEnvelope{Status: statusFailure, StatusCode: code, Message: message})}
}

func equalRequired(field string) answer {
	return equalError(http.StatusBadRequest, "invalid_request", field+" is required")
}

func equalInvalid() answer {
	return equalError(http.StatusBadRequest, "invalid_request", "Invalid Request")
}

// Values of status (equal §6).
const (
	statusSuccess    = "SUCCESS"
	statusFailure    = "FAILURE"
	statusInProgress = "IN_PROGRESS"
)

// equalEnvelope is what Equal answers, in the order of the contract's samples (equal §13).
type equalEnvelope struct {
	TransactionID        string       `json:"transaction_id,omitzero"`
	JourneyTransactionID string       `json:"journey_transaction_id,omitzero"`
	JourneyID            string       `json:"journey_id,omitzero"`
	Status               string       `json:"status"`
	StatusCode           string       `json:"status_code"`
	Message              string       `json:"message"`
	Decision             string       `json:"decision,omitzero"`
	Checks               []equalCheck `json:"checks,omitzero"`
	Data                 *equalData   `json:"data,omitzero"`
}

type equalData struct {
	Keys *equalKeys `json:"keys,omitzero"`
}

type equalKeys struct {
	Aadhaar []equalAadhaar `json:"aadhaar"`
}

type equalAadhaar struct {
	AadhaarNo string       `json:"aadhaar_no"` // masked
	Name      string       `json:"name"`
	Source    string       `json:"source"`
	Issuer    string       `json:"issuer"`
	Decision  string       `json:"decision,omitzero"`
	Checks    []equalCheck `json:"checks,omitzero"`
}

// equalCheck is one element of checks (equal §7).
type equalCheck struct {
	CheckID     string        `json:"check_id"`
	CheckResult string        `json:"check_result"`
	StatusCode  string        `json:"status_code"`
	Message     string        `json:"message,omitzero"`
	Metadata    equalMetadata `json:"metadata"`
}

type equalMetadata struct {
	DataSource string `json:"data_source,omitzero"`
	MatchLogic string `json:"match_logic,omitzero"`
}

// succeed turns an envelope into the fixture's success.
func (f equalFixture) succeed(out *equalEnvelope) {
	holder := equalAadhaar{AadhaarNo: "XXXXXXXX" + f.last4, Name: f.name, Source: "sandbox"}
	out.Status, out.Message = statusSuccess, "Request successful"
	if f.plain {
		out.Message, out.Checks = "Success", nil
	} else {
		out.Decision, holder.Decision = f.decision, f.decision
		holder.Checks = append([]equalCheck{}, f.checks...)
	}
	out.Data.Keys = &equalKeys{Aadhaar: []equalAadhaar{holder}}
}
