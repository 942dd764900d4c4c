package sandbox

import (
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxEZTORequest is the largest request that is taken, in bytes.
const maxEZTORequest = 64 << 10

// eztoRequest is what the field "request" holds (ezto §4). What it has beside is no error.
type eztoRequest struct {
	User struct {
		UserID   string `json:"user_id"`
		Metadata struct {
			Workflow        string `json:"workflow"`
			ForceOnboarding bool   `json:"force_onboarding"`
		} `json:"metadata"`
	} `json:"user"`
	Message struct {
		Consent eztoConsent `json:"consent"`
	} `json:"message"`
}

// eztoConsent is what people are asked to consent to.
type eztoConsent struct {
	Type    string    `json:"type"`
	Title   string    `json:"title"`
	Message eztoPairs `json:"message"`
}

// eztoPairs are the members of a JSON object in their order. A value that is no text is kept as its JSON.
type eztoPairs []eztoPair

type eztoPair struct{ Name, Value string }

func (p *eztoPairs) UnmarshalJSONFrom(d *jsontext.Decoder) error {
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
		pair := eztoPair{Name: name.String()}
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

func (p eztoPairs) MarshalJSONTo(e *jsontext.Encoder) error {
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

// triggerRequest is E1 and E2 (ezto §2).
func (e *ezto) triggerRequest(x *eztoCall) (answer, error) {
	// Input.
	var in eztoRequest
	request := formOf(x.request.Header.Get("Content-Type"), x.body)("request") // never in JSON (ezto §3)
	consent := &in.Message.Consent
	switch {
	case x.app.APIOnly:
		return eztoError(http.StatusForbidden, "unauthorized_client", "the application's verification way is the API"), nil
	case request == "":
		return eztoInvalid("request is missing"), nil
	case len(request) > maxEZTORequest:
		return eztoInvalid("request is too large"), nil
	case jsontext.Value(request).Kind() != jsontext.KindBeginObject || json.Unmarshal([]byte(request), &in) != nil:
		return eztoInvalid("request is not a JSON object of the documented form"), nil
	case x.app.Consent && (consent.Type != "json" || consent.Title == "" || len(consent.Message) == 0):
		return eztoInvalid("message.consent needs the type json, a title and a message"), nil
	}

	// Rules.
	user := &in.User
	switch {
	case x.app.GatepassRefuses:
		return eztoDenied("a rule of the gatepass is not satisfied"), nil
	case isFailingEZTOUser(user.UserID):
		return eztoRefused("the request could not be sent to the user"), nil
	}
	if user.UserID == "" {
		user.UserID = e.newID() // what a result shows where the request names nobody, the contract leaves open
	}
	force := user.Metadata.ForceOnboarding || user.Metadata.Workflow == eztoOnboardingWorkflow
	steps, err := e.steps(x, user.UserID, force)
	if err != nil {
		return answer{}, err
	}

	// Effect: a transaction, which may have come to its end already.
	t := eztoTransaction{
		RequestID:   e.newID(),
		Application: x.name,
		Origin:      origin(x.request),
		Page:        rand.Text(),
		UserID:      user.UserID,
		Steps:       steps,
		Expires:     x.now.Add(x.clock.real(x.app.LinkExpiry)).UTC(),
		Interval:    int(x.app.PollInterval / time.Second),
	}
	if x.app.Consent {
		t.Consent = *consent
	}
	if t.Handle, err = newEZTOHandle(); err != nil {
		return answer{}, err
	}
	if err := save(x, eztoHandleKey(t.Handle), t.RequestID); err != nil {
		return answer{}, err
	}
	if err := save(x, eztoPageKey(t.Page), t.RequestID); err != nil {
		return answer{}, err
	}
	if err := e.proceed(x.call, &t); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, effect: true, body: encode(struct {
		AuthReqID string `json:"auth_req_id"`
		URL       string `json:"url"`
		ExpiresIn int    `json:"expires_in"`
		Interval  int    `json:"interval"`
	}{t.Handle, t.url(), int(x.app.LinkExpiry / time.Second), t.Interval})}, nil
}

// steps returns what a transaction asks of a person. New users are onboarded first, all users where that is forced; the
// workflow "onboarding" in a request is taken to force it, since the contract does not say what it does.
func (e *ezto) steps(x *eztoCall, userID string, force bool) ([]eztoStatus, error) {
	var steps []eztoStatus
	if x.app.Consent {
		steps = append(steps, eztoAsksConsent)
	}
	if x.app.Onboarding {
		onboarded, err := x.Get(eztoUserKey(userID))
		if err != nil {
			return nil, err
		}
		if force || onboarded == nil && !isKnownEZTOUser(userID) {
			steps = append(steps, eztoOnboards)
		}
	}
	if !x.app.NoVerification && !x.app.ModuleOff {
		steps = append(steps, eztoAsksNumber)
	}
	return steps, nil
}
