package ezto

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/source"
	"sallyport/shared/vault"
)

const (
	maxText    = 48 << 10 // bytes of a start, with what it refers to
	maxUserID  = 256      // characters
	maxCountry = 64
	maxDevice  = 256
)

// IECVerification is the journey "iec-verification": it has an importer's licence verified on the partner's page, where
// the tenant's own settings say so.
func IECVerification() journey.Type {
	return journey.Type{
		Name:    "iec-verification",
		Partner: "ezto",
		MaxBody: maxText,
		Start:   startIECVerification,
		Outcome: outcomeIECVerification,
	}
}

// start is the body of a start. In all of it references may stand for values.
type start struct {
	Application string         `json:"application"`
	UserID      string         `json:"user_id"`
	Metadata    jsontext.Value `json:"metadata"`
	Force       bool           `json:"force_onboarding"`
	Country     string         `json:"country"`
	Device      string         `json:"device"`
	Consent     jsontext.Value `json:"consent"`
}

// startIECVerification takes {"application","user_id","metadata","force_onboarding","country","device","consent"}. What
// rules are evaluated over, and the request for the partner, is sealed.
func startIECVerification(ctx context.Context, s journey.Start) (fields journey.Fields, err error) {
	if err := gateway.CheckJSON(s.Body); err != nil {
		return fields, err
	}
	opened, err := s.Open(ctx, s.Body, maxText, func(jsontext.Pointer) bool { return false })
	if err != nil {
		return fields, err
	}
	var in start
	if err := gateway.DecodeJSON(opened, &in); err != nil {
		return fields, err
	}
	var creds credentials
	if err := json.Unmarshal(s.Secret, &creds); err != nil || creds.Workspace == "" {
		return fields,
			gateway.NewProblem(
				http.StatusServiceUnavailable, "partner_credentials_missing", "the credentials for EZTO lack the workspace",
			)
	}
	if _, known := creds.Applications[in.Application]; !known {
		return fields, wrongStart("/application", "is not an application of the workspace")
	}
	switch {
	case strings.TrimSpace(in.UserID) == "" || utf8.RuneCountInString(in.UserID) > maxUserID:
		return fields, wrongStart("/user_id", "must have 1 to 256 characters")
	case len(in.Metadata) > 0 && in.Metadata.Kind() != '{' && in.Metadata.Kind() != 'n':
		return fields, wrongStart("/metadata", "must be an object")
	case utf8.RuneCountInString(in.Country) > maxCountry:
		return fields, wrongStart("/country", "is too long")
	case utf8.RuneCountInString(in.Device) > maxDevice:
		return fields, wrongStart("/device", "is too long")
	case len(in.Consent) > 0 && in.Consent.Kind() != '{' && in.Consent.Kind() != 'n':
		return fields, wrongStart("/consent", "must be an object")
	}
	if in.Metadata.Kind() != '{' {
		in.Metadata = jsontext.Value("{}")
	}
	metadata := object(in.Metadata)
	metadata["workflow"] = jsontext.Value(`"verification"`)
	metadata["force_onboarding"] = jsontext.Value("false")
	if in.Force {
		metadata["force_onboarding"] = jsontext.Value("true")
	}
	user := map[string]any{"user_id": in.UserID, "metadata": metadata}
	if strings.Contains(in.UserID, "@") { // by which name a request goes that the partner's own SDK sends (§4.2)
		user["email"] = in.UserID
	}
	request := map[string]any{"user": user}
	if in.Consent.Kind() == '{' {
		consent := object(in.Consent)
		if text := consent["message"]; len(text) > 0 && text.Kind() != '{' {
			return fields, wrongStart("/consent/message", "must be an object")
		}
		consent["type"] = jsontext.Value(`"json"`)
		request["message"] = map[string]any{"consent": consent}
	}
	return journey.Fields{
		Plain: map[string]any{"application": in.Application},
		Sealed: map[string]any{
			"facts": map[string]any{"user_id": in.UserID, "metadata": in.Metadata, "country": in.Country, "device": in.Device,
				"claims":           map[string]any{},
				"force_onboarding": in.Force},
			"request": request,
		},
		AlsoErase: vault.References(s.Body),
		HasPersonalData: !vault.IsReference(s.Body) && slices.ContainsFunc(
			[]string{"user_id", "metadata", "device", "consent"}, func(name string) bool { return inline(s.Body, name) },
		),
	}, nil
}

// inline reports whether a member is there by itself, and not as a reference.
func inline(body jsontext.Value, name string) bool {
	value := object(body)[name]
	return len(value) > 0 && value.Kind() != 'n' && !vault.IsReference(value) && string(value) != "{}"
}

// outcomeIECVerification is the result as the partner shows it (§6), but for claims that the tenant's workflow
// does not ask for.
func outcomeIECVerification(answer gateway.Reply, _ map[string]string, claims []string) ([]byte, error) {
	result, ok := ReadResult(answer.Body)
	if !ok {
		return nil, nil
	}
	m := object(answer.Body)
	claim := func(name string, texts ...string) string {
		if !slices.Contains(claims, name) {
			return ""
		}
		return m.Plain(append(texts, name)...)
	}
	out := struct {
		Workflow   string `json:"workflow,omitzero"`
		UserID     string `json:"user_id,omitzero"`
		RequestID  string `json:"request_id"`
		IEC        string `json:"ie_code,omitzero"`
		Verified   string `json:"iec_verified,omitzero"`
		VerifiedAt string `json:"iec_verified_at,omitzero"`
		Name       string `json:"name,omitzero"`
		Address    string `json:"address,omitzero"`
		Status     string `json:"iec_status,omitzero"`
		PAN        string `json:"pan,omitzero"`
		Mismatch   bool   `json:"pan_mismatch,omitzero"`

		Implausible []string `json:"implausible,omitzero"`
	}{
		Workflow: result.Workflow, UserID: result.UserID, RequestID: result.RequestID,
		IEC: claim("iec_code", "iec_code", "ie_code"), Verified: claim("iec_verified"), VerifiedAt: claim("iec_verified_at"),
		Name: claim("name"), Status: claim("iec_status"), PAN: claim("pan"), Address: result.Address,
		Mismatch: result.Mismatch(), Implausible: result.Implausible,
	}
	return json.Marshal(out)
}

// wrongStart says what is wrong with the start of a journey.
func wrongStart(pointer, reason string) error {
	return &gateway.InputError{Pointer: pointer, Reason: reason, Source: source.Interface("the start of iec-verification")}
}
