package ezto

import (
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
	"sallyport/shared/tolerant"
)

// maxRequest is the largest request that is taken, in bytes.
const maxRequest = 64 << 10

// requestObject is what the field "request" holds (§4). What it has beside is no error.
type requestObject struct {
	User struct {
		UserID   string `json:"user_id"`
		Email    string `json:"email"` // the same, as the partner's own SDK calls it (§4.2)
		Metadata struct {
			Workflow        string `json:"workflow"`
			ForceOnboarding bool   `json:"force_onboarding"`
		} `json:"metadata"`
	} `json:"user"`
	Message struct {
		Consent consentRequest `json:"consent"`
	} `json:"message"`
}

// consentRequest is what people are asked to consent to.
type consentRequest struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Message pairs  `json:"message"`
}

// pairs are the members of a JSON object in their order. A value that is no text is kept as its JSON.
type pairs []pair

type pair struct{ Name, Value string }

func (p *pairs) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*p = nil
	begin, err := d.ReadToken()
	switch {
	case err != nil || begin.Kind() == jsontext.KindNull:
		return err
	case begin.Kind() != jsontext.KindBeginObject:
		return errors.New("sandbox: not an object")
	}
	for d.PeekKind() != jsontext.KindEndObject {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		pair := pair{Name: name.String()}
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		if pair.Value = string(value); value.Kind() == jsontext.KindString {
			if err := json.Unmarshal(value, &pair.Value); err != nil {
				return err
			}
		}
		*p = append(*p, pair)
	}
	_, err = d.ReadToken()
	return err
}

func (p pairs) MarshalJSONTo(e *jsontext.Encoder) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, pair := range p {
		if err := e.WriteToken(jsontext.String(pair.Name)); err != nil {
			return err
		}
		if err := e.WriteToken(jsontext.String(pair.Value)); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// triggerRequest is E1 and E2 (§2).
func (e *simulation) triggerRequest(x *call) sandbox.Answer {
	// Input.
	var in requestObject
	request := x.Form()("request") // never in JSON (§3)
	consent := &in.Message.Consent
	switch {
	case x.app.APIOnly:
		return sandbox.OAuthError(http.StatusForbidden, "unauthorized_client",
			"the application's verification way is the API")
	case request == "" && (x.IsStrict() || len(x.Body) > 0): // a public sample of a client sends no body (§4.1)
		return invalid("request is missing")
	case len(request) > maxRequest:
		return invalid("request is too large")
	case request != "" && !in.read(request, x.IsStrict()):
		return invalid("request is not a JSON object of the documented form")
	case x.app.Consent && (consent.Type != "json" || consent.Title == "" || len(consent.Message) == 0):
		return invalid("message.consent needs the type json, a title and a message")
	}

	// Rules.
	user := &in.User
	switch {
	case x.app.GatepassRefuses:
		return denied("a rule of the gatepass is not satisfied")
	case isFailingUser(user.UserID):
		return requestFailed("the request could not be sent to the user")
	}
	if user.UserID == "" {
		user.UserID = user.Email
	}
	if user.UserID == "" {
		user.UserID = x.NewID() // what a result shows where the request names nobody, the contract leaves open
	}
	force := user.Metadata.ForceOnboarding || user.Metadata.Workflow == onboardingWorkflow

	// Effect: a transaction, which may have come to its end already.
	t := transaction{
		RequestID:   x.NewID(),
		Application: x.name,
		Origin:      x.Origin(),
		Page:        rand.Text(),
		UserID:      user.UserID,
		Steps:       steps(x, user.UserID, force),
		Expires:     x.Now.Add(x.Real(x.app.LinkExpiry)).UTC(),
		Interval:    int(x.app.PollInterval / time.Second),
	}
	if x.app.Consent {
		t.Consent = *consent
	}
	var err error
	t.Handle, err = newHandle()
	x.Fail(err)
	x.Save(handleKey(t.Handle), t.RequestID)
	x.Save(pageKey(t.Page), t.RequestID)
	e.proceed(x.Call, &t)
	answer := []any{"auth_req_id", t.Handle}
	switch x.app.Way {
	case Browser:
		answer = append(answer, "url", t.url())
	case Mobile:
		answer = append(answer, "qr", t.qr())
	}
	return sandbox.OK(
		append(answer, "expires_in", int(x.app.LinkExpiry/time.Second), "interval", t.Interval)...,
	).WithEffect()
}

// read reads the text of a request. Unless the partner is strict, a member of another type than the documented one
// reads as absent.
func (r *requestObject) read(text string, strict bool) bool {
	if strict {
		return jsontext.Value(text).Kind() == jsontext.KindBeginObject && json.Unmarshal([]byte(text), r) == nil
	}
	all := tolerant.ReadObject(tolerant.WithoutTrailingCommas([]byte(text)))
	user, consent := all.Object("user"), all.Object("message").Object("consent")
	r.User.UserID, r.User.Email = user.Text("user_id"), user.Text("email")
	r.User.Metadata.Workflow = user.Object("metadata").Word("workflow")
	if force := user.Object("metadata").Truth("force_onboarding"); force != nil {
		r.User.Metadata.ForceOnboarding = *force
	}
	r.Message.Consent.Type, r.Message.Consent.Title = consent.Word("type"), consent.Word("title")
	if json.Unmarshal(consent["message"], &r.Message.Consent.Message) != nil {
		r.Message.Consent.Message = nil
	}
	return all != nil
}

// steps returns what a transaction asks of a person. New users are onboarded first, all users where that is forced; the
// workflow "onboarding" in a request is taken to force it, since the contract does not say what it does.
func steps(x *call, userID string, force bool) (steps []transactionStatus) {
	if x.app.Consent {
		steps = append(steps, asksConsent)
	}
	if x.app.Onboarding {
		known := isKnownUser(userID) || x.Get(userKey(userID)) != nil
		if force || !known {
			steps = append(steps, onboards)
		}
	}
	if !x.app.NoVerification && !x.app.ModuleOff {
		steps = append(steps, asksNumber)
	}
	return steps
}
