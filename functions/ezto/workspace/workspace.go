// Package workspace is how a tenant configures EZTO's IEC verification (§7): workflows, whose modules run under a
// rule and show selected claims, and applications, to which workflows are attached. What a rule means is not known
// here, so that functions that evaluate none don't link what does.
package workspace

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/source"
)

var errNotStored = errors.New("workspace: is not a stored workflow")

// Workflow is an ordered list of modules. All that is left out of its JSON has its default in it.
type Workflow struct {
	Name        string   `json:"name"`
	DisplayName string   `json:"display_name,omitzero"` // at most 100 characters
	Description string   `json:"description,omitzero"`  // at most 1000 characters
	Modules     []Module `json:"modules"`               // exactly one
}

// Module is a step of a workflow.
type Module struct {
	Type        string   `json:"type"` // IECVerification
	DisplayName string   `json:"display_name,omitzero"`
	Description string   `json:"description,omitzero"`
	Enabled     bool     `json:"enabled"` // on by default; off, the module does not run
	Rule        string   `json:"rule"`    // the module runs only if it is satisfied; empty for always
	Claims      []string `json:"claims"`  // of Claims, in their order; all by default
}

// IECVerification is the type of the only module that there is.
const IECVerification = "iec_verification"

// Application is what a verification is requested of: its workflows, and how the user is reached and the result comes
// back. All that is left out of its JSON has its default in it.
type Application struct {
	Name         string  `json:"name"`
	Verification string  `json:"verification_workflow"`
	Onboarding   *string `json:"onboarding_workflow"` // nil where everybody goes straight to verification
	Way          string  `json:"verification_way"`    // one of Ways, browser by default
	Notification string  `json:"notification_way"`    // one of Notifications, poll by default
	Response     string  `json:"response_type"`       // plaintext (the default), token or encrypted
}

// Verification ways: how somebody is reached (§7.2). Web is another word for the browser.
const (
	Browser = "browser"
	Web     = "web"
	Mobile  = "mobile"
	Desktop = "desktop"
	API     = "api"
)

// Ways are the verification ways, the default first.
func Ways() []string { return []string{Browser, Web, Mobile, Desktop, API} }

// Notifications are the ways in which a result comes back, the default first (§7.3). Of those behind push the gateway
// gets nothing, so it polls.
func Notifications() []string {
	return []string{"poll", "ping", "push", "queue", "mobile_sdk", "desktop_app", "web_sdk"}
}

// Shows are the members of EZTO's answer by which a person gets to the page: a link in a browser; what to scan, or the
// link, on a phone; nothing where EZTO's own application on a desktop shows the request.
func (a Application) Shows() []string {
	switch a.Way {
	case Mobile:
		return []string{"qr", "url", "link"}
	case Desktop:
		return []string{}
	}
	return []string{"url", "link"}
}

// Claims are what a response of IEC verification may show.
func Claims() []string {
	return []string{"iec_code", "iec_verified", "iec_verified_at", "name", "iec_status", "pan"}
}

// Limits of texts, in characters.
const (
	maxName        = 64
	maxDisplayName = 100
	maxDescription = 1000
)

// ValidName reports whether a workflow or an application may be called so: 1 to 64 letters, digits, hyphens and
// underscores.
func ValidName(name string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return name != "" && len(name) <= maxName && strings.Trim(name, allowed) == ""
}

// DecodeWorkflow reads the workflow that a caller wants to have under a name. checkRule tells what is wrong with a
// rule, in words that hold none of its texts. Its errors are *gateway.InputError.
func DecodeWorkflow(name string, body []byte, checkRule func(rule string) error) (Workflow, error) {
	var in struct {
		DisplayName string `json:"display_name"`
		Description string `json:"description"`
		Modules     []struct {
			Type        string   `json:"type"`
			DisplayName string   `json:"display_name"`
			Description string   `json:"description"`
			Enabled     *bool    `json:"enabled"`
			Rule        string   `json:"rule"`
			Claims      []string `json:"claims"`
		} `json:"modules"`
	}
	if err := checkName(name); err != nil {
		return Workflow{}, err
	}
	if err := gateway.DecodeJSON(body, &in); err != nil {
		return Workflow{}, err
	}
	if err := checkTexts("", in.DisplayName, in.Description); err != nil {
		return Workflow{}, err
	}
	if len(in.Modules) != 1 {
		return Workflow{},
			wrong("/modules", "must hold exactly one module, of type "+IECVerification)
	}
	module := in.Modules[0]
	if err := oneOf("/modules/0/type", module.Type, IECVerification); err != nil {
		return Workflow{}, err
	}
	if err := checkTexts("/modules/0", module.DisplayName, module.Description); err != nil {
		return Workflow{}, err
	}
	claims, err := selected("/modules/0/claims", module.Claims)
	if err != nil {
		return Workflow{}, err
	}
	if strings.TrimSpace(module.Rule) == "" {
		module.Rule = ""
	} else if err := checkRule(module.Rule); err != nil {
		return Workflow{}, wrong("/modules/0/rule", err.Error())
	}
	return Workflow{Name: name, DisplayName: in.DisplayName, Description: in.Description, Modules: []Module{{
		Type: IECVerification, DisplayName: module.DisplayName, Description: module.Description,
		Enabled: module.Enabled == nil || *module.Enabled, Rule: module.Rule, Claims: claims,
	}}}, nil
}

// DecodeApplication reads the application that a caller wants to have under a name. Whether there are its workflows, it
// does not know. Its errors are *gateway.InputError.
func DecodeApplication(name string, body []byte) (Application, error) {
	var in struct {
		Verification string  `json:"verification_workflow"`
		Onboarding   *string `json:"onboarding_workflow"`
		Way          *string `json:"verification_way"`
		Notification *string `json:"notification_way"`
		Response     *string `json:"response_type"`
	}
	if err := checkName(name); err != nil {
		return Application{}, err
	}
	if err := gateway.DecodeJSON(body, &in); err != nil {
		return Application{}, err
	}
	if !ValidName(in.Verification) {
		return Application{}, wrong("/verification_workflow", "must be the name of a workflow")
	}
	if in.Onboarding != nil && !ValidName(*in.Onboarding) {
		return Application{},
			wrong("/onboarding_workflow", "must be the name of a workflow, or null")
	}
	a := Application{Name: name, Verification: in.Verification, Onboarding: in.Onboarding}
	for _, choice := range []struct {
		pointer string
		in      *string
		out     *string
		allowed []string
	}{
		{"/verification_way", in.Way, &a.Way, Ways()},
		{"/notification_way", in.Notification, &a.Notification, Notifications()},
		{"/response_type", in.Response, &a.Response, []string{"plaintext", "token", "encrypted"}},
	} {
		*choice.out = choice.allowed[0]
		if choice.in == nil {
			continue
		}
		if err := oneOf(choice.pointer, *choice.in, choice.allowed...); err != nil {
			return Application{}, err
		}
		*choice.out = *choice.in
	}
	return a, nil
}

// Workflows are the names of the workflows that an application is attached to, by the pointers to where they stand.
func (a Application) Workflows() map[string]string {
	names := map[string]string{"/verification_workflow": a.Verification}
	if a.Onboarding != nil {
		names["/onboarding_workflow"] = *a.Onboarding
	}
	return names
}

// StoredWorkflow reads what a ledger.Setting holds of a workflow, with its module.
func StoredWorkflow(document []byte) (w Workflow, module Module, err error) {
	if err := json.Unmarshal(document, &w); err != nil {
		return Workflow{}, Module{}, err
	}
	if len(w.Modules) != 1 || w.Modules[0].Type != IECVerification {
		return Workflow{}, Module{}, errNotStored
	}
	return w, w.Modules[0], nil
}

// StoredApplication reads what a ledger.Setting holds of an application.
func StoredApplication(document []byte) (a Application, err error) {
	if err := json.Unmarshal(document, &a); err != nil {
		return Application{}, err
	}
	return a, nil
}

func checkName(name string) error {
	if !ValidName(name) {
		return wrong("name", "must be 1 to 64 letters, digits, - and _")
	}
	return nil
}

func checkTexts(pointer, displayName, description string) error {
	if utf8.RuneCountInString(displayName) > maxDisplayName {
		return wrong(pointer+"/display_name", "has over "+strconv.Itoa(maxDisplayName)+" characters")
	}
	if utf8.RuneCountInString(description) > maxDescription {
		return wrong(pointer+"/description", "has over "+strconv.Itoa(maxDescription)+" characters")
	}
	return nil
}

func oneOf(pointer, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	reason := "must be " + allowed[0]
	if len(allowed) > 1 {
		reason = "must be one of " + strings.Join(allowed, ", ")
	}
	return wrong(pointer, reason)
}

// selected puts claims into their order; nil selects all.
func selected(pointer string, claims []string) ([]string, error) {
	if claims == nil {
		return Claims(), nil
	}
	for i, claim := range claims {
		at := pointer + "/" + strconv.Itoa(i)
		if err := oneOf(at, claim, Claims()...); err != nil {
			return nil, err
		}
		if slices.Contains(claims[:i], claim) {
			return nil, wrong(at, "stands twice")
		}
	}
	return slices.DeleteFunc(Claims(), func(claim string) bool { return !slices.Contains(claims, claim) }), nil
}

// wrong says what is wrong with the settings of a workspace.
func wrong(pointer, reason string) error {
	return &gateway.InputError{Pointer: pointer, Reason: reason, Source: source.Interface("workspace settings")}
}
